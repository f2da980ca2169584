from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from core.errors import ParameterError
from core.sections.dataducts import EtlSettings
from steps_impl.quality.pages import Shown, document, page, write_report

MOMENT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
PASSED = Shown("count-check", "public.users", "passed", 0.5, 1.0, "%", "1000 rows", {"source_rows": 1000})
NASTY = Shown(
    '<script>alert("x")</script>', "a&b", "failed", None, 0.0, "%", "<b>", {"columns": {"<i>": 3}, "none": None}
)


class Tags(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[Any] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value for name, value in attrs if name in {"src", "href"}]


def test_the_page_escapes_everything_and_refers_to_nothing_elsewhere() -> None:
    parser = Tags()
    parser.feed(page([PASSED, NASTY], "df-<1>", MOMENT))
    assert "script" not in parser.tags
    assert "b" in parser.tags
    assert parser.links == []
    assert "alert(&quot;x&quot;)" in page([NASTY], "", MOMENT)


def test_the_page_says_the_worst_outcome_and_unknown_rates() -> None:
    text = page([PASSED, replace(NASTY, name="n")], "", MOMENT)
    assert "Data quality: failed" in text
    assert "not computable" in text
    assert "1 of 2 passed" in text


def test_a_warning_is_worse_than_a_pass_and_better_than_a_failure() -> None:
    warned = replace(PASSED, outcome="warning")
    assert json.loads(document([PASSED, warned], "df-1", MOMENT))["outcome"] == "warning"
    assert json.loads(document([warned, NASTY], "", MOMENT))["outcome"] == "failed"


@pytest.mark.parametrize(
    ("name", "expected"), [("r.html", ["r.html"]), ("r.JSON", ["r.JSON"]), ("r", ["r.html", "r.json"])]
)
def test_the_ending_chooses_the_form(tmp_path: Path, name: str, expected: list[str]) -> None:
    write_report(str(tmp_path / name), [PASSED], "", EtlSettings())
    assert sorted(path.name for path in tmp_path.iterdir()) == expected


def test_a_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"cannot write .*missing/r.html: No such file"):
        write_report(str(tmp_path / "missing" / "r.html"), [PASSED], "", EtlSettings())
