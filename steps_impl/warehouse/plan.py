"""What an upsert will do, decided before the first statement; and what it did, in rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from steps_impl.quality.report import CheckReport
from steps_impl.tables.drift import REFUSE, DriftPolicy
from steps_impl.tables.model import Table
from stores.redshift import Session

NullKeys = Literal["fail", "match", "drop"]


@dataclass(frozen=True)
class MergePlan:
    """The decisions of one upsert."""

    table: Table
    #: The columns that are loaded, in order; all others get their DEFAULT or IDENTITY.
    columns: tuple[str, ...]
    keys: tuple[str, ...]
    #: ORDER BY terms; the first row of each key wins.
    order: tuple[str, ...]
    null_keys: NullKeys = "fail"
    delete_existing: bool = False
    #: Whether a source without rows may leave a target without rows.
    allow_empty: bool = False
    check_rows: bool = True
    check_keys: bool = True
    #: Percent of rows that may be missing on the way to staging, or differ in a sample.
    tolerance: float = 0.0
    #: What is done about a table that is not as defined.
    on_drift: DriftPolicy = REFUSE


@dataclass
class MergeCounts:
    """Rows at each station of one upsert."""

    staged: int = 0
    rejected: int = 0
    replaced_characters: int | None = None
    null_keys: int = 0
    dropped_null_keys: int = 0
    duplicates: int = 0
    before: int = 0
    deleted: int = 0
    inserted: int = 0
    after: int = 0
    #: Rows of the target whose key is staged, after the insert; ``None``: not looked at.
    matched: int | None = None


#: A check that runs inside the transaction, after the insert: (session, staging table, plan, counts) → its report.
#: A report without success rolls everything back.
Check = Callable[[Session, str, MergePlan, MergeCounts], CheckReport]
