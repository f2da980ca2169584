"""The checks that an upsert makes before its commit; a failed one rolls everything back."""

from __future__ import annotations

from core.errors import CheckFailed
from steps_impl.load.counts import gap
from steps_impl.quality.inside import LoadCheck, Loading
from steps_impl.quality.report import CheckReport
from steps_impl.tables.model import TableName
from steps_impl.warehouse.keys import NOT_EQUAL_TO_ITSELF, kinds_of
from steps_impl.warehouse.plan import Check, MergeCounts, MergePlan
from steps_impl.warehouse.statements import count_matches, count_rows
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
    if deleted and not counts.unique and not plan.allow_empty:
        raise CheckFailed(
            f"the source for {plan.table.name} has no rows, and all {deleted} of the target would be deleted; "
            "if that is meant, add --allow-empty"
        )


def row_count_check(session: Session, staging: TableName, plan: MergePlan, counts: MergeCounts) -> CheckReport:  # noqa: ARG001
    """Everything that was staged came in: as a row that was inserted or updated, or, appending, was there already.

    The numbers are those with which the warehouse answered each statement: the target is locked, so that nobody else
    has changed it since.
    """
    kept = counts.unique - counts.inserted if plan.mode == "append" else 0
    arrived = counts.inserted + counts.updated + kept
    counted = {"unique": counts.unique, "deleted": counts.deleted, "inserted": counts.inserted}
    return CheckReport(
        check="row counts",
        schema=plan.table.name.schema or "",
        table=plan.table.name.name,
        tolerance=0.0,
        error_rate=gap(counts.unique, arrived) if kept >= 0 else 100.0,
        counts={**counted, "updated": counts.updated, "kept": kept},
        finding=f"{counts.unique} rows to bring in; {counts.inserted} inserted, {counts.updated} updated, {kept} kept",
    )


def key_check(session: Session, staging: TableName, plan: MergePlan, counts: MergeCounts) -> CheckReport:
    """Every key that was staged is in the target exactly once (Redshift does not enforce primary keys)."""
    violations = _violations(session, staging, plan, counts)
    return CheckReport(
        check="primary key",
        schema=plan.table.name.schema or "",
        table=plan.table.name.name,
        tolerance=0.0,
        error_rate=float(violations),
        counts={"keys": counts.unique, "violations": violations},
        finding=f"{violations} rows too many or too few for {counts.unique} keys ({', '.join(plan.keys)})",
    )


def counts_tell(plan: MergePlan, counts: MergeCounts) -> bool:
    """Tell whether the statements' own counts show that each staged key is in the target once.

    No key is staged twice: that was looked at. Where every staged row was inserted, the target had none of these keys
    then: the DELETE had taken them, or INSERT and MERGE would have left the row out; and nobody else writes to a table
    that is locked. All of it goes by the equality of keys, so that each value has to equal itself.
    """
    kinds = kinds_of(plan.table, plan.keys).values()
    return counts.inserted == counts.unique and not NOT_EQUAL_TO_ITSELF & set(kinds)


def _violations(session: Session, staging: TableName, plan: MergePlan, counts: MergeCounts) -> int:
    """Return by how many rows the target has too many or too few of the staged keys; count its rows."""
    name = plan.table.name
    if plan.delete_existing:  # it is locked and was emptied: it holds what was inserted
        counts.after = counts.inserted
        return abs(counts.inserted - counts.unique)
    if counts_tell(plan, counts):
        (counts.after,) = map(int, session.row(count_rows(name.sql)))
        return 0
    rows = session.row(count_matches(name, staging, plan.keys, plan.match(counts)))
    counts.after, matched = map(int, rows)
    return abs(matched - counts.unique)


def of_merge(check: LoadCheck) -> Check:
    """Return a check of any load as one of an upsert."""

    def made(session: Session, staging: TableName, plan: MergePlan, counts: MergeCounts) -> CheckReport:
        without_key, twice = counts.dropped_null_keys, counts.duplicates if plan.one_row_per_key else 0
        lost = {"refused": counts.rejected, "without_key": without_key, "duplicates": twice}
        return check(Loading(session, plan.table, staging, counts.staged, lost))

    return made
