"""What a comparison has found, in numbers; and the rows of segments that differ, told apart by their keys."""

from __future__ import annotations

import math
import struct
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from steps_impl.quality.comparing.forms import Form
from steps_impl.quality.engines.end import text_of

Fault = Literal["missing", "extra", "different"]
Values = tuple[str | None, ...]
#: Relative distance of two numbers that a single-precision float does not tell apart.
_SINGLE = 2.0**-23
#: What is nearer to 0 counts as 0: the engines cannot scale it.
_TINY = 1e-290


@dataclass
class Tally:
    """Numbers of rows and, by column, of differing values."""

    missing: int = 0
    extra: int = 0
    different: int = 0
    columns: Counter[str] = field(default_factory=Counter)

    @property
    def wrong(self) -> int:
        """Rows that are not the same on both sides."""
        return self.missing + self.extra + self.different


class RowComparison:
    """Compares the rows of a segment by key; rows with one key are matched as far as they are equal.

    ``names`` are the columns beside the first ``keys`` ones, ``forms`` those of all.
    """

    def __init__(
        self,
        tally: Tally,
        keys: int,
        names: Sequence[str],
        forms: Sequence[Form],
        note: Callable[[Fault, Values], None],
    ) -> None:
        self._tally = tally
        self._keys = keys
        self._names = names
        self._key_forms, self._forms = forms[:keys], forms[keys:]
        self._note = note

    def compare(self, source: Sequence[Sequence[Any]], target: Sequence[Sequence[Any]]) -> None:
        """Count what is missing in the target, what it has in excess and what differs."""
        expected, found = self._by_key(source), self._by_key(target)
        for key in expected.keys() | found.keys():
            left, right = list(expected.get(key, ())), list(found.get(key, ()))
            for row in list(left):
                if (place := self._place_of(row, right)) is not None:
                    left.remove(row)
                    del right[place]
            self._judge(key, left, right)

    def _judge(self, key: Values, left: Sequence[Values], right: Sequence[Values]) -> None:
        pairs = min(len(left), len(right))
        for one, other in zip(left, right, strict=False):
            self._tally.columns.update(self._differences(one, other))
        kinds: tuple[tuple[Fault, int], ...] = (
            ("different", pairs), ("missing", len(left) - pairs), ("extra", len(right) - pairs),
        )  # fmt: skip
        for fault, count in kinds:
            setattr(self._tally, fault, getattr(self._tally, fault) + count)
            for _ in range(count):
                self._note(fault, key)

    def _by_key(self, rows: Sequence[Sequence[Any]]) -> dict[Values, list[Values]]:
        grouped: dict[Values, list[Values]] = defaultdict(list)
        for row in rows:
            values = tuple(map(text_of, row))
            grouped[self._key(values)].append(values[self._keys :])
        return grouped

    def _key(self, values: Values) -> Values:
        """Return the key of a row; of floats, which each engine prints its own way, what all print alike."""
        return tuple(
            value if form.kind != "float" or value is None else repr(_rounded(float(value), form.digits))
            for form, value in zip(self._key_forms, values, strict=False)
        )

    def _place_of(self, row: Values, rows: Sequence[Values]) -> int | None:
        return next((place for place, other in enumerate(rows) if not self._differences(row, other)), None)

    def _differences(self, one: Values, other: Values) -> list[str]:
        compared = zip(self._names, self._forms, one, other, strict=True)
        return [name for name, form, left, right in compared if left != right and not _close(form, left, right)]


def _close(form: Form, left: str | None, right: str | None) -> bool:
    """Tell whether two floats are the same number as far as both types can hold it."""
    if form.kind != "float" or left is None or right is None:
        return False
    one, other = float(left), float(right)
    if math.isnan(one) or math.isnan(other):
        return math.isnan(one) and math.isnan(other)
    if math.isinf(one) or math.isinf(other):
        return one == other
    if form.digits == 9:  # two singles
        return _single(one) == _single(other)
    near = _SINGLE if form.digits == 6 else 10.0**-15
    return _rounded(one, form.digits) == _rounded(other, form.digits) or math.isclose(one, other, rel_tol=near)


def _rounded(value: float, digits: int) -> float:
    """Return a float by its significant digits; what is tiny counts as 0, as in the checksums."""
    return 0.0 if abs(value) < _TINY else float(f"{value:.{digits - 1}e}")


def _single(value: float) -> float:
    try:
        single: float = struct.unpack("f", struct.pack("f", value))[0]
    except OverflowError:
        return value
    return single
