"""Amazon Redshift: connections, transactions that are tried again, the log of rejected rows."""

from __future__ import annotations

from stores.redshift.load_errors import LoadErrors, load_errors
from stores.redshift.session import Session, connect
from stores.redshift.transactions import retry_conflicts, run_session, run_transaction
from stores.sql import Statement

__all__ = [
    "LoadErrors",
    "Session",
    "Statement",
    "connect",
    "load_errors",
    "retry_conflicts",
    "run_session",
    "run_transaction",
]
