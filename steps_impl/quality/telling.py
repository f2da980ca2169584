"""Tells of the checks of a loading step when its transaction is over."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from core.errors import CheckFailed
from core.settings import Settings
from steps_impl.contract import StepContext
from steps_impl.quality.inside_parameters import InsideCheckParameters
from steps_impl.quality.report import CheckReport, tell, with_untold
from steps_impl.tables.model import TableName


@contextmanager
def told_after(
    parameters: InsideCheckParameters,
    table: TableName,
    reports: Callable[[], Sequence[CheckReport]],
    settings: Settings,
    context: StepContext,
) -> Iterator[dict[str, Any]]:
    """Tell of the checks when the load is over, committed or rolled back because one of them failed.

    The dictionary is given ``notification`` when something could not be told: a load that is committed is never made to
    fail by that.

    Raises:
        CheckFailed: the load's own; it says, too, what could not be told elsewhere.
    """
    outcome: dict[str, Any] = {}
    told = parameters.told(f"checks of {table}")
    try:
        yield outcome
    except CheckFailed as error:
        if untold := tell(_with_the_refusal(reports(), table, error), told, settings, context):
            raise CheckFailed(with_untold(str(error), untold)) from error
        raise
    if untold := tell(reports(), told, settings, context):
        outcome["notification"] = "; ".join(map(str, untold))


def _with_the_refusal(reports: Sequence[CheckReport], table: TableName, error: CheckFailed) -> Sequence[CheckReport]:
    """Return the reports; where none of them failed (keys with NULL, an emptied table) one that says what did."""
    if any(not report.success and not report.warns for report in reports):
        return reports
    refusal = CheckReport("rows of the load", table.schema or "", table.name, 0.0, None, finding=str(error))
    return [*reports, refusal]
