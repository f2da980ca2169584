from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steps_impl.extract.pg_text import for_redshift
from steps_impl.formats import FORMATS

AWKWARD = [
    b"",
    b"NULL",
    b"\\N",
    b"\\",
    b"\t",
    b"\n",
    b"\r",
    b"\r\n",
    b'"',
    b",",
    b"\x1d",
    b"\x1e",
    b"\x1f",
    b"\x1d\x1f\x1e",
    b"a\\\tb",
    "é€😀".encode(),
]
values = st.one_of(st.none(), st.sampled_from(AWKWARD), st.binary(max_size=6).map(lambda raw: raw.replace(b"\0", b"")))
tables = st.integers(1, 5).flatmap(lambda width: st.lists(st.tuples(*[values] * width), min_size=1, max_size=30))


def read_tsv(text: bytes) -> list[tuple[bytes | None, ...]]:
    """Redshift's ESCAPE, byte by byte: a backslash takes the next byte as it is, an unescaped \\N field is NULL."""
    rows, row, field, null, position = [], [], bytearray(), False, 0
    while position < len(text):
        byte = text[position : position + 1]
        if byte == b"\\":
            following = text[position + 1 : position + 2]
            null = following == b"N"
            field += following
            position += 2
            continue
        if byte in (b"\t", b"\n"):
            row.append(None if null and field == b"N" else bytes(field))
            field, null = bytearray(), False
            if byte == b"\n":
                rows.append(tuple(row))
                row = []
        else:
            field += byte
        position += 1
    assert not row
    assert not field
    return rows


def read_csv(text: bytes) -> list[tuple[bytes | None, ...]]:
    """RFC 4180, byte by byte; a value without quotes must be the NULL marker."""
    rows, row, position = [], [], 0
    while position < len(text):
        if text.startswith(b"\\N", position):
            row.append(None)
            position += 2
        else:
            assert text[position : position + 1] == b'"'
            field, position = bytearray(), position + 1
            while not (text[position : position + 1] == b'"' and text[position + 1 : position + 2] != b'"'):
                field += text[position : position + 1]
                position += 2 if text[position : position + 1] == b'"' else 1
            row.append(bytes(field))
            position += 1
        if text[position : position + 1] == b"\n":
            rows.append(tuple(row))
            row = []
        position += 1
    return rows


READERS = {"tsv": read_tsv, "csv": read_csv}


@pytest.mark.parametrize("name", sorted(FORMATS))
@given(rows=tables)
@settings(max_examples=200, deadline=None)
def test_every_value_comes_back_as_it_was(name, rows):
    assert READERS[name](FORMATS[name].encode(rows)) == rows


@pytest.mark.parametrize("name", sorted(FORMATS))
def test_a_chunk_with_marker_bytes_is_written_like_the_same_rows_alone(name):
    rows = [(b"\x1d", None, b"a"), (b"plain", b"", b"\x1e\x1f"), (None, None, None)]
    assert FORMATS[name].encode(rows) == b"".join(FORMATS[name].encode([row]) for row in rows)


def test_null_empty_and_its_spellings_stay_four_things_in_tsv():
    assert FORMATS["tsv"].encode([(None, b"", b"NULL", b"\\N")]) == b"\\N\t\tNULL\t\\\\\\N\n"


@pytest.mark.parametrize("other", [None, b"", b"a\\N", b"\\\\N", b"\x1f", b"\t\\N"])
def test_the_text_that_looks_like_null_never_stands_in_a_field_as_redshift_reads_null(other):
    text = FORMATS["tsv"].encode([(b"\\N", other), (other, b"\\N")])
    fields = re.findall(rb"((?:[^\\\t\n]|\\[\s\S])*)[\t\n]", text)
    assert [field == rb"\N" for field in fields] == [False, other is None, other is None, False]
    assert rb"\\N" not in fields
    values = [re.sub(rb"\\([\s\S])", rb"\1", field) for field in fields]
    assert values[0] == values[3] == b"\\N"
    assert values[1] == values[2] == (b"N" if other is None else other)


def test_what_postgres_sends_is_read_by_redshift_as_it_was_meant():
    rows = [[b"\\N", None, b"\t\\N"], [None, b"\\N", b"\\\\N"], [b"\x1d", b"\\N", b"\\N"]]
    for some in (rows, rows[:2]):
        sent = b"".join(b"\t".join(rb"\N" if v is None else _sent(v) for v in row) + b"\n" for row in some)
        assert for_redshift(sent).replace(b"\\\t\\\\\\N", b"\\\t\\\\N") == FORMATS["tsv"].encode(some)


def _sent(value):
    return value.replace(b"\\", b"\\\\").replace(b"\t", rb"\t").replace(b"\n", rb"\n")


def test_null_empty_and_its_spellings_stay_four_things_in_csv():
    assert FORMATS["csv"].encode([(None, b"", b"NULL", b"\\N")]) == b'\\N,"","NULL","\\N"\n'


def test_csv_without_nulls_is_what_the_standard_reader_reads():
    rows = [(b"a,b", b'say "hi"', b"two\nlines"), (b"", b"x", b"\r")]
    text = FORMATS["csv"].encode(rows).decode()
    assert [tuple(v.encode() for v in row) for row in csv.reader(io.StringIO(text, newline=""))] == rows
