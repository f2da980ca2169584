"""What is done for a table after its rows are committed: VACUUM and ANALYZE, each by policy.

Both run on a session of their own, outside of any transaction. The rows are there by now: whatever the warehouse
refuses (only the owner may; one VACUUM at a time) is a warning in the result and does not make the step fail.
Source: Developer Guide, *VACUUM*, *ANALYZE*, *analyze_threshold_percent*.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from core.errors import StoreError
from core.settings import Settings
from steps_impl.contract import StepContext
from steps_impl.registry import Parameters
from steps_impl.tables.model import TableName
from steps_impl.warehouse.statements import count_rows
from steps_impl.warehouse.target import warehouse_of
from stores.redshift import Session, Statement, connect

NOT_ASKED = "not asked for"

Vacuum = Literal["never", "full", "delete-only", "sort-only", "reindex", "recluster"]


class MaintenanceParameters(Parameters):
    """What is done for the table after the load."""

    analyze: bool = Field(default=True, description="renew the planner's statistics afterwards")
    analyze_columns: Literal["all", "predicate"] = Field(
        default="all", description="whose statistics: of all columns, or of those that queries filter and join by"
    )
    analyze_threshold: float | None = Field(
        default=None, ge=0, le=100, description="percent of changed rows below which ANALYZE does nothing; default: 10"
    )
    vacuum: Vacuum = Field(default="never", description="reclaim deleted rows, sort, or both, afterwards")
    vacuum_from: float = Field(
        default=0.0, ge=0, description="percent of the table's rows that this step deleted, from which on to vacuum"
    )
    vacuum_to: int | None = Field(
        default=None, ge=0, le=100, description="percent sorted or reclaimed that is enough; default: 95"
    )
    vacuum_boost: bool = Field(default=False, description="use more of the warehouse for the vacuum, and block writers")

    @model_validator(mode="after")
    def _reindex_has_no_threshold(self) -> Self:
        if self.vacuum == "reindex" and self.vacuum_to is not None:
            raise ValueError("--vacuum-to does not go with --vacuum reindex: Redshift takes no threshold there")
        return self


@dataclass(frozen=True)
class Maintenance:
    """The policy of one step, and where it is carried out."""

    parameters: MaintenanceParameters
    settings: Settings
    context: StepContext
    queue: str | None

    def after(self, name: TableName, deleted: int = 0, rows: int | None = None) -> dict[str, Any]:
        """Do what is asked for a table that has ``rows`` rows now; return what came of each, in words.

        Args:
            name: the table.
            deleted: rows that the step deleted from it, or replaced.
            rows: those that it has now, where the step knows.
        """
        vacuumed = self._try("vacuum", name, lambda session: self._vacuum(session, name, deleted, rows))
        analyzed = self._try("analyze", name, lambda session: self._analyze(session, name))
        return {"vacuum": vacuumed, "analyze": analyzed}

    def _try(self, what: str, name: TableName, work: Callable[[Session], str]) -> str:
        asked = self.parameters.analyze if what == "analyze" else self.parameters.vacuum != "never"
        if not asked:
            return NOT_ASKED
        self.context.reporter.progress(what)
        try:
            warehouse = warehouse_of(self.settings)
            with connect(warehouse, cancelled=self.context.cancelled, query_group=self.queue) as session:
                return work(session)
        except StoreError as error:
            sys.stderr.write(f"ductrunner: the rows of {name} are committed; {what} was not done: {error}\n")
            return f"not done: {error}"
        except InterruptedError:
            return "not done: the step was asked to stop after its commit"

    def _vacuum(self, session: Session, name: TableName, deleted: int, rows: int | None) -> str:
        if self.parameters.vacuum_from > 0:
            if rows is None:
                rows = int(session.row(count_rows(name.sql))[0])
            share = deleted * 100.0 / max(rows, 1)
            if share < self.parameters.vacuum_from:
                return f"not needed: {share:.1f} % of the rows were deleted"
        session.execute(vacuum(name, self.parameters))
        return "done"

    def _analyze(self, session: Session, name: TableName) -> str:
        for statement in analyze(name, self.parameters):
            session.execute(statement)
        return "done"


def vacuum(name: TableName, parameters: MaintenanceParameters) -> Statement:
    """Return the VACUUM of a table; it may not stand in a transaction block."""
    words = ["VACUUM", parameters.vacuum.replace("-", " ").upper(), name.sql]
    words += [f"TO {parameters.vacuum_to} PERCENT"] if parameters.vacuum_to is not None else []
    words += ["BOOST"] if parameters.vacuum_boost else []
    return Statement(" ".join(words), f"vacuum {name}")


def analyze(name: TableName, parameters: MaintenanceParameters) -> Iterator[Statement]:
    """Yield what renews the statistics of a table, its threshold first."""
    if parameters.analyze_threshold is not None:
        text = f"SET analyze_threshold_percent TO {parameters.analyze_threshold:g}"
        yield Statement(text, "set the threshold of ANALYZE")
    columns = " PREDICATE COLUMNS" if parameters.analyze_columns == "predicate" else ""
    yield Statement(f"ANALYZE {name.sql}{columns}", f"analyze {name}")
