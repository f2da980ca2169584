"""The course of an extract from an SQL server: plan, read, publish, set the mark."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, ExitStack
from typing import Any, Protocol

from core.errors import StoreError
from steps_impl.contract import ATTEMPT_VARIABLE, PIPELINE_VARIABLE, StepContext, StepResult
from steps_impl.extract.codecs import FileKind, Unsupported, choose_compression, file_kind
from steps_impl.extract.dialects import Dialect
from steps_impl.extract.increments import Increment, Piece
from steps_impl.extract.manifest import Part
from steps_impl.extract.mark import MarkStore, mark_address
from steps_impl.extract.outputs import Output
from steps_impl.extract.parameters import SqlExtractParameters
from steps_impl.extract.parts import PartWriter, even_sizes
from steps_impl.extract.publishing import new_run_id, outcome, publish
from steps_impl.extract.ranges import range_conditions, split_columns
from steps_impl.extract.reading import Reader, Tally, read_all
from steps_impl.extract.relation import Relation

_ATTEMPT = "_Attempt="  # behind it stands the number of the attempt


class Origin(Protocol):
    """An SQL server with one snapshot open, and the relation that is read from it."""

    @property
    def where(self) -> str:
        """Server, user and database, for messages."""

    @property
    def relation(self) -> Relation:
        """What is read."""

    @property
    def dialect(self) -> Dialect:
        """How the server spells."""

    @property
    def parallel(self) -> int:
        """How many connections can read at the same time."""

    def ask(self, statement: str) -> Iterable[Sequence[str | None]]:
        """Run a query in the snapshot and return its rows as text, one after the other."""

    def readers(self, count: int) -> AbstractContextManager[Sequence[Reader]]:
        """Return so many readers of the snapshot."""


class Extraction:
    """One run of an extract step over an open origin.

    ``source`` is what the manifest and the mark say about where the rows come from.
    """

    def __init__(
        self,
        parameters: SqlExtractParameters,
        context: StepContext,
        origin: Origin,
        output: Output,
        source: dict[str, Any],
        *,
        verify: bool,
    ) -> None:
        self._parameters, self._context, self._origin = parameters, context, origin
        self._output = output
        self._source = source
        self._verify = verify and origin.relation.countable
        self._increment: Increment | None = None
        self._unsupported = Unsupported(null=parameters.unsupported_values == "null")

    def run(self) -> StepResult:
        """Read, publish the manifest, set the mark, and return rows and bytes.

        The mark is set last: a run that dies before reads the same rows again.
        """
        tally = Tally(self._context)
        marks = self._begin_increment()
        increment = self._increment
        pieces = increment.pieces() if increment else [Piece("")]
        document = increment.document() if increment else None
        with ExitStack() as held:
            parts, leftovers = self._write(pieces, tally, lambda: self._hold(marks, held))
            if marks and document:
                marks.replace(document)
        details = {**outcome(parts, self._output, leftovers), "text_bytes": tally.bytes}
        details |= increment.details() if increment else {}
        details |= {"unsupported_values_nulled": self._unsupported.nulled} if self._unsupported.null else {}
        return StepResult(rows=tally.rows, bytes=sum(part.bytes for part in parts), details=details)

    def _hold(self, marks: MarkStore | None, held: ExitStack) -> None:
        """Keep other runs with this mark from publishing, until ``held`` ends."""
        if marks:
            held.enter_context(marks.held(self._context.cancelled))

    def _begin_increment(self) -> MarkStore | None:
        if not self._parameters.cursor_column:
            return None
        marks = MarkStore(mark_address(self._parameters.state, self._parameters.output))
        source = "/".join(str(self._source[key] or "(query)") for key in ("host", "database", "table"))
        key = self._parameters.run_key or _run_of(self._context)
        origin = self._origin
        self._increment = Increment(
            self._parameters, origin.relation, origin.dialect, origin.ask, marks.read(), source, key
        )
        return marks

    def _write(self, pieces: list[Piece], tally: Tally, hold: Callable[[], None]) -> tuple[list[Part], list[str]]:
        """Write all rows and switch the manifest; return the new files and those of the former run that stayed."""
        expected = self._expected(pieces)
        statements = self._statements(pieces)
        sizes = even_sizes(expected or 0, self._parameters.file_count)
        with (
            self._origin.readers(max(1, min(self._origin.parallel, len(statements)))) as readers,
            PartWriter(self._output, new_run_id(), self._kind(), sizes) as writer,
        ):
            read_all(readers, statements, writer, tally)
            if expected is not None and self._verify and tally.rows != expected:
                raise StoreError(
                    f"{self._origin.where}: {tally.rows} rows arrived of {expected} counted; run the step again"
                )
            parts = writer.finish()
            hold()
            elements = [{"name": column.name, "type": dict(column.type)} for column in self._origin.relation.columns]
            return parts, publish(self._output, parts, elements, self._told())

    def _statements(self, pieces: list[Piece]) -> list[str]:
        relation, count = self._origin.relation, self._origin.parallel
        if count == 1:
            return [relation.rows(piece.condition, piece.limit) for piece in pieces]
        columns = split_columns(self._parameters.split_by, relation)
        statements = []
        for piece in pieces:
            conditions = [piece.condition]
            if piece.divisible:
                origin = self._origin
                conditions = range_conditions(relation, origin.dialect, origin.ask, piece.condition, columns, count)
            statements += [relation.rows(condition, piece.limit) for condition in conditions]
        return statements

    def _expected(self, pieces: list[Piece]) -> int | None:
        """Return the number of rows where it must be known; what has a limit has so many."""
        if self._parameters.file_count == 1 and not self._verify:
            return None
        self._context.reporter.progress("count")
        return sum(piece.limit or self._count(piece.condition) for piece in pieces)

    def _count(self, condition: str) -> int:
        (row,) = self._origin.ask(self._origin.relation.counting(condition))
        return int(row[0] or 0)

    def _kind(self) -> FileKind:
        parameters = self._parameters
        return file_kind(
            parameters.output_format,
            choose_compression(parameters.output_format, parameters.compression),
            self._origin.relation.columns,
            self._unsupported,
            logical=parameters.avro_types == "logical",
        )

    def _told(self) -> dict[str, Any]:
        """Return what the manifest says about the source."""
        parameters = self._parameters
        told = {
            **self._source,
            "format": parameters.output_format,
            "compression": choose_compression(parameters.output_format, parameters.compression),
        }
        if self._increment:
            details = self._increment.details()
            told["increment"] = {name: details[name] for name in ("cursor", "after", "mark")}
        return told


def _run_of(context: StepContext) -> str | None:
    """Return what Data Pipeline runs, the same in each attempt: ``@Extract_2024-01-01T00:00:00``."""
    attempt = context.environment.get(ATTEMPT_VARIABLE, "").rpartition(_ATTEMPT)[0]
    return f"{context.environment.get(PIPELINE_VARIABLE, '')}/{attempt}" if attempt else None
