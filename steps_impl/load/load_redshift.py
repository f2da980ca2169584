"""The step ``load-redshift``: files in S3 into a Redshift table that is there, by insert mode.

The modes and the loading are those of RedshiftCopyActivity, which Dataduct's step of this name compiles to: COPY into a
temporary table, then the exchange of the rows as one transaction. The columns are read from the catalog.

APPEND adds the rows once for each load: a load is one instance of a pipeline, or what ``--load-id`` names. What was
loaded is kept in a table beside the target, in the transaction of the load itself, so that a second run adds nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from core.errors import DefinitionError, ParameterError
from core.sections.databases import RedshiftSettings
from core.settings import Settings, load_settings
from steps_impl.activities.redshift_copy import statements
from steps_impl.activities.redshift_copy.exchange import InsertMode
from steps_impl.activities.redshift_copy.loading import Load
from steps_impl.activities.redshift_copy.records import Attempt, attempt_of
from steps_impl.activities.redshift_copy.staging import Arrived
from steps_impl.activities.redshift_copy.target import Target
from steps_impl.activities.redshift_copy.warehouse import Warehouse
from steps_impl.contract import StepContext, StepResult
from steps_impl.load.copy_options import CopyTarget
from steps_impl.load.counts import arrival_report, demand
from steps_impl.load.digits import check_digits
from steps_impl.load.manifest import LoadInput, open_input
from steps_impl.load.parameters import CopyParameters
from steps_impl.load.present_table import columns_of_files, present_table, wanted_table
from steps_impl.load.staging import Loader
from steps_impl.registry import Step
from steps_impl.tables.model import TableName
from steps_impl.tables.reader import TokenReader
from steps_impl.tables.tokens import Kind
from steps_impl.warehouse.maintenance import Maintenance, MaintenanceParameters
from steps_impl.warehouse.target import settle, warehouse_of, workspace_of
from stores.identity import Identity
from stores.redshift import Session
from stores.s3 import S3Store

_WORDS = {None: None, "none": "", "gzip": "GZIP", "bzip2": "BZIP2", "lzop": "LZOP", "lzo": "LZOP", "zstd": "ZSTD"}


def _one_table(text: str) -> str:
    try:
        reader = TokenReader(text)
        reader.table_name()
    except DefinitionError as error:
        raise ValueError(str(error)) from None
    if reader.token.kind is not Kind.END:
        raise ValueError("takes one table, written table or schema.table")
    return text


def _in_capitals(value: Any) -> Any:
    return value.strip().upper() if isinstance(value, str) else value


class LoadRedshiftParameters(MaintenanceParameters, CopyParameters):
    """Parameters of ``load-redshift``."""

    table: Annotated[str, AfterValidator(_one_table)] = Field(description="the table, which has to be there")
    schema_name: Annotated[str, AfterValidator(_one_table)] | None = Field(
        default=None, alias="schema", description="its schema; may be part of --table; default: public"
    )
    input: tuple[str, ...] = Field(
        min_length=1, description="what to load: a manifest, a directory or a file in S3; several are loaded together"
    )
    insert_mode: Annotated[InsertMode, BeforeValidator(_in_capitals)] = Field(
        default="TRUNCATE",
        description="TRUNCATE: the table holds these rows only; APPEND: they are added, once for each load; "
        "KEEP_EXISTING: rows with a new key are added; OVERWRITE_EXISTING: rows with the same key are replaced",
    )
    keys: tuple[str, ...] = Field(
        default=(),
        description="columns that rows are matched by; default: the table's primary key, else its other keys",
    )
    load_id: str | None = Field(
        default=None,
        min_length=1,
        max_length=1024,
        description="APPEND: names the load, which is done once; default: the instance of the pipeline",
    )
    max_errors: int = Field(default=0, ge=0, le=100_000, description="rows that may be refused before the load fails")
    compression: Literal["gzip", "bzip2", "lzop", "lzo", "zstd", "none"] | None = Field(
        default=None, description="of the files; default: told by their names"
    )

    @property
    def told_compression(self) -> str | None:
        """See ``CopyParameters``."""
        return _WORDS[self.compression]

    @property
    def refusable(self) -> int:
        """See ``CopyParameters``."""
        return self.max_errors

    @property
    def target(self) -> TableName:
        """The table, with its schema.

        Raises:
            ParameterError: two schemas are named.
        """
        name = TokenReader(self.table).table_name()
        schema = TokenReader(self.schema_name).table_name() if self.schema_name else None
        if schema and (schema.schema or name.schema not in (None, schema.name)):
            raise ParameterError(f"--schema: {self.schema_name} does not go with --table {self.table}; name one schema")
        return TableName(name.name, name.schema or (schema.name if schema else "public"))


@dataclass(frozen=True)
class _Filling:
    """Fills the staging table of one load from its files."""

    parameters: LoadRedshiftParameters
    source: LoadInput
    loader: Loader
    altered: list[str] = field(default_factory=list)
    #: Columns GENERATED BY DEFAULT AS IDENTITY that the files do not hold.
    generated: list[str] = field(default_factory=list)

    def prepare(self, session: Session, name: TableName) -> None:
        """Look at the table, and change it where the policy on drift says so."""
        policy = self.parameters.drift_policy
        wanted = wanted_table(present_table(session, name), self.source, policy)
        held = columns_of_files(wanted, self._named, policy)
        self.generated[:] = [
            column.name
            for column in wanted.columns
            if column.identity and column.identity.by_default and column.name not in held
        ]
        self.altered.extend(settle(session, wanted, policy).altered)  # another attempt finds nothing left to change

    def fill(self, session: Session, target: Target) -> Arrived:
        """Make ``staging`` and load it."""
        table = present_table(session, target.name)
        columns = columns_of_files(table, self._named, self.parameters.drift_policy)
        check_digits(table, columns, self.source, self.loader.options)
        for statement in statements.create_staging(target):
            session.execute(statement)
        loaded = self.loader.load(session, CopyTarget(statements.STAGING, columns))
        demand(arrival_report(target.name, self.source, loaded))
        return Arrived(loaded.rows, loaded.rejected, loaded.replaced)

    @property
    def _named(self) -> tuple[str, ...] | None:
        return self.parameters.columns or self.source.columns


def run(parameters: LoadRedshiftParameters, context: StepContext) -> StepResult:
    """Load the files and return what was done, in rows."""
    settings = load_settings(environment=context.environment)
    redshift = warehouse_of(settings)
    store = S3Store(region=settings.etl.region)
    name, attempt = parameters.target, _attempt(parameters, context)
    with open_input(store, parameters.input, workspace_of(settings)) as source:
        loader = Loader(redshift, source, parameters.copy_options(source.format))
        filling = _Filling(parameters, source, loader)
        load = Load(
            name=name,
            mode=parameters.insert_mode,
            fill=filling.fill,
            warehouse=_warehouse(redshift, settings, parameters, context),
            keys=tuple(key.strip().lower() for key in parameters.keys),
            attempt=attempt,
            status=_loaded_for_good,
            prepare=filling.prepare,
            filled_there=lambda: tuple(filling.generated),
        )
        counts = load.run()
    maintained = Maintenance(parameters, settings, context, parameters.queue).after(name, counts["deleted"])
    details = {**counts, "files": len(source.files), "altered": filling.altered, **maintained}
    return StepResult(rows=counts["inserted"], bytes=source.bytes, details=details)


def _attempt(parameters: LoadRedshiftParameters, context: StepContext) -> Attempt | None:
    """Return by what an APPEND is known.

    Raises:
        ParameterError: nothing names it, so that a second run would add the rows again.
    """
    if parameters.insert_mode != "APPEND":
        return None
    found = Attempt("load-id", parameters.load_id) if parameters.load_id else attempt_of(context.environment)
    if found is None:
        raise ParameterError(
            "--load-id: APPEND outside of a pipeline's attempt needs a name for this load, for example the day of its "
            "data, so that a second run adds nothing"
        )
    return found


def _loaded_for_good(attempt: str) -> str:  # noqa: ARG001
    """A rerun of a load that was reported as done adds nothing either: run twice is run once."""
    return "LOADED"


def _warehouse(
    redshift: RedshiftSettings, settings: Settings, parameters: LoadRedshiftParameters, context: StepContext
) -> Warehouse:
    return Warehouse(
        server=redshift,
        region=settings.etl.region,
        queue=parameters.queue,
        role=redshift.iam_role,
        settings=settings.redshift_copy_activity,
        context=context,
        identity=Identity(),
    )


STEP = Step(
    name="load-redshift",
    summary="Load files from S3 into a Redshift table that is there: replace, append, keep or overwrite.",
    parameters=LoadRedshiftParameters,
    run=run,
)
