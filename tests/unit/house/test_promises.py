"""The table of steps and promises has every step, and names tests that are there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from steps_impl.registry import MODULES

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "reference" / "promises.md"
ROWS = [
    line.strip("| ").split(" | ") for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")
]
LINKS = re.findall(r"\[([^\]]+)\]\(\.\./\.\./(tests/[^)]+\.py)\)", PAGE.read_text(encoding="utf-8"))


def test_every_step_has_one_row_with_all_its_promises() -> None:
    rows = {row[0]: row[1:] for row in ROWS[1:]}
    assert len(rows) == len(ROWS) - 1
    assert {name for name in rows if not name.endswith("(a command)")} == set(MODULES)
    assert {name: cells for name, cells in rows.items() if len(cells) != 4 or not all(map(str.strip, cells))} == {}


@pytest.mark.parametrize("path", sorted({path for _, path in LINKS}))
def test_the_tests_that_it_names_are_there(path: str) -> None:
    text = (ROOT / path).read_text(encoding="utf-8")
    named = ["test_" + sentence.replace(" ", "_") for sentence, file in LINKS if file == path]
    assert [name for name in named if f"def {name}(" not in text] == []
