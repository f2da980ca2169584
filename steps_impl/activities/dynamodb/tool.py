"""``DynamoDbExport`` and ``DynamoDbImport``: the tools of AWS's jar that most definitions name, done by ourselves.

An EmrActivity's step names them by class, as in the template "Export DynamoDB table to S3"::

    s3://dynamodb-emr-us-east-1/emr-ddb-storage-handler/2.1.0/emr-ddb-2.1.0.jar,
    org.apache.hadoop.dynamodb.tools.DynamoDbExport,s3://bucket/folder,table,0.25

The jar is in a bucket of AWS for its own clusters. Our tools take the same arguments and write and read the same files:
one item a line, a ``manifest`` and ``_SUCCESS``. (Source: emr-dynamodb-connector, ``DynamoDBExport``,
``DynamoDBImport``.) The table is in the region that the jar's bucket is named for, else in this machine's.
"""

from __future__ import annotations

import re
import sys
import uuid
from collections.abc import Callable, Sequence

from core.cancelling import on_cancel
from core.errors import ParameterError
from core.settings import load_settings
from steps_impl.activities.dynamodb.directory import OutputDirectory, files_to_read
from steps_impl.activities.dynamodb.exporting import write_files
from steps_impl.activities.dynamodb.importing import BatchTarget, put_items, read_items
from steps_impl.activities.dynamodb.lines import json_line
from steps_impl.activities.dynamodb.shares import scan_of
from steps_impl.activities.dynamodb.tally import Tally
from steps_impl.contract import StepContext, StepResult
from stores.dynamodb import DynamoDB
from stores.s3 import S3Store, parse_uri

_PACKAGE = "org.apache.hadoop.dynamodb.tools."
_EXPORT_USAGE = "DynamoDbExport <s3 directory> <table> [<read ratio>] [<segments>]"
_IMPORT_USAGE = "DynamoDbImport <s3 directory> <table> [<write ratio>]"
_JAR_REGION = re.compile(r"s3[na]?://dynamodb-(?:emr|dpl)-([a-z0-9-]+)/")
#: The ratio of a step that gives none (``DEFAULT_THROUGHPUT_PERCENTAGE``).
_USUAL_RATIO = "0.5"
#: More than the whole is of use with bursts, and the tool takes it.
_MOST_RATIO = 1.5
#: Options of Hadoop's own (``GenericOptionsParser``) that are followed by a value of theirs.
_OPTIONS = ("-D", "-archives", "-conf", "-files", "-fs", "-jt", "-libjars")


def is_dynamodb_tool(main_class: str) -> bool:
    """Whether a class of a step is one of the tools; later versions spell them ``DynamoDBExport``."""
    return _tool(main_class) is not None


def run_dynamodb_tool(jar: str, main_class: str, arguments: Sequence[str], context: StepContext) -> StepResult:
    """Do what the tool ``main_class`` of ``jar`` would do with these arguments.

    An export that fails leaves the directory as it was. An import puts items one by one, and puts the same ones again
    when it is repeated.

    Raises:
        ParameterError: an argument is missing or wrong.
        UnsupportedValue: a line of an import is no item of the table; the message names file and line.
        StoreError: DynamoDB or S3 refused; the table or the directory is not there.
        InterruptedError: cancelled.
    """
    run = _tool(main_class)
    if run is None:
        raise ParameterError(f"{main_class!r} is not a tool for DynamoDB; known are: DynamoDbExport, DynamoDbImport")
    words, properties = _without_options([argument.strip() for argument in arguments])
    bucket = _JAR_REGION.match(jar)
    region = properties.pop("dynamodb.regionid", None) or properties.pop("dynamodb.region", None)
    for name in properties:
        sys.stderr.write(f"ductrunner: the property {name} of {main_class} means nothing here\n")
    region = region or (bucket[1] if bucket else None)
    with DynamoDB(region) as database, on_cancel(context.cancelled, database.cancel):
        return run(database, words, context)


def export_table(database: DynamoDB, arguments: Sequence[str], context: StepContext) -> StepResult:
    """Write a table to a directory: arguments as in ``_EXPORT_USAGE``."""
    place, name, ratio, *segments = _arguments(arguments, _EXPORT_USAGE, 4)
    settings = load_settings().dynamodb
    share, number = _ratio(ratio, _EXPORT_USAGE), _segments(segments[0]) if segments else None
    scan = scan_of(database, database.describe(name), share, settings, number)
    directory = OutputDirectory(S3Store(), place, sse=True)
    tally = Tally(context.reporter, "export")
    names = [str(uuid.uuid4()) for _ in range(scan.segments)]
    parts = write_files(scan, directory, names.__getitem__, json_line, tally, settings.concurrency)
    directory.publish(parts)
    return tally.result(table=name, output=str(directory), files=len(parts))


def import_table(database: DynamoDB, arguments: Sequence[str], context: StepContext) -> StepResult:
    """Put the items of a directory into a table: arguments as in ``_IMPORT_USAGE``."""
    place, name, ratio = _arguments(arguments, _IMPORT_USAGE, 3)
    share, settings = _ratio(ratio, _IMPORT_USAGE), load_settings().dynamodb
    store, table = S3Store(), database.describe(name)
    uris = files_to_read(store, place)
    target = BatchTarget(database, table, share, settings)
    tally = put_items(target, lambda: read_items(store, uris, context.cancelled), context)
    return tally.result(table=name, files=len(uris))


def _tool(main_class: str) -> Callable[[DynamoDB, Sequence[str], StepContext], StepResult] | None:
    tools = {"dynamodbexport": export_table, "dynamodbimport": import_table}
    return tools.get(main_class.strip().removeprefix(_PACKAGE).lower())


def _without_options(words: list[str]) -> tuple[list[str], dict[str, str]]:
    """Return the arguments without Hadoop's own options before them, and the properties that those set."""
    properties: dict[str, str] = {}
    while words and words[0].startswith("-"):
        option, *words = words
        if option in _OPTIONS and words:
            value, *words = words
            option = f"-D{value}" if option == "-D" else f"-D{option}={value}"
        name, _, value = option.removeprefix("-D").partition("=")
        properties[name] = value
    return words, properties


def _arguments(words: Sequence[str], usage: str, most: int) -> list[str]:
    """Return at least directory, table and ratio."""
    if not 2 <= len(words) <= most or not all(words[:2]):
        raise ParameterError(f"wrong number of arguments; usage: {usage}")
    parse_uri(words[0])
    return [*words, _USUAL_RATIO] if len(words) == 2 else list(words)


def _ratio(text: str, usage: str) -> float:
    try:
        ratio = float(text)
    except ValueError:
        ratio = 0.0
    if not 0 < ratio <= _MOST_RATIO:
        raise ParameterError(f"the ratio {text!r} is not a number between 0.1 and 1.5; usage: {usage}")
    return ratio


def _segments(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ParameterError(f"the number of segments {text!r} is not a number; usage: {_EXPORT_USAGE}")
    return int(text)
