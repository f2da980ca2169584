"""MySQL and MariaDB as a source: connections, typed errors, rows as the raw bytes of the text protocol."""

from __future__ import annotations

from stores.mysql.columns import Column
from stores.mysql.connection import Connection, connect, quote_name, quote_table, split_table

__all__ = ["Column", "Connection", "connect", "quote_name", "quote_table", "split_table"]
