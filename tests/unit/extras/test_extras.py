from __future__ import annotations

import sys

import pytest

from core.errors import MissingExtra
from core.extras import optional


def test_an_optional_library_is_imported_when_it_is_there() -> None:
    assert optional("pyarrow.parquet").__name__ == "pyarrow.parquet"


def test_a_missing_library_is_told_with_the_extra_that_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fastavro", None)
    with pytest.raises(MissingExtra, match=r"fastavro is not installed here; install ductrunner\[arrow\]"):
        optional("fastavro")
