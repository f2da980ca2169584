r"""The UNLOAD of an extract, as a pure function of what is unloaded how.

Source: Redshift Developer Guide, *UNLOAD*. NULL is written as ``\N`` in tsv and csv: UNLOAD's own default, no text at
all, is also how it writes an empty one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from steps_impl.activities.redshift_copy.formats import NULL_CLAUSE
from steps_impl.activities.redshift_copy.statements import unload
from steps_impl.queries import bare_query, limits_rows
from steps_impl.tables.model import TableName, literal
from stores.redshift import Statement

UnloadFormat = Literal["tsv", "csv", "json", "parquet"]
UnloadCompression = Literal["none", "gzip", "bzip2", "zstd"]
_FORMATS: dict[UnloadFormat, str] = {
    "tsv": rf"DELIMITER '\t' ESCAPE {NULL_CLAUSE}",
    "csv": f"FORMAT AS CSV {NULL_CLAUSE}",
    "json": "FORMAT AS JSON",
    "parquet": "FORMAT AS PARQUET",
}


@dataclass(frozen=True)
class UnloadForm:
    """How the files look."""

    format: UnloadFormat = "tsv"
    compression: UnloadCompression = "none"
    header: bool = False
    parallel: bool = True
    #: Megabytes of a file at most.
    max_file_size: int | None = None

    def clauses(self) -> Iterator[str]:
        """Yield the options of UNLOAD."""
        yield _FORMATS[self.format]
        if self.compression != "none":
            yield self.compression.upper()
        if self.header:
            yield "HEADER"
        yield "MANIFEST VERBOSE"
        yield f"PARALLEL {'ON' if self.parallel else 'OFF'}"
        if self.max_file_size is not None:
            yield f"MAXFILESIZE {self.max_file_size} MB"


def table_query(table: TableName) -> str:
    """Return the query for the rows of a table."""
    return f"SELECT * FROM {table.sql}"


def given_query(text: str) -> str:
    """Return a user's query as UNLOAD takes it: in brackets where it limits its rows."""
    query = bare_query(text, "postgres")
    return f"SELECT * FROM (\n{query}\n) AS unloaded_rows" if limits_rows(query) else query


def unload_statement(
    query: str, prefix: str, role: str, form: UnloadForm, *, region: str | None, escapes: bool
) -> Statement:
    """Return the UNLOAD of a query to files whose names begin with ``prefix``.

    ``region`` is that of the bucket where it is another one than the warehouse's; ``escapes`` says that the warehouse
    reads a backslash in a literal as an escape, so that one that is meant has to be doubled.
    """
    who = "IAM_ROLE default" if role == "default" else f"IAM_ROLE {literal(role)}"
    text = query.replace("\\", "\\\\") if escapes else query
    return unload(text, prefix, who, [*form.clauses(), f"REGION {literal(region)}" if region else ""])
