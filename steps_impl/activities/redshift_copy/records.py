"""Which loads are done: a table beside the target, written in the transaction of the load itself.

A COMMIT may be done and its answer lost: the attempt fails, the service tries again, and APPEND would load twice (AWS
warns of it). So every APPEND leaves a row with its pipeline, instance and attempt. A later attempt of the same instance
asks the service what became of the former one: FINISHED means that somebody reruns a load that was reported as done,
which appends again, as AWS does; anything else means that this is its retry, and there is nothing left to load. An
attempt that finds nothing left leaves a row too, since it is the one that ends well.

The rows are read on a session of its own, while the lock on the target is held: read in the loading transaction they
would make loads into different tables conflict with each other.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from core.errors import NotFound, StoreError
from steps_impl.contract import ATTEMPT_VARIABLE, PIPELINE_VARIABLE
from steps_impl.tables.model import TableName
from stores.datapipeline import PipelineRuns
from stores.redshift import Session, Statement

_MARK = "_Attempt="
_TABLE = """CREATE TABLE IF NOT EXISTS {table} (pipeline_id VARCHAR(1024) NOT NULL, instance_id VARCHAR(1024) NOT NULL,
attempt_id VARCHAR(1024) NOT NULL, table_name VARCHAR(512) NOT NULL, row_count BIGINT NOT NULL,
loaded_at TIMESTAMP NOT NULL DEFAULT GETDATE())"""
_FIND = "SELECT attempt_id FROM {table} WHERE pipeline_id = %s AND instance_id = %s AND table_name = %s"
_ADD = "INSERT INTO {table} (pipeline_id, instance_id, attempt_id, table_name, row_count) VALUES (%s, %s, %s, %s, %s)"
_THERE = "SELECT COUNT(*) FROM svv_columns WHERE table_schema = %s AND table_name = %s"


@dataclass(frozen=True)
class Attempt:
    """Who loads."""

    pipeline: str
    attempt: str

    @property
    def instance(self) -> str:
        """The id of the instance that this attempt belongs to."""
        return self.attempt.rpartition(_MARK)[0] or self.attempt

    @property
    def number(self) -> int:
        """Which attempt of the instance it is, from 1."""
        return number_of(self.attempt)


def number_of(attempt: str) -> int:
    """Return the number at the end of an attempt's id; 1 when it has none."""
    text = attempt.rpartition(_MARK)[2]
    return int(text) if text.isdigit() else 1


def attempt_of(environment: Mapping[str, str]) -> Attempt | None:
    """Return the attempt that this step works for; ``None`` when it is run by hand."""
    pipeline, attempt = environment.get(PIPELINE_VARIABLE), environment.get(ATTEMPT_VARIABLE)
    return Attempt(pipeline, attempt) if pipeline and attempt else None


def service_status(attempt: Attempt) -> Callable[[str], str]:
    """Return what asks the service for the status of another attempt.

    The function raises ``StoreError`` when the service does not say: whether to load cannot be guessed.
    """

    def ask(other: str) -> str:
        try:
            for described in PipelineRuns(attempt.pipeline).describe([other]):
                return described.fields.get("@status", "")
            raise NotFound(f"there is no object {other} in {attempt.pipeline}")
        except StoreError as error:
            raise StoreError(
                f"{other} has loaded these rows, and whether it was reported as done is not known: {error}; allow "
                "datapipeline:DescribeObjects, so that a retry is told from a rerun"
            ) from None

    return ask


@dataclass(frozen=True)
class LoadRecords:
    """The table of loads, and the one attempt that looks and adds."""

    table: TableName
    attempt: Attempt
    target: TableName
    #: Returns the status of another attempt.
    status: Callable[[str], str]
    #: Opens a session beside the loading one.
    elsewhere: Callable[[], Session]

    def prepare(self) -> None:
        """Make the table if it is not there.

        Raises:
            AccessDenied: the user may not; ``load_records`` names another table, or none.
            TransactionConflict: another load makes it at this moment; try again.
        """
        there = Statement(_THERE, f"look for {self.table}", (self.table.schema, self.table.name))
        doing = f"create {self.table} (redshift_copy_activity.load_records names the table, or is off)"
        with self.elsewhere() as session:
            if not session.row(there)[0]:
                session.execute(Statement(_TABLE.format(table=self.table.sql), doing))

    def done_by(self) -> str | None:
        """Return the attempt that has done this load; ``None`` when it is to be done. The target is locked.

        Raises:
            StoreError: an earlier attempt has loaded, and the service does not say what became of it.
        """
        own = self.attempt
        values = (own.pipeline, own.instance, str(self.target))
        with self.elsewhere() as session:
            rows = session.rows(Statement(_FIND.format(table=self.table.sql), f"read {self.table}", values))
        return already_done([str(row[0]) for row in rows], own, self.status)

    def add(self, session: Session, rows: int) -> None:
        """Add the row of this load, in its own transaction."""
        own = self.attempt
        values = (own.pipeline, own.instance, own.attempt, str(self.target), rows)
        session.execute(Statement(_ADD.format(table=self.table.sql), f"write {self.table}", values))


def already_done(recorded: Sequence[str], own: Attempt, status: Callable[[str], str]) -> str | None:
    """Return which of the recorded attempts did the load that ``own`` is about to do; ``None`` for none.

    The attempt itself, handed out twice, and a later one (then this is the stale one) count without asking.
    """
    if not recorded:
        return None
    last = max(recorded, key=number_of)
    if number_of(last) >= own.number:
        return last
    return None if status(last) == "FINISHED" else last
