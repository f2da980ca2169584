"""A further text of NULL is found by the quick readings of a file as by the exact one."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import RecordMalformed
from steps_impl.activities.copying.dialects import Dialect
from steps_impl.activities.copying.lines import Place, to_rows
from steps_impl.activities.copying.reading import RecordReader
from steps_impl.activities.copying.tokens import Tokenizer
from steps_impl.formats.delimited import Row

PIECES = ["a", "NULL", ",", "\t", "\n", "\r\n", "\r", '"', '""', '"NULL"', r"\N", r"\n", "\\", "-", "\x1d", "é", ",,"]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=10).map(lambda parts: "".join(parts).encode())


@settings(max_examples=300)
@given(data=TEXTS, size=st.integers(1, 9), null=st.sampled_from([b"NULL", b"", b"-"]), csv=st.booleans())
def test_quick_and_exact_readings_find_the_same_nulls(data: bytes, size: int, null: bytes, csv: bool) -> None:
    dialect = Dialect(quotes=True, also_null=null) if csv else Dialect(separator=b"\t", also_null=null)

    def quick() -> list[Row]:
        blocks = [data[start : start + size] for start in range(0, len(data), size)]
        return [row for chunk in RecordReader(dialect, "f").chunks(blocks) for row in to_rows(chunk.text)]

    def exact() -> list[Row]:
        return Tokenizer(dialect).records(data, Place("f", 1, "line"), final=True)[0]

    assert outcome(quick) == outcome(exact)


def outcome(reading: Callable[[], list[Row]]) -> list[list[bytes | None]] | None:
    try:
        return [list(row) for row in reading()]
    except RecordMalformed:
        return None
