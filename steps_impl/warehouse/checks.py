"""The checks that an upsert makes before its commit; a failed one rolls everything back."""

from __future__ import annotations

from core.errors import CheckFailed
from steps_impl.load.counts import gap
from steps_impl.quality.report import CheckReport
from steps_impl.warehouse.plan import MergeCounts, MergePlan
from steps_impl.warehouse.statements import count_matches, count_null_matches, count_rows
from stores.redshift import Session


def check_null_keys(plan: MergePlan, counts: MergeCounts) -> None:
    """Refuse rows without a key where the policy is to fail.

    Raises:
        CheckFailed: says how many there are.
    """
    if counts.null_keys and plan.null_keys == "fail":
        raise CheckFailed(
            f"{counts.null_keys} of {counts.staged} staged rows for {plan.table.name} have NULL in "
            f"{', '.join(plan.keys)}; mend the source, or choose --null-keys match or drop"
        )


def check_not_emptied(plan: MergePlan, counts: MergeCounts, deleted: int) -> None:
    """Refuse to leave a table without rows because the source had none: most often that source is broken.

    Raises:
        CheckFailed: says how many rows would be lost.
    """
    if deleted and counts.staged == counts.dropped_null_keys and not plan.allow_empty:
        raise CheckFailed(
            f"the source for {plan.table.name} has no rows, and --delete-existing would delete all {deleted} of the "
            "target; if that is meant, add --allow-empty"
        )


def look_at_target(session: Session, staging: str, plan: MergePlan, counts: MergeCounts) -> None:
    """Count the target after the insert and, in the same pass, its rows whose key is staged."""
    name = plan.table.name
    if not plan.check_keys:
        (counts.after,) = session.row(count_rows(name.sql))
        return
    counts.after, counts.matched = session.row(count_matches(name, staging, plan.keys))
    if counts.null_keys and plan.null_keys == "match":
        counts.matched += session.row(count_null_matches(name, staging, plan.keys))[0]


def row_count_check(session: Session, staging: str, plan: MergePlan, counts: MergeCounts) -> CheckReport:  # noqa: ARG001
    """Rows before, less those deleted, and those inserted, are the rows after; everything staged was inserted."""
    unique = counts.staged - counts.dropped_null_keys - counts.duplicates
    expected = counts.before - counts.deleted + counts.inserted
    return CheckReport(
        check="row counts",
        schema=plan.table.name.schema or "",
        table=plan.table.name.name,
        tolerance=0.0,
        error_rate=max(gap(unique, counts.inserted), gap(expected, counts.after)),
        counts={"before": counts.before, "deleted": counts.deleted, "inserted": counts.inserted, "after": counts.after},
        finding=f"{unique} unique rows staged and {counts.inserted} inserted; {expected} rows expected in the target",
    )


def key_check(session: Session, staging: str, plan: MergePlan, counts: MergeCounts) -> CheckReport:  # noqa: ARG001
    """Every key that was staged is in the target exactly once (Redshift does not enforce primary keys)."""
    violations = abs((counts.matched or 0) - counts.inserted)
    return CheckReport(
        check="primary key",
        schema=plan.table.name.schema or "",
        table=plan.table.name.name,
        tolerance=0.0,
        error_rate=float(violations),
        counts={"keys": counts.inserted, "violations": violations},
        finding=f"{violations} rows too many or too few for {counts.inserted} keys ({', '.join(plan.keys)})",
    )
