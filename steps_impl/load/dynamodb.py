r"""``load-dynamodb``: files of items or rows into a DynamoDB table.

Each item is put whole: one that is there with the same key is replaced, of several in the files with one key the last
stays (in the order of the manifest, or of the files' names). So a second run leaves the same items as one. All files
are read once before the first item is put (``dynamodb.check_before_import``): one that cannot be read, has no key or
has not the rows of its manifest leaves the table as it was. A run that dies leaves some items; the next one puts all.

Formats: ``json`` (one plain object a line), ``dynamodb-json`` (``{"id": {"S": "x"}}`` a line, also as the export tools
and DynamoDB's own export to S3 write it), ``tsv`` and ``csv`` as extracts and UNLOAD write them (NULL is ``\N``). What
the manifest of an extract says of format and columns need not be said again. Compression is told by the files' names
(``.gz``, ``.bz2``, ``.zst``).

Types: ``--types '{"n": "N", "tags": "SS", "doc": "JSON"}'``; sets and documents in tsv and csv are JSON texts, B is
base64. What is not stated has the type of the table's key, else that of the JSON value, in tsv and csv S.
"""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from core.cancelling import on_cancel
from core.errors import ParameterError
from core.settings import load_settings
from steps_impl.activities.dynamodb.importing import BatchTarget, put_items
from steps_impl.contract import StepContext, StepResult
from steps_impl.extract.files.places import source_at
from steps_impl.load.items.reading import ItemFiles, ItemFormat
from steps_impl.load.items.typing import AttributeType, ItemForm, Nulls
from steps_impl.registry import Parameters, Step
from stores.dynamodb import DynamoDB, Table
from stores.s3 import S3Store

_INPUT_VARIABLE = "INPUT1_STAGING_DIR"


class LoadDynamoDbParameters(Parameters):
    """What is loaded, how it is read, and how fast it goes."""

    table: str = Field(min_length=1, description="name of the table")
    region: str | None = Field(default=None, description="region of the table; default: this machine's")
    input: tuple[str, ...] | None = Field(
        default=None,
        min_length=1,
        description="manifests, directories or files, in S3 or of this machine; default: $INPUT1_STAGING_DIR",
    )
    input_format: ItemFormat | None = Field(
        default=None, description="what the files hold; default: as their manifest says, else json"
    )
    columns: tuple[str, ...] | None = Field(
        default=None, min_length=1, description="tsv and csv: the attributes of the columns, in order"
    )
    header: bool = Field(default=False, description="tsv and csv: the first line of each file has the names")
    types: dict[str, AttributeType] = Field(default={}, description="types of attributes by their names")
    nulls: Nulls | None = Field(
        default=None, description="NULL: omit the attribute, or make it one of type NULL; default: omit, for json null"
    )
    write_ratio: float = Field(
        default=0.5, gt=0, le=1.5, description="share of the table's write capacity that is used at the most"
    )

    @model_validator(mode="after")
    def _named_once(self) -> Self:
        if self.columns is not None and len(set(self.columns)) < len(self.columns):
            raise ValueError("--columns names one twice")
        if self.input_format in ("json", "dynamodb-json") and (self.columns or self.header):
            raise ValueError("--columns and --header go with tsv and csv")
        return self


def run(parameters: LoadDynamoDbParameters, context: StepContext) -> StepResult:
    """Read the files, check them, put their items; return how many.

    Raises:
        ParameterError: no input is known, or nobody says what the columns are.
        UnsupportedValue, RecordMalformed: a file holds what is no item of the table; the message names file and line.
        NotFound: there is no such table, or there are no files.
        StoreError: DynamoDB or S3 failed, or the table took no more items for too long.
        InterruptedError: the step was cancelled.
    """
    settings = load_settings(environment=context.environment)
    store = S3Store(region=settings.etl.region)
    with DynamoDB(parameters.region) as database, on_cancel(context.cancelled, database.cancel):
        table = database.describe(parameters.table)
        files = _files(parameters, context, store, table)
        count = sum(files.count(source) for source in files.sources)
        target = BatchTarget(database, table, parameters.write_ratio, settings.dynamodb)
        return put_items(target, files.items, context).result(table=table.name, files=count)


def _files(parameters: LoadDynamoDbParameters, context: StepContext, store: S3Store, table: Table) -> ItemFiles:
    staged = context.environment.get(_INPUT_VARIABLE)
    places = parameters.input or ((staged,) if staged else ())
    if not places:
        raise ParameterError(f"--input: give files to load (${_INPUT_VARIABLE} is not set either)")
    sources = [source_at(store, place, context.cancelled) for place in places]
    forms = {parameters.input_format or source.known().format or "json" for source in sources}
    usual: Nulls = "null" if forms == {"json"} else "omit"
    form = ItemForm(table, parameters.types, parameters.nulls or usual)
    return ItemFiles(sources, form, parameters.input_format, parameters.columns, parameters.header, context.cancelled)


STEP = Step(
    name="load-dynamodb",
    summary="Put the items or rows of files into a DynamoDB table, at a share of its capacity.",
    parameters=LoadDynamoDbParameters,
    run=run,
)
