"""Every value comes back from every dialect, whichever way the reader and the writer take."""

from __future__ import annotations

import csv as library
import io
from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import ParameterError, RecordMalformed
from steps_impl.activities.copying.dialects import PLAIN_CSV, Dialect, csv, separated
from steps_impl.activities.copying.lines import Place, count, from_rows, to_rows
from steps_impl.activities.copying.reading import RecordReader
from steps_impl.activities.copying.tokens import Tokenizer
from steps_impl.activities.copying.writing import file_writer

DIALECTS = {
    "documented csv": csv("documented"),
    "plain csv": PLAIN_CSV,
    "plain csv with another text of NULL": replace(PLAIN_CSV, also_null=b"NULL"),
    "standard csv": csv("standard"),
    "csv with its own escape": csv("standard", "^"),
    "documented tsv": separated("documented"),
    "standard tsv": separated("standard"),
    "pipes": separated("documented", "|"),
    "control characters": separated("documented", "\x01", "\x02"),
    "tabs as ends": separated("documented", ",", "\t"),
    "lines as values": separated("standard", "\n", "\t"),
    "own escape": separated("documented", "\t", "\n", "!"),
}
MARK = b"\xef\xbb\xbf"  # of UTF-8, which the reader leaves out at a file's beginning, and only there
_PIECES = st.sampled_from([
    "", "a", "1", "n", "N", ",", "\t", "\n", "\r", "\r\n", '"', '""', "\\", "\\n", "\\N", "\\\\", "|", "^", "!", "\x00",
    "\x01", "\x02", "\x1a", "\x1c", "\x1d", "\x1e", "\x1f", "é", "\U0001f600", "NULL", " ", "\ufeff", "9" * 100,
])  # fmt: skip
VALUES = st.none() | st.lists(_PIECES, max_size=4).map(lambda parts: "".join(parts).encode())
TABLES = st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(VALUES, min_size=width, max_size=width), max_size=6))


def read(dialect: Dialect, data: bytes, size: int = 1 << 20) -> list[Sequence[bytes | None]]:
    blocks = [data[start : start + size] for start in range(0, len(data), size)]
    chunks = RecordReader(dialect, "file").chunks(blocks)
    return [row for chunk in chunks for row in to_rows(chunk.text)]


@given(rows=TABLES)
def test_rows_are_the_same_as_lines_and_back(rows: list[list[bytes | None]]) -> None:
    lines = from_rows(rows)

    assert [list(row) for row in to_rows(lines)] == rows
    assert count(lines) == len(rows)


@pytest.mark.parametrize("name", DIALECTS)
@given(rows=TABLES, size=st.integers(1, 40))
@settings(max_examples=150)
def test_every_value_comes_back_from_a_file_in_blocks_of_any_size(
    name: str, rows: list[list[bytes | None]], size: int
) -> None:
    data = MARK + file_writer(DIALECTS[name]).encode(from_rows(rows))

    assert [list(row) for row in read(DIALECTS[name], data, size)] == rows


@pytest.mark.parametrize("name", DIALECTS)
@given(data=st.lists(_PIECES, max_size=12).map(lambda parts: "".join(parts).encode()), size=st.integers(1, 20))
@settings(max_examples=200)
def test_the_quick_ways_read_what_the_exact_way_reads(name: str, data: bytes, size: int) -> None:
    dialect = DIALECTS[name]
    try:
        expected = Tokenizer(dialect).records(data, Place("file", 1, "line"), final=True)[0]
    except RecordMalformed:
        with pytest.raises(RecordMalformed):
            read(dialect, data, size)
    else:
        assert [list(row) for row in read(dialect, MARK + data, size)] == expected


@given(rows=TABLES)
def test_standard_csv_is_what_the_standard_library_reads(rows: list[list[bytes | None]]) -> None:
    data = file_writer(csv("standard")).encode(from_rows(rows))

    expected = [["\\N" if value is None else value.decode() for value in row] for row in rows]
    assert list(library.reader(io.StringIO(data.decode(), newline=""))) == expected


def test_the_documented_csv_is_awss_form() -> None:
    rows = [[b"a,b", b'say "hi"', b'"quoted"', None, b"", b"two\nlines", b"back\\slash"]]

    assert file_writer(csv("documented")).encode(from_rows(rows)) == (
        b'a\\,b,say "hi",\\"quoted",\\n,,two\\\nlines,back\\\\slash\n'
    )


def test_files_of_both_kinds_are_read_whatever_is_written() -> None:
    data = b'1,"a ""b"", c",\\n,\\N,"\\N",,\\,\r\n2,x"y,"multi\nline",,"",\\"q",z\n3,a,b,c,d,e,last'

    assert [list(row) for row in read(csv("documented"), data)] == [
        [b"1", b'a "b", c', None, None, b"\\N", b"", b","],
        [b"2", b'x"y', b"multi\nline", b"", b"", b'"q"', b"z"],
        [b"3", b"a", b"b", b"c", b"d", b"e", b"last"],
    ]


@given(rows=st.lists(st.tuples(VALUES.filter(lambda value: value is not None), VALUES), max_size=6))
def test_plain_csv_is_read_as_the_standard_library_writes_it(rows: list[tuple[bytes, bytes | None]]) -> None:
    text = io.StringIO(newline="")
    for key, value in rows:
        quoting = library.QUOTE_ALL if b"\\N" in (key, value) else library.QUOTE_MINIMAL
        library.writer(text, quoting=quoting).writerow([key.decode(), "" if value is None else value.decode()])
    expected = [[key, value or b""] for key, value in rows]
    assert [list(row) for row in read(PLAIN_CSV, MARK + text.getvalue().encode(), 7)] == expected


def test_a_backslash_in_plain_csv_is_text() -> None:
    data = rb'C:\new,a\,\N,"\N","x\",\n\,\\' + b"\r\n" + rb'1,"say ""C:\new""",\t,,,\NN,end'
    assert [list(row) for row in read(PLAIN_CSV, data, 3)] == [
        [b"C:\\new", b"a\\", None, b"\\N", b"x\\", b"\\n\\", b"\\\\"],
        [b"1", b'say "C:\\new"', b"\\t", b"", b"", b"\\NN", b"end"],
    ]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'a,b\nc,"never closed\n', "file, line 2, column 2: a quote is opened and not closed"),
        (b'a,b\n"x\ny",b\nc,"d"e\n', "file, line 4, column 2: there is text behind a closing quote"),
        (b"a,b\nc,d\\", "file, line 2, column 2: an escape character stands at the end of the file"),
    ],
)
def test_a_record_that_cannot_be_read_names_file_line_and_column(data: bytes, message: str) -> None:
    with pytest.raises(RecordMalformed) as caught:
        read(csv("documented"), data, 3)

    assert str(caught.value).startswith(message)


@pytest.mark.parametrize("text", ["||", "¦", "ab"])
def test_a_separator_of_more_than_one_character_is_refused_by_name(text: str) -> None:
    with pytest.raises(ParameterError, match="columnSeparator must be one ASCII character"):
        separated("documented", text)


@pytest.mark.parametrize(("text", "byte"), [("\\t", b"\t"), ("\\001", b"\x01"), ("\\u0001", b"\x01"), ("|", b"|")])
def test_notations_of_control_characters_are_understood(text: str, byte: bytes) -> None:
    assert separated("documented", text, "\\n", "!").separator == byte
