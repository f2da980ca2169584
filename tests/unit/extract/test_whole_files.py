from __future__ import annotations

import io
import json
import random
import threading
import tracemalloc
from contextlib import nullcontext

import pytest

from steps_impl.contract import StepContext
from steps_impl.extract.files.flow import FileExtract
from steps_impl.extract.files.parameters import FileParameters
from steps_impl.extract.files.source import Known, SourceFile
from steps_impl.formats import FORMATS, counting
from steps_impl.queries import limits_rows
from tests.phases import Silent


class Many:
    place, directory = "s3://bucket/in/", "s3://bucket/in/"

    def __init__(self, count):
        self.count = count

    def known(self):
        return Known()

    def files(self):
        for number in range(self.count):
            yield SourceFile(f"{number:07}", 10, f"s3://bucket/in/{number:07}", f'"{number:032x}"')

    def open(self, file):
        return nullcontext(io.BytesIO(b"x\n"))


def test_the_manifest_of_very_many_files_is_not_held_in_memory(tmp_path):
    parameters = FileParameters(output=str(tmp_path))
    extract = FileExtract(parameters, StepContext(Silent(), threading.Event(), {}), Many(20_000), copies=False)
    tracemalloc.start()
    extract.run()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    document = json.loads((tmp_path / "manifest").read_text())
    assert len(document["entries"]) == len(document["source"]["etags"]) == 20_000
    assert peak < 6 << 20


@pytest.mark.parametrize("form", ["tsv", "csv"])
@pytest.mark.parametrize("seed", range(5))
def test_rows_are_counted_as_they_were_written_wherever_the_blocks_end(form, seed, monkeypatch):
    chance = random.Random(seed)
    texts = ["", "a", "\\", "\\\\", "\n", "\r\n", '"', '""', "\t", "\\N", "x,y", None]
    rows = [[None if t is None else t.encode() for t in chance.choices(texts, k=3)] for _ in range(200)]
    text = FORMATS[form].encode(rows)
    for block in (1, 2, 7, 64, 1 << 20):
        monkeypatch.setattr(counting, "_BLOCK", block)
        assert counting.count_rows(io.BytesIO(text), form, lambda: None) == 200
        assert counting.count_rows(io.BytesIO(text + b"a\ta"), form, lambda: None) == 201


def test_lines_of_json_are_counted_without_the_blank_ones(monkeypatch):
    text = b'{"a":1}\n\n  \n{"b":"\\n"}\r\n{"c":2}'
    for block in (1, 3, 100):
        monkeypatch.setattr(counting, "_BLOCK", block)
        assert counting.count_rows(io.BytesIO(text), "json", lambda: None) == 3
    assert counting.count_rows(io.BytesIO(b""), "json", lambda: None) == 0


@pytest.mark.parametrize(
    ("query", "limited"),
    [
        ("SELECT a FROM t LIMIT 3", True),
        ("select top 10 * from t", True),
        ("SELECT * FROM (SELECT a FROM t LIMIT 3) x", False),
        ("SELECT 'limit 3', \"limit\" FROM t -- limit 3", False),
        ("SELECT a FROM t /* limit 1 */ WHERE unlimited = 1", False),
        ("SELECT a FROM t ORDER BY a OFFSET 5", True),
    ],
)
def test_a_limit_is_seen_outside_of_brackets_quotes_and_comments(query, limited):
    assert limits_rows(query) is limited
