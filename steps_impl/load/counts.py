"""Did everything arrive? Rows of the source, in the files, in staging."""

from __future__ import annotations

import itertools

from core.errors import CheckFailed
from steps_impl.load.manifest import LoadInput
from steps_impl.load.staging import Loaded
from steps_impl.quality.report import CheckReport
from steps_impl.tables.model import TableName


def arrival_report(table: TableName, source: LoadInput, loaded: Loaded, tolerance: float = 0.0) -> CheckReport:
    """Compare the rows that the extract read, wrote and that COPY loaded or was allowed to refuse.

    The error rate is the greatest gap between two neighbours, in percent of the first. What nobody counted is left out.
    """
    arrived = loaded.rows + loaded.rejected
    counts = {"source": source.source_rows, "files": source.rows, "staging": arrived}
    known = [(place, rows) for place, rows in counts.items() if rows is not None]
    rates = [gap(before, after) for (_, before), (_, after) in itertools.pairwise(known)]
    story = ", ".join(f"{rows} in {place}" for place, rows in known)
    return CheckReport(
        check="rows arrived",
        schema=table.schema or "",
        table=table.name,
        tolerance=tolerance,
        error_rate=max(rates, default=0.0),
        counts={f"{place}_rows": rows for place, rows in known} | {"rejected_rows": loaded.rejected},
        finding=f"rows: {story}",
    )


def gap(before: int, after: int) -> float:
    """Return the difference in percent of ``before`` (of a single row when it is 0)."""
    return abs(before - after) * 100.0 / max(before, 1)


def demand(report: CheckReport, kept: list[CheckReport]) -> None:
    """Keep the report, and end the step unless it passes or only warns.

    Raises:
        CheckFailed: the check failed.
    """
    kept.append(report)
    if not report.success and not report.warns:
        raise CheckFailed(report.summary())
