"""Parameters that ``upsert``, ``reload`` and ``delta-load`` have in common."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, field_validator, model_validator

from core.errors import DefinitionError
from steps_impl.load.parameters import LoadParameters
from steps_impl.quality.inside_parameters import InsideCheckParameters
from steps_impl.tables.reader import checked_table_name
from steps_impl.tables.tokens import statements_in, tokenize
from steps_impl.warehouse.maintenance import MaintenanceParameters

#: Words that end a condition when they stand outside of brackets.
_NO_CONDITION = frozenset({"GROUP", "HAVING", "ORDER", "LIMIT", "OFFSET", "UNION", "EXCEPT", "INTERSECT", "QUALIFY"})


class HistoryParameters(LoadParameters):
    """Whether a history is kept, and of what."""

    history: str | None = Field(
        default=None,
        description="keep the rows' former states too: the definition of the history table, which has the columns of "
        "the table, effective_ts and expiration_ts (a slowly changing dimension of type 2)",
    )
    history_ignore: tuple[str, ...] = Field(
        default=(), description="columns whose change alone makes no new version in the history"
    )


class MergeParameters(HistoryParameters, InsideCheckParameters, MaintenanceParameters):
    """Where the rows come from, which row of a key is taken and what is checked."""

    input: tuple[str, ...] = Field(
        default=(), description="source: a manifest, a directory or a file in S3; several are taken together"
    )
    source_table: str | None = Field(default=None, description="source: a table of the warehouse")
    source_sql: str | None = Field(default=None, description="source: a query in the warehouse")
    source_script: str | None = Field(
        default=None, description="source: a file, or s3://bucket/key, that holds one query"
    )
    filter_clause: str | None = Field(
        default=None,
        description="condition on the rows of a source in the warehouse, with or without WHERE before it; the source "
        "is called source in it",
    )
    keys: tuple[str, ...] = Field(
        default=(), description="columns that identify a row; default: the definition's primary key"
    )
    enforce_primary_key: bool = Field(
        default=True, description="take one row for each key; otherwise all, and the keys are not checked"
    )
    order_by: str | None = Field(
        default=None,
        description="which of several rows with one key wins: the first in this order, e.g. 'updated_at DESC, id'; "
        "NULL loses; ties, and everything by default: the greatest values of the other columns",
    )
    null_keys: Literal["fail", "match", "drop"] = Field(
        default="fail", description="rows with NULL in a key: refuse, take NULL as equal to NULL, or leave out"
    )
    stage_before_lock: bool = Field(
        default=False,
        description="stage the rows in a transaction before the one that locks the target, so that readers do not "
        "wait for a long load; after a conflict with another writer they are staged again",
    )
    check_keys: bool = Field(default=True, description="check that every key is in the target exactly once")

    @field_validator("keys", "history_ignore")
    @classmethod
    def _small_letters(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.strip().lower() for name in names)

    @field_validator("source_table")
    @classmethod
    def _one_name(cls, text: str | None) -> str | None:
        return None if text is None else checked_table_name(text)

    @field_validator("source_sql")
    @classmethod
    def _one_query(cls, text: str | None) -> str | None:
        try:
            if text is not None and statements_in(text) != 1:
                raise ValueError("takes one query")
        except DefinitionError as error:
            raise ValueError(str(error)) from None
        return text

    @field_validator("filter_clause")
    @classmethod
    def _one_condition(cls, text: str | None) -> str | None:
        return None if text is None else condition_of(text)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        sources = (self.input, self.source_table, self.source_sql, self.source_script)
        if sum(bool(source) for source in sources) != 1:
            raise ValueError("give exactly one of --input, --source-table, --source-sql and --source-script")
        if self.filter_clause and self.input:
            raise ValueError("--filter-clause needs a source in the warehouse; rows of files cannot be chosen")
        if self.history_ignore and not self.history:
            raise ValueError("--history-ignore needs --history")
        if self.history and not self.enforce_primary_key:
            raise ValueError("--history needs every key once; leave out --no-enforce-primary-key")
        return self


def condition_of(text: str) -> str:
    """Return a condition without its WHERE.

    Raises:
        ValueError: it is empty, not closed, or more than a condition.
    """
    try:
        tokens = tokenize(text)
    except DefinitionError as error:
        raise ValueError(str(error)) from None
    depth = 0
    for token in tokens:
        depth += (token.text == "(") - (token.text == ")")
        if token.text == ";" or depth < 0 or (depth == 0 and token.word in _NO_CONDITION):
            raise ValueError(f"{token.text} is no part of a condition; put it into --source-sql")
    first = tokens[0]
    rest = _after(text, first.line, first.column + len(first.text) - 1) if first.word == "WHERE" else text
    if depth or len(tokens) <= 1 + (first.word == "WHERE"):
        raise ValueError("takes one condition")
    return rest.strip()


def _after(text: str, line: int, column: int) -> str:
    """Return a text from a place on; lines count from 1."""
    lines = text.split("\n")[line - 1 :]
    return "\n".join([lines[0][column:], *lines[1:]])
