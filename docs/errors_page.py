"""The reference page of the errors, from the tree in ``core/errors.py``."""

from __future__ import annotations

from collections.abc import Iterator

from core.errors import DuctrunnerError

_HEAD = """# Errors

Made by `make docs` from `core/errors.py`. The id is what SetTaskStatus reports as `errorId`, what a step's result file
carries and what stands in its last line on stderr (`ductrunner: <id>: <message>`). Ids are stable.

| id | kind of | exit status | means |
|---|---|---|---|
"""


def page() -> str:
    """Return the page's text."""
    return _HEAD + "".join(
        f"| `{kind.error_id}` | {_parent(kind)} | {kind.exit_code} | {(kind.__doc__ or '').splitlines()[0]} |\n"
        for kind in _tree(DuctrunnerError)
    )


def _tree(kind: type[DuctrunnerError]) -> Iterator[type[DuctrunnerError]]:
    yield kind
    for child in kind.__subclasses__():
        if child.__module__ == DuctrunnerError.__module__:
            yield from _tree(child)


def _parent(kind: type[DuctrunnerError]) -> str:
    parent = kind.__base__
    return f"`{parent.error_id}`" if parent and issubclass(parent, DuctrunnerError) else ""
