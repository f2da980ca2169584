from __future__ import annotations

import inspect
import re

from core import errors
from core.errors import DuctrunnerError

CLASSES = [item for _, item in inspect.getmembers(errors, inspect.isclass) if issubclass(item, DuctrunnerError)]


def drawn() -> dict[str, str | None]:
    """Return class → parent as the docstring draws them."""
    parents: dict[str, str | None] = {}
    path: list[str] = []
    for line in (errors.__doc__ or "").splitlines():
        match = re.match(r"\s{4}((?:[│ ] {3})*)(?:[├└]── )?([A-Z]\w+)\s", line)
        if match:
            depth = len(match[1]) // 4 + (1 if "── " in line else 0)
            path[depth:] = [match[2]]
            parents[match[2]] = path[depth - 1] if depth else None
    return parents


def test_the_docstring_draws_the_tree_that_the_code_builds() -> None:
    built = {item.__name__: item.__base__.__name__ if item is not DuctrunnerError else None for item in CLASSES}
    assert drawn() == built


def test_every_error_has_an_id_of_its_own_that_the_service_takes() -> None:
    ids = [item.error_id for item in CLASSES]
    assert len(set(ids)) == len(ids)
    assert not [error_id for error_id in ids if error_id.startswith("Service_") or len(error_id) > 1024]
