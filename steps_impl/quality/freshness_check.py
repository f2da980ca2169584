"""``freshness-check``: the newest value of a time column, or the last load, is not older than it may be.

The age is counted by the database's own clock, so that the worker's does not matter. A column without a time zone is
read in `--timezone`; a newest value that lies in the future by more than `--ahead` fails, since then clock or time
zone are wrong. A DATE counts from its beginning.
"""

from __future__ import annotations

from typing import Self
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator, model_validator

from core.errors import ParameterError
from core.periods import parse_period
from core.settings import load_settings
from steps_impl.contract import StepContext, StepResult
from steps_impl.quality.ages import Age, age_report, read_moment
from steps_impl.quality.engines import End
from steps_impl.quality.engines.end import text_of
from steps_impl.quality.engines.parameters import RelationParameters
from steps_impl.quality.report import conclude
from steps_impl.registry import Step
from steps_impl.tables.reader import TokenReader

_UTC = ZoneInfo("UTC")
#: MySQL's zero date, which is no value: it is the newest one only where there is no other.
_ZERO = "0000-00-00"
#: The clock of each engine, in UTC.
_CLOCKS = {
    "mysql": "UTC_TIMESTAMP(6)",
    "postgres": "clock_timestamp() AT TIME ZONE 'UTC'",
    "redshift": "GETDATE()",
}


class FreshnessParameters(RelationParameters):
    """What freshness-check is told; its tolerance is the age."""

    column: str | None = Field(default=None, description="the date or timestamp column")
    last_load: bool = Field(
        default=False, description="look at the end of the last COPY that names the table (redshift)"
    )
    max_age: str = Field(description="the age that still passes, a period such as '2 hours'")
    ahead: str = Field(default="5 minutes", description="how far the newest value may lie in the future")
    timezone: str = Field(default="UTC", description="zone of a column that has none, such as Europe/Berlin")

    @field_validator("max_age", "ahead")
    @classmethod
    def _period(cls, text: str) -> str:
        parse_period(text)
        return text

    @field_validator("timezone")
    @classmethod
    def _zone(cls, name: str) -> str:
        try:
            ZoneInfo(name)
        except (KeyError, ValueError, OSError):
            raise ValueError(f"{name!r} is no time zone; write one like Europe/Berlin") from None
        return name

    @model_validator(mode="after")
    def _one_subject(self) -> Self:
        if (self.column is None) != self.last_load:
            raise ValueError("give exactly one of --column and --last-load")
        if self.last_load and (self.host_name != "redshift" or not self.table):
            raise ValueError("--last-load needs --table of the host redshift, which keeps a history of loads")
        return self


def run(parameters: FreshnessParameters, context: StepContext) -> StepResult:
    """Look at the newest value and conclude as the parameters say.

    Raises:
        ParameterError: the column is no date or time.
        CheckFailed: it is too old, missing or in the future, and the step is to fail.
        StoreError: the host refuses or cannot be reached.
    """
    settings = load_settings(environment=context.environment)
    with parameters.opened(settings, context) as (end, relation):
        age = _last_load(end, parameters) if parameters.last_load else _newest(end, relation, parameters)
    limit, ahead = parse_period(parameters.max_age), parse_period(parameters.ahead)
    report = age_report(parameters.place, parameters.column or "load", age, limit, ahead)
    return conclude(report, parameters, settings, context)


def _newest(end: End, relation: str, parameters: FreshnessParameters) -> Age:
    name = parameters.column or ""
    column = next((column for column in end.columns(relation) if column.name.lower() == name.lower()), None)
    if column is None:
        raise ParameterError(f"--column: there is no {name} in {parameters.table or 'the query'}")
    if column.kind not in {"date", "timestamp", "timestamptz"}:
        raise ParameterError(f"--column: {name} is {column.type}; name a date or timestamp column")
    newest = f"MAX({end.quote(column.name)})"
    zoned = column.kind == "timestamptz"
    if zoned and end.engine != "mysql":
        newest = f"{newest} AT TIME ZONE 'UTC'"
    zone = _UTC if zoned else ZoneInfo(parameters.timezone)
    return _age(end, f"SELECT {_text(end, _CLOCKS[end.engine])}, {_text(end, newest)} FROM {relation}", zone)


def _last_load(end: End, parameters: FreshnessParameters) -> Age:
    """Return the age of the last COPY; the history knows the table's name and not its schema."""
    table = TokenReader(end.table(parameters.table or "")).table_name().name
    named = f"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relname = {_literal(table)}"
    schemas = end.rows(f"SELECT n.nspname {named} AND c.relkind IN ('r', 'p') AND n.nspname NOT LIKE 'pg_%'")
    if len(schemas) != 1:
        there = ", ".join(sorted(str(text_of(schema)) for (schema,) in schemas)) or "no schema"
        raise ParameterError(f"--last-load: {table} is in {there}; the history tells one table by its name alone")
    newest = _text(end, "MAX(end_time)")
    done = f"status = 'completed' AND table_name = {_literal(table)} AND database_name = current_database()"
    return _age(end, f"SELECT {_text(end, _CLOCKS['redshift'])}, {newest} FROM sys_load_history WHERE {done}", _UTC)


def _age(end: End, query: str, zone: ZoneInfo) -> Age:
    now, newest = (text_of(value) for value in end.rows(query)[0])
    if not newest or newest.startswith(_ZERO):
        return Age(None, read_moment(str(now), _UTC))
    return Age(read_moment(newest, zone), read_moment(str(now), _UTC))


def _text(end: End, expression: str) -> str:
    return f"CAST({expression} AS {'CHAR' if end.engine == 'mysql' else 'VARCHAR(64)'})"


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


STEP = Step(
    name="freshness-check",
    summary="Check that the newest value of a time column, or the last load, is not too old, on any host.",
    parameters=FreshnessParameters,
    run=run,
)
