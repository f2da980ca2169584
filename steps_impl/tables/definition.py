"""Where a step's ``--table-definition`` comes from: a file, an object in S3, or the text itself."""

from __future__ import annotations

from pathlib import Path

from core.errors import DefinitionError, NotFound
from steps_impl.tables.model import Table
from steps_impl.tables.parser import parse_table
from stores.s3 import S3Store

#: Bytes of the largest definition that is read.
_LIMIT = 1 << 20


def read_definition(source: str, store: S3Store) -> Table:
    """Return the table that ``source`` defines.

    Raises:
        NotFound: no such file or object.
        DefinitionError: not understood; the message names file, line and column.
    """
    text, name = _text(source, store)
    try:
        table = parse_table(text)
    except DefinitionError as error:
        raise DefinitionError(f"{name}: {error}") from None
    if table.temporary:
        raise DefinitionError(f"{name}: {table.name} is a temporary table, which would be gone when the step ends")
    return table


def _text(source: str, store: S3Store) -> tuple[str, str]:
    if source.startswith(("s3://", "s3n://", "s3a://")):
        return _decoded(store.get_bytes(source, _LIMIT), source), source
    if "(" in source:  # only a text has columns; a file name with a parenthesis would have to be quoted everywhere
        return source, "table definition"
    try:
        return _decoded(Path(source).expanduser().read_bytes(), source), source
    except OSError as error:
        raise NotFound(f"cannot read the table definition {source}: {error.strerror}") from None


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise DefinitionError(f"{name} is not UTF-8 text") from None
