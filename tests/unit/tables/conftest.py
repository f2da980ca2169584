"""Redshift SQL as an independent grammar sees it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlfluff.core import Linter

Oracle = Callable[[str], list[str]]


@pytest.fixture(scope="session")
def redshift_grammar() -> Oracle:
    """Return a function that gives the faults sqlfluff's Redshift dialect finds in a statement."""
    linter = Linter(dialect="redshift")

    def faults(statement: str) -> list[str]:
        parsed = linter.parse_string(statement + ";\n")
        broken = [str(fault) for fault in parsed.violations]
        tree = parsed.tree
        return broken + [segment.raw for segment in (tree.recursive_crawl("unparsable") if tree else ())]

    return faults
