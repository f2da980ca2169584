"""Records of files: what the regular expression passes on means to Postgres what Redshift's rules say."""

from __future__ import annotations

import csv
import io
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.redshift.copy.columns import Column
from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.copy.records import Layout, postgres_null
from sandbox.redshift.copy.rows import BadRecord, RowReader

COLUMNS = [
    Column("n", "int4", 0, 0, not_null=True),
    Column("s", "varchar", 4, 0, not_null=False),
    Column("d", "numeric", 5, 2, not_null=False),
    Column("c", "bpchar", 3, 0, not_null=False),
]
_PIECES = [
    "1",
    "7",
    "-",
    ".",
    "a",
    "n",
    "N",
    "é",
    "€",
    "|",
    "\\",
    "\\N",
    '"',
    "\n",
    "\r",
    " ",
    "2.345",
    "1|a|1.5|b",
    "x",
]
_NOISE = st.lists(st.sampled_from(_PIECES), max_size=16).map("".join)
_TEXTS = st.lists(
    st.sampled_from(["a", "n", "N", "é", "€", "\\", "\\n", "\\N", "\\|", "\\\n", '"', " "]), max_size=4
).map("".join)
_NUMBERS = st.sampled_from(["1", "-7.5", "1.99", "1.999", "1000", "\\N", "", ".5", "1e1"])
_RECORDS = st.tuples(st.sampled_from(["1", "22", "\\N", "x"]), _TEXTS, _NUMBERS, _TEXTS).map("|".join)
#: Mostly records that nearly are plain, and some bytes that are nothing.
FILES = st.lists(_RECORDS | _RECORDS | _NOISE, min_size=1, max_size=4).map("\n".join)
_CONTROLS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}


def reader(copy, *, csv_lines=False):
    return RowReader(copy, COLUMNS, lambda column: None, csv=csv_lines)


def as_postgres_reads(line, null):
    """Take a line of COPY text apart as Postgres' manual says."""

    def resolve(match):
        word = match[1]
        if word[0] == "x" and len(word) > 1:
            return chr(int(word[1:], 16))
        return _CONTROLS.get(word, word)

    fields = re.findall(r"((?:[^|\\]|\\.)*)(?:\||\Z)", line, re.DOTALL)[: line_fields(line)]
    return [None if f == null else re.sub(r"\\(x[0-9a-fA-F]{1,2}|.)", resolve, f, flags=re.DOTALL) for f in fields]


def line_fields(line):
    return len(re.sub(r"\\.", "", line, flags=re.DOTALL).split("|"))


def equal(plain, careful):
    """Compare values as the column holds them; a number may be written in two ways."""
    return [value if index != 2 or value is None else float(value) for index, value in enumerate(plain)] == [
        value if index != 2 or value is None else float(value) for index, value in enumerate(careful)
    ]


@pytest.mark.parametrize("escape", [True, False])
@pytest.mark.parametrize("null_as", [b"\\N", b"", b"N"])
@settings(max_examples=200, deadline=None)
@given(text=FILES)
def test_plain_records_mean_the_same_to_postgres(escape, null_as, text):
    copy = CopyCommand(delimiter=b"|", escape=escape, null_as=null_as)
    layout, data, position = Layout(copy, COLUMNS), (text + "\n").encode(), 0
    until = layout.plain_until(data, 0)
    while position < until:
        end = layout.record_end(data, position)
        record = data[position : end - 1]
        sent = record if escape else record.replace(b"\\", b"\\\\")
        values = as_postgres_reads(sent.decode(), postgres_null(copy).decode())
        assert equal(values, reader(copy).read(record))
        position = end
    assert position == until


@settings(max_examples=200, deadline=None)
@given(text=FILES)
def test_plain_records_of_csv_mean_the_same(text):
    copy = CopyCommand(delimiter=b"|", csv=True)
    layout, data = Layout(copy, COLUMNS), (text + "\n").encode()
    until = layout.plain_until(data, 0)
    rows = list(csv.reader(io.StringIO(data[:until].decode(), newline=""), delimiter="|", strict=True))
    position = 0
    for row in rows:
        end = layout.record_end(data, position)
        careful = reader(copy).read(data[position : end - 1])
        nulls = [value is None for value in careful]
        assert equal([None if null else value for value, null in zip(row, nulls, strict=True)], careful)
        position = end
    assert position == until


@settings(max_examples=300, deadline=None)
@given(st.lists(st.none() | st.text(alphabet='aN|\\\n\r\t\v\b"é', max_size=5), min_size=4, max_size=4))
def test_what_is_written_reads_back_as_it_was(values):
    copy = CopyCommand(delimiter=b"|", escape=True)
    line = reader(copy).write(values).decode()
    assert as_postgres_reads(line, "\\N") == values


@settings(max_examples=200, deadline=None)
@given(text=FILES, escape=st.booleans())
def test_blocks_end_where_a_record_ends(text, escape):
    copy = CopyCommand(delimiter=b"|", escape=escape, csv=not escape)
    layout, data, position = Layout(copy, COLUMNS), text.encode(), 0
    last = layout.last_end(data)
    while (end := layout.record_end(data, position)) >= 0:
        position = end
    assert last == position


@pytest.mark.parametrize(
    ("record", "code"),
    [(b"1|a|1", 1214), (b"1|a|1|b|x", 1202), (b"|a|1|b", 1213), (b"1|abcde|1|b", 1204), (b"1|a\xff|1|b", 1220)],
)
def test_bad_records_have_the_code_of_their_fault(record, code):
    with pytest.raises(BadRecord) as caught:
        reader(CopyCommand(delimiter=b"|")).read(record)
    assert caught.value.value.code == code
