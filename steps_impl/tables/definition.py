"""Where a step's definition of a table or of views comes from: a file, an object in S3, or the text itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from core.errors import DefinitionError, NotFound
from steps_impl.tables.model import Table, View
from steps_impl.tables.parser import parse_definitions, parse_table
from stores.s3 import S3Store

#: Bytes of the largest definition that is read.
_LIMIT = 1 << 20
_STATEMENT = re.compile(r"\s*(?:create\s|--|/\*)", re.IGNORECASE)

T = TypeVar("T")


def read_definition(source: str, store: S3Store) -> Table:
    """Return the table that ``source`` defines.

    Raises:
        NotFound: no such file or object.
        DefinitionError: not understood, or no table that a step could fill; the message names file, line and column.
    """
    text, name = _text(source, store)
    table = _parsed(text, name, parse_table)
    if table.temporary or table.name.name.startswith("#"):
        raise DefinitionError(f"{name}: {table.name} is a temporary table, which would be gone when the step ends")
    if table.likes:
        raise DefinitionError(f"{name}: LIKE {table.likes[0].table} does not say what the columns are; write them out")
    return table


def read_views(source: str, store: S3Store) -> tuple[View, ...]:
    """Return the views that ``source`` defines, in its order. Raises as ``read_definition``; also for a table."""
    text, name = _text(source, store)
    found = _parsed(text, name, parse_definitions)
    views = tuple(item for item in found if isinstance(item, View))
    if others := [item for item in found if isinstance(item, Table)]:
        raise DefinitionError(f"{name}: {others[0].name} is a table, and no view")
    return views


def _parsed(text: str, name: str, parse: Callable[[str], T]) -> T:
    try:
        return parse(text)
    except DefinitionError as error:
        raise DefinitionError(f"{name}: {error}") from None


def _text(source: str, store: S3Store) -> tuple[str, str]:
    if source.startswith(("s3://", "s3n://", "s3a://")):
        return _decoded(store.get_bytes(source, _LIMIT), source), source
    # Only a text has columns; a file name with a parenthesis would have to be quoted everywhere.
    if "(" in source or _STATEMENT.match(source):
        return source, "definition"
    try:
        return _decoded(Path(source).expanduser().read_bytes(), source), source
    except OSError as error:
        raise NotFound(f"cannot read the definition {source}: {error.strerror}") from None


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DefinitionError(f"{name} is not UTF-8 text") from None
