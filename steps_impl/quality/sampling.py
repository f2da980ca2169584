"""A sampled comparison of two relations on two engines: rows drawn from one are looked up in the other by key.

Dataduct's column check draws from the source only, joins values without a separator and compares the engines' own
texts; keys that are missing on one side are not counted. Here rows are drawn from both sides, every column is
compared by itself in its canonical form, and a missing row is a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import ROUND_DOWN
from typing import Any

from steps_impl.quality.normalise import Normaliser, normaliser

#: Keys looked up by one statement.
LOOKUP_BATCH = 200
#: Rows are drawn with this surplus over the sample's size, since each is drawn by chance; with so many rows more none
#: at all come once in 10^9 times, however small the sample.
SURPLUS, AT_LEAST = 1.3, 20

Row = Sequence[Any]
Key = tuple[str | None, ...]


@dataclass(frozen=True)
class Side:
    """One of the two relations, and how to ask it."""

    #: Runs a statement and returns all rows. Where there are values, they stand as ``%s`` and ``%`` as ``%%``.
    fetch: Callable[[str, Sequence[Any]], Sequence[Row]]
    #: Quotes a column's name.
    quote: Callable[[str], str]
    #: What stands behind FROM: a table's quoted name, or a query in brackets with an alias.
    relation: str
    #: The engine's function for a number between 0 and 1.
    random: str = "RANDOM()"
    #: What stands behind FROM to choose the sample, instead of chance.
    tail: str | None = None


@dataclass(frozen=True)
class SampleReport:
    """What the comparison found; numbers of rows, and per column how often it differs. No row data."""

    compared: int = 0
    missing_in_source: int = 0
    missing_in_target: int = 0
    different: int = 0
    columns: Mapping[str, int] = field(default_factory=dict)

    @property
    def error_rate(self) -> float | None:
        """Rows that are missing or differ, in percent of those looked at; ``None`` when there were none."""
        wrong = self.missing_in_source + self.missing_in_target + self.different
        return 100.0 * wrong / self.compared if self.compared else None

    def finding(self) -> str:
        """Return one sentence about it."""
        wrong = ", ".join(f"{name} ({count})" for name, count in self.columns.items())
        return (
            f"{self.compared} rows compared, {self.different} differ{f' in {wrong}' if wrong else ''}, "
            f"{self.missing_in_source} not in the source, {self.missing_in_target} not in the target"
        )

    def __add__(self, other: SampleReport) -> SampleReport:
        return SampleReport(
            self.compared + other.compared,
            self.missing_in_source + other.missing_in_source,
            self.missing_in_target + other.missing_in_target,
            self.different + other.different,
            dict(Counter(self.columns) + Counter(other.columns)),
        )


class SampleComparison:
    """Compares samples of ``source`` and ``target``.

    Args:
        source: the side whose rows are the truth.
        target: the side that was loaded from it.
        types: Redshift type of each column to compare, by name and in order, the keys included.
        keys: the columns that identify a row on both sides.
        rounding: what the load did with digits beyond a column's scale (``decimal``'s names).
    """

    def __init__(
        self, source: Side, target: Side, types: Mapping[str, str], keys: Sequence[str], rounding: str = ROUND_DOWN
    ) -> None:
        self._source, self._target = source, target
        self._columns = tuple(types)
        self._keys = tuple(keys)
        self._normalisers: list[Normaliser] = [normaliser(kind, rounding) for kind in types.values()]
        self._key_places = [self._columns.index(key) for key in keys]

    def from_target(self, size: int) -> SampleReport:
        """Draw about ``size`` rows of the target and look each up in the source."""
        return self._compare(self._target, self._source, size, SampleReport(compared=1, missing_in_source=1))

    def from_source(self, size: int) -> SampleReport:
        """Draw about ``size`` rows of the source and look each up in the target."""
        return self._compare(self._source, self._target, size, SampleReport(compared=1, missing_in_target=1))

    def _compare(self, drawn_from: Side, looked_up_in: Side, size: int, missing: SampleReport) -> SampleReport:
        report = SampleReport()
        for batch in batched_rows(self._draw(drawn_from, size), LOOKUP_BATCH):
            found = self._look_up(looked_up_in, batch)
            for row in batch:
                report += self._judge(row, found.get(self._key(row), []), missing)
        return report

    def _draw(self, side: Side, size: int) -> Sequence[Row]:
        if side.tail is not None:
            return side.fetch(f"SELECT {self._list(side)} FROM {side.relation} {side.tail}", ())
        total = int(side.fetch(f"SELECT COUNT(*) FROM {side.relation}", ())[0][0])
        chance = chance_of(size, total)
        condition = "" if chance >= 1.0 else f" WHERE {side.random} < {chance:.12f}"
        return side.fetch(f"SELECT {self._list(side)} FROM {side.relation}{condition} LIMIT {int(size)}", ())

    def _look_up(self, side: Side, rows: Sequence[Row]) -> dict[Key, list[Row]]:
        names = [side.quote(key).replace("%", "%%") for key in self._keys]
        condition, values = key_condition(names, [self._raw_key(row) for row in rows])
        head = f"SELECT {self._list(side)} FROM {side.relation} WHERE "
        found: dict[Key, list[Row]] = {}
        for row in side.fetch((head.replace("%", "%%") if values else head) + condition, values):
            found.setdefault(self._key(row), []).append(row)
        return found

    def _judge(self, row: Row, candidates: Sequence[Row], missing: SampleReport) -> SampleReport:
        if not candidates:
            return missing
        differences = min((self._differences(row, candidate) for candidate in candidates), key=len)
        return SampleReport(compared=1, different=int(bool(differences)), columns=dict.fromkeys(differences, 1))

    def _differences(self, one: Row, other: Row) -> list[str]:
        pairs = zip(self._columns, self._normalisers, one, other, strict=True)
        return [name for name, normalise, left, right in pairs if normalise(left) != normalise(right)]

    def _list(self, side: Side) -> str:
        return ", ".join(side.quote(name) for name in self._columns)

    def _raw_key(self, row: Row) -> tuple[Any, ...]:
        return tuple(row[place] for place in self._key_places)

    def _key(self, row: Row) -> Key:
        return tuple(self._normalisers[place](row[place]) for place in self._key_places)


def chance_of(size: int, total: int) -> float:
    """Return with what chance each of ``total`` rows is drawn so that ``size`` of them come, or a few more."""
    return min(1.0, (size * SURPLUS + AT_LEAST) / total) if total else 1.0


def key_condition(columns: Sequence[str], keys: Sequence[Sequence[Any]]) -> tuple[str, list[Any]]:
    """Return a condition that holds for exactly these keys, NULL included, and its values."""
    alternatives: list[str] = []
    values: list[Any] = []
    for key in keys:
        parts = [
            f"{name} IS NULL" if value is None else f"{name} = %s" for name, value in zip(columns, key, strict=True)
        ]
        alternatives.append(f"({' AND '.join(parts)})")
        values.extend(value for value in key if value is not None)
    return " OR ".join(alternatives) or "1 = 0", values


def batched_rows(rows: Sequence[Row], size: int) -> Iterator[Sequence[Row]]:
    """Cut the rows into lists of at most ``size``."""
    return (rows[start : start + size] for start in range(0, len(rows), size))
