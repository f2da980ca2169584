"""What an upsert will do, decided before the first statement; and what it did, in rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from steps_impl.quality.report import CheckReport
from steps_impl.tables.drift import REFUSE, DriftPolicy
from steps_impl.tables.model import Table, TableName
from steps_impl.warehouse.history_plan import HistoryCounts, HistoryPlan
from steps_impl.warehouse.keys import Match, kinds_of, null_safe_match, plain_match
from stores.redshift import Session

NullKeys = Literal["fail", "match", "drop"]
Mode = Literal["delete-insert", "merge", "append"]


@dataclass(frozen=True)
class MergePlan:
    """The decisions of one upsert."""

    table: Table
    #: The columns that are loaded, in order; all others get their DEFAULT or IDENTITY.
    columns: tuple[str, ...]
    #: Empty only where all rows are replaced and none is looked at for its key.
    keys: tuple[str, ...]
    #: ORDER BY terms; the first row of each key wins.
    order: tuple[str, ...]
    mode: Mode = "delete-insert"
    null_keys: NullKeys = "fail"
    #: Whether each key is taken once; otherwise every staged row is.
    one_row_per_key: bool = True
    delete_existing: bool = False
    #: Whether a source without rows may leave a target without rows.
    allow_empty: bool = False
    #: Whether the rows are staged before the target is locked.
    stage_first: bool = False
    #: Whether they go into the emptied target itself: for a source that does not read from the target.
    straight: bool = False
    check_rows: bool = True
    check_keys: bool = True
    #: Percent of rows that may be missing on the way to staging, or differ in a sample.
    tolerance: float = 0.0
    #: What is done about a table that is not as defined.
    on_drift: DriftPolicy = REFUSE
    history: HistoryPlan | None = None

    @property
    def tables(self) -> list[Table]:
        """What is written to, and locked for it."""
        return [self.table, *([self.history.history] if self.history else [])]

    @property
    def looks_at_keys(self) -> bool:
        """Whether the keys in the target are checked at the end."""
        return self.check_keys and self.one_row_per_key

    def match(self, counts: MergeCounts) -> Match:
        """Return the condition that two rows have the same key."""
        nulls = counts.null_keys > 0 and self.null_keys == "match"
        return null_safe_match(kinds_of(self.table, self.keys)) if nulls else plain_match(self.keys)


@dataclass
class MergeCounts:
    """Rows at each station of one upsert."""

    staged: int = 0
    rejected: int = 0
    replaced_characters: int | None = None
    null_keys: int = 0
    dropped_null_keys: int = 0
    #: Staged rows beyond the first of each key.
    duplicates: int = 0
    #: Rows that the target is given: one for each key, or all where keys may come twice.
    unique: int = 0
    deleted: int = 0
    #: Rows of the target that were changed in place.
    updated: int = 0
    inserted: int = 0
    #: Rows of the target afterwards; ``None``: not counted.
    after: int | None = None
    history: HistoryCounts | None = None


#: A check that runs inside the transaction, after the insert: (session, table of new rows, plan, counts) → its report.
#: A report without success rolls everything back.
Check = Callable[[Session, TableName, MergePlan, MergeCounts], CheckReport]
