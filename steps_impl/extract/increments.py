"""What an incremental run reads: the rows above the mark, those near it that came late, and what the new mark is.

All questions are asked in one snapshot, so that the upper bound, the rows and the edge belong together. A run reads
``mark < cursor <= newest``. Rows that another transaction adds later with the very value of the mark, or within the
look-back window below it, are found by the next run: it compares the digests of the rows there with those that were
delivered, and reads the ones that were not. So ties at the edge are neither lost nor doubled.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, localcontext
from typing import Any

from core.errors import ParameterError, SchemaMismatch, UnsupportedValue
from core.periods import parse_period
from steps_impl.extract.cursor_parameters import CursorParameters
from steps_impl.extract.dialects import Dialect, Kind, kind_of, spelled
from steps_impl.extract.mark import Digests, Edge, LastRun, MarkDocument, Point
from steps_impl.extract.relation import Relation, both

#: Digests that one statement names.
_NAMED_AT_ONCE = 5_000
_LEAST_INTEGER = -(2**63)
#: More than any DECIMAL and any distance have together.
_DIGITS = 200

Ask = Callable[[str], Iterable[Sequence[str | None]]]


@dataclass(frozen=True)
class Piece:
    """Rows to read: a condition (empty: all), how many at the most, and whether ranges of the key may be made of it."""

    condition: str
    limit: int | None = None
    divisible: bool = True


class Increment:
    """One incremental run over a relation, from a kept document (``None``: the first run)."""

    def __init__(
        self,
        parameters: CursorParameters,
        relation: Relation,
        dialect: Dialect,
        ask: Ask,
        kept: MarkDocument | None,
        source: str,
        run_key: str | None,
    ) -> None:
        assert parameters.cursor_column is not None
        self._parameters, self._relation, self._dialect, self._ask = parameters, relation, dialect, ask
        self._cursor = spelled(parameters.cursor_column, relation.source_types)
        self._kind: Kind = kind_of(self._cursor, relation.source_types, "--cursor-column")
        self._type = relation.source_types[self._cursor]
        self._name = dialect.quote(self._cursor)
        self._source, self._key = source, run_key
        self._check(kept)
        self.again = kept is not None and run_key is not None and kept.run.key == run_key
        self._began = kept.run.began if kept and self.again else kept.point if kept else None
        self._until = kept.point.mark if kept and kept.point and self.again else None
        self.nulls = 0
        self.late = 0
        self.mark = self._newest()

    def _check(self, kept: MarkDocument | None) -> None:
        if kept is None:
            return
        if (kept.source, kept.cursor) != (self._source, self._cursor):
            raise ParameterError(
                f"--state: the mark there is of {kept.cursor} in {kept.source}, not of {self._cursor} in "
                f"{self._source}; give each extract a mark of its own"
            )
        if kind_of(self._cursor, {self._cursor: kept.cursor_type}, "--state") != self._kind:
            raise SchemaMismatch(
                f"the mark was kept when {self._cursor} was a {kept.cursor_type}, now it is a {self._type}; "
                "delete the mark to begin anew"
            )

    def _newest(self) -> str | None:
        """Return the upper bound: the greatest value there is, or the one of the run that is done again."""
        if self._until is not None:
            return self._until
        above = f"{self._name} > {self._literal(self._began.mark)}" if self._began else ""
        placed = f"NOT ({self._dialect.without_order(self._cursor, self._kind)})"
        greatest = self._relation.select(self._name, both(above, placed)) + f" ORDER BY {self._name} DESC LIMIT 1"
        found = self._one(greatest)  # not MAX: Postgres has none of UUIDs
        return found if found is not None else self._began.mark if self._began else None

    def pieces(self) -> list[Piece]:
        """Return what is to be read."""
        pieces = []
        began = self._began
        if self.mark is not None and (began is None or self.mark != began.mark):
            above = f"{self._name} > {self._literal(began.mark)}" if began else ""
            pieces.append(Piece(both(above, f"{self._name} <= {self._literal(self.mark)}")))
        return [*pieces, *self._late(), *self._without_place()]

    def document(self) -> MarkDocument:
        """Return what is kept after this run; asks for the digests of the rows at the new edge."""
        point = self._began
        if self.mark is not None:
            start = self._behind(self.mark)
            point = Point(mark=self.mark, edge=Edge.of(start, self._digests(start, self.mark)))
        run = LastRun(key=self._key, began=self._began)
        return MarkDocument(source=self._source, cursor=self._cursor, cursor_type=self._type, point=point, run=run)

    def details(self) -> dict[str, Any]:
        """Return what the result tells."""
        told = {"cursor": self._cursor, "after": self._began.mark if self._began else None, "mark": self.mark}
        return {**told, "late_rows": self.late, "rows_without_cursor": self.nulls, "done_again": self.again}

    def _late(self) -> list[Piece]:
        """Return the rows at or below the mark that were not delivered."""
        began = self._began
        if began is None:
            return []
        pieces = []
        start = self._behind(began.mark)
        if self._is_below(start, began.edge.start):
            pieces.append(Piece(self._between(start, began.edge.start, "<")))
        window = self._between(began.edge.start, began.mark, "<=")
        fresh = began.edge.fresh(self._digests(began.edge.start, began.mark))
        if fresh is None:
            return [*pieces, Piece(window)]
        self.late = fresh.total()
        return [*pieces, *self._named(window, fresh, began.edge)]

    def _named(self, window: str, fresh: Counter[str], edge: Edge) -> list[Piece]:
        """Return pieces for rows by their digests; of equal rows only as many as are missing."""
        known = set(edge.digests or ())
        digest = self._dialect.digest(self._relation)
        repeated = [(name, count) for name, count in fresh.items() if name in known]
        new = sorted(name for name in fresh if name not in known)
        groups = [new[first : first + _NAMED_AT_ONCE] for first in range(0, len(new), _NAMED_AT_ONCE)]
        pieces = [Piece(both(window, f"{digest} IN ({_texts(group)})"), divisible=False) for group in groups]
        return pieces + [
            Piece(both(window, f"{digest} = {_texts([name])}"), limit=count, divisible=False)
            for name, count in repeated
        ]

    def _without_place(self) -> list[Piece]:
        """Return the rows whose cursor has no place in the order, by policy."""
        condition = self._dialect.without_order(self._cursor, self._kind)
        self.nulls = int(self._one(self._relation.counting(condition)) or 0)
        policy = self._parameters.null_cursors
        if self.nulls and policy == "fail":
            raise UnsupportedValue(
                f"{self.nulls} rows have no value in {self._cursor}, so that no run can tell whether they are new; "
                "use --null-cursors skip or always"
            )
        return [Piece(condition)] if self.nulls and policy == "always" else []

    def _digests(self, start: str, end: str) -> Digests:
        statement = self._relation.select(self._dialect.digest(self._relation), self._between(start, end, "<="))
        return Digests(str(row[0]) for row in self._ask(statement))

    def _between(self, start: str, end: str, upper: str) -> str:
        return f"{self._name} >= {self._literal(start)} AND {self._name} {upper} {self._literal(end)}"

    def _literal(self, value: str) -> str:
        return self._dialect.literal(value, self._type)

    def _one(self, statement: str) -> str | None:
        rows = list(self._ask(statement))
        return rows[0][0] if rows else None

    def _behind(self, mark: str) -> str:
        return look_back_from(mark, self._kind, self._parameters.look_back)

    def _is_below(self, one: str, other: str) -> bool:
        return self._kind != "text" and one != other and _comparable(one, self._kind) < _comparable(other, self._kind)


def look_back_from(mark: str, kind: Kind, distance: str | None) -> str:
    """Return the value that lies so far behind the mark, in the form of the mark.

    Raises:
        ParameterError: a distance that values of this kind do not have.
    """
    if distance is None:
        return mark
    if kind in ("integer", "decimal"):
        if " " in distance.strip():
            raise ParameterError(f"--look-back {distance}: the cursor is a number; give a number")
        with localcontext(prec=_DIGITS):
            back = Decimal(mark) - Decimal(distance)
        return str(max(math.floor(back), _LEAST_INTEGER)) if kind == "integer" else f"{back:f}"
    if kind == "text":
        raise ParameterError("--look-back: texts have no distance; leave it out, or choose another cursor column")
    return _earlier(mark, kind, distance)


def _earlier(mark: str, kind: Kind, distance: str) -> str:
    try:
        length = parse_period(distance)
    except ValueError as error:
        raise ParameterError(f"--look-back: {error}") from None
    zone = "+00" if mark.endswith("+00") else ""
    try:
        moment = datetime.fromisoformat(mark.removesuffix("+00")) - length
    except OverflowError:
        moment = datetime(1, 1, 1)  # noqa: DTZ001
    except ValueError:
        raise UnsupportedValue("--look-back: the mark is no day between the years 1 and 9999") from None
    if kind == "date":
        return moment.date().isoformat()
    return moment.isoformat(" ") + zone


def _comparable(value: str, kind: Kind) -> Any:
    if kind in ("integer", "decimal"):
        return Decimal(value)
    return datetime.fromisoformat(value.removesuffix("+00"))


def _texts(values: Sequence[str]) -> str:
    return ", ".join(f"'{value}'" for value in values)
