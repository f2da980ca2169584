"""Which rows are new enough for ``delta-load``."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import ParameterError
from steps_impl.tables.model import Table, quote
from steps_impl.tables.render import type_ddl

_DATES = frozenset({"date", "timestamp without time zone", "timestamp with time zone"})
#: Dataduct's beginning of time, for a table without rows.
_BEGINNING = "1800-01-01"


@dataclass(frozen=True)
class Window:
    """The rows whose date is not older than the target's latest, less some days."""

    column: str
    #: Days before the target's latest date.
    days: int
    #: Whether rows without a date are taken each time; a comparison alone leaves them out.
    undated: bool = False

    def check(self, table: Table, columns: tuple[str, ...]) -> None:
        """Look whether the column is one that can be asked for its latest date.

        Raises:
            ParameterError: it is not loaded, or no date.
        """
        if self.column not in columns:
            raise ParameterError(f"--date-column: {self.column!r} is not a column that is loaded into {table.name}")
        if (kind := table.column(self.column).type).name not in _DATES:
            raise ParameterError(f"--date-column: {self.column!r} is {kind}; it has to be a DATE or TIMESTAMP")

    def condition(self, table: Table) -> str:
        """Return the condition on the source's rows; the target has to be there."""
        name, kind = quote(self.column), type_ddl(table.column(self.column).type)
        latest = f"(SELECT MAX({name}) FROM {table.name.sql})"
        since = f"DATEADD(day, -{self.days}, COALESCE({latest}, CAST('{_BEGINNING}' AS {kind})))"
        fits = f"source.{name} >= {since}"
        return f"({fits} OR source.{name} IS NULL)" if self.undated else fits
