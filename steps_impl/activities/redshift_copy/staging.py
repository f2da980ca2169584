"""What fills the staging table: COPY from S3 or DynamoDB, or the rows of another table of the same warehouse."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from core.errors import AccessDenied, SchemaMismatch
from steps_impl.activities.objects.formats import CsvFormat, DataFormat
from steps_impl.activities.objects.nodes import DynamoDBDataNode, RedshiftDataNode, S3DataNode
from steps_impl.activities.redshift_copy import statements
from steps_impl.activities.redshift_copy.authorization import authorization, region_clause, region_of
from steps_impl.activities.redshift_copy.command_options import CommandOptions
from steps_impl.activities.redshift_copy.dialect import Dialect, look
from steps_impl.activities.redshift_copy.formats import copy_parameters, separator_of
from steps_impl.activities.redshift_copy.names import table_of
from steps_impl.activities.redshift_copy.places import Place, open_place
from steps_impl.activities.redshift_copy.target import Target, demand_source
from steps_impl.activities.redshift_copy.warehouse import Warehouse
from steps_impl.load.staging import run_copy
from stores.redshift import Session, Statement
from stores.s3 import S3Store
from stores.s3.location import S3Location, parse_uri


@dataclass(frozen=True)
class Arrived:
    """Rows in the staging table, and lines that COPY was allowed to leave out."""

    rows: int
    rejected: int = 0
    #: Lines in which invalid characters were replaced; ``None``: not counted.
    replaced: int | None = None


#: Makes ``staging`` in a session for a target and fills it; returns what arrived.
Fill = Callable[[Session, Target], Arrived]


def chosen_format(stated: DataFormat | None, options: CommandOptions, warehouse: Warehouse) -> DataFormat | None:
    """Return the format of files: the node's; without it and without options the default; else the options say it."""
    if stated is not None:
        if options.for_copy or options.for_unload:
            sys.stderr.write("ductrunner: commandOptions are ignored: a data node has a data format (as AWS does)\n")
        return stated
    if options.for_copy or options.for_unload or warehouse.settings.default_format == "redshift":
        return None
    return CsvFormat()


@contextmanager
def from_s3(
    node: S3DataNode, options: CommandOptions, warehouse: Warehouse, store: S3Store, workspace: S3Location | None
) -> Iterator[Fill]:
    """Hand out what loads the files of a node.

    Raises:
        NotFound: there are none.
        ParameterError: the format is not one that COPY reads.
    """
    data_format = chosen_format(node.data_format, options, warehouse)
    if data_format is not None:
        separator_of(data_format)
    with open_place(store, node, workspace) as place:
        text = options.for_copy
        if data_format is not None:
            text = copy_parameters(data_format, _dialect(data_format, node, place, warehouse, store))
        stated = CommandOptions() if data_format else options
        parameters = [
            text,
            "MANIFEST" if place.manifest and not stated.has("MANIFEST") else "",
            "GZIP" if node.compression == "gzip" and not stated.has("GZIP") else "",
            region_clause(stated, _region_of_data(store, place.address), _region(warehouse)),
        ]
        yield _copying(place.address, options, parameters, warehouse)


def from_dynamodb(node: DynamoDBDataNode, options: CommandOptions, warehouse: Warehouse) -> Fill:
    """Return what loads a DynamoDB table; it may take as much of the table's reads as the node says."""
    stated = options
    if node.data_format is not None:
        chosen_format(node.data_format, options, warehouse)
        stated = CommandOptions()
    ratio = "" if stated.has("READRATIO") else f"READRATIO {round(node.read_throughput_percent * 100)}"
    region = region_clause(stated, node.region_name or warehouse.identity.region, _region(warehouse))
    parameters = [stated.for_copy, ratio, region]
    return _copying(f"dynamodb://{node.table_name}", options, parameters, warehouse)


def from_table(node: RedshiftDataNode, *, transformed: bool) -> Fill:
    """Return what takes the rows of a table in the same database.

    The staging table has the columns of the source where ``transformSql`` follows, else those of the target, by name.
    """

    def fill(session: Session, target: Target) -> Arrived:
        source = demand_source(session, table_of(node))
        columns = source.columns if transformed else shared_columns(source, target)
        for statement in statements.create_staging(source if transformed else target):
            session.execute(statement)
        return Arrived(session.execute(statements.fill(source, columns)))

    return fill


def shared_columns(source: Target, target: Target) -> tuple[str, ...]:
    """Return the target's columns, all of which the source must have.

    Raises:
        SchemaMismatch: it has not.
    """
    if missing := [column for column in target.columns if column not in source.columns]:
        raise SchemaMismatch(
            f"{source.name} has no column {missing[0]!r}, which {target.name} has; name the columns with transformSql"
        )
    return target.columns


def _copying(address: str, options: CommandOptions, parameters: Sequence[str], warehouse: Warehouse) -> Fill:
    def fill(session: Session, target: Target) -> Arrived:
        for statement in statements.create_staging(target):
            session.execute(statement)
        who = authorization(options, warehouse.role, warehouse.identity)
        return load(session, statements.copy(address, who, parameters), warehouse)

    return fill


def load(session: Session, statement: Statement, warehouse: Warehouse) -> Arrived:
    """Run a COPY and tell what arrived.

    Raises:
        LoadRejected: names file, line and column of what could not be loaded.
    """
    done = run_copy(session, statement, warehouse.open)
    lenient = "MAXERROR" in statement.text.upper() or "IGNOREALLERRORS" in statement.text.upper()
    refused = done.refused() if lenient else None
    if refused and refused.rejected:
        sys.stderr.write(f"ductrunner: COPY left out {refused.rejected} line(s): {refused}\n")
    return Arrived(done.rows, refused.rejected if refused else 0)


def _dialect(data_format: DataFormat, node: S3DataNode, place: Place, warehouse: Warehouse, store: S3Store) -> Dialect:
    """Return how the files are written: as the settings say of CSV, else as they show."""
    quotes = isinstance(data_format, CsvFormat) and not data_format.escape_char
    if quotes and warehouse.settings.csv != "look":
        return Dialect(quoted=warehouse.settings.csv == "quoted", escapes=warehouse.settings.csv == "escaped")
    warehouse.context.reporter.progress("look at the files")
    gzip, separator = node.compression == "gzip", separator_of(data_format)
    try:
        return look(store, place.files, separator, quotes=quotes, gzip=gzip, cancelled=warehouse.cancelled)
    except AccessDenied as error:
        sys.stderr.write(f"ductrunner: {error}; the files are taken for the usual form of {data_format.type}\n")
        return Dialect()


def _region(warehouse: Warehouse) -> str:
    return region_of(warehouse.server.host, warehouse.region, warehouse.identity.region)


def _region_of_data(store: S3Store, address: str) -> str:
    return store.region(parse_uri(address).bucket)
