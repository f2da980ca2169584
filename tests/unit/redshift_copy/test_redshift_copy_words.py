"""Names, commandOptions, regions, formats and files of RedshiftCopyActivity, without a server."""

from __future__ import annotations

import io
import threading

import pytest

from core.errors import ParameterError
from core.redaction import REDACTOR
from steps_impl.activities.objects.formats import CsvFormat, CustomFormat, TsvFormat
from steps_impl.activities.objects.nodes import RedshiftDataNode
from steps_impl.activities.redshift_copy import dialect
from steps_impl.activities.redshift_copy.authorization import authorization, region_clause, region_of
from steps_impl.activities.redshift_copy.command_options import CommandOptions, read_options
from steps_impl.activities.redshift_copy.dialect import Dialect, look
from steps_impl.activities.redshift_copy.formats import copy_parameters
from steps_impl.activities.redshift_copy.names import columns_of, table_of
from steps_impl.activities.redshift_copy.records import Attempt, already_done
from steps_impl.activities.redshift_copy.statements import copy, unload
from stores.identity import Identity

DATABASE = {"type": "RedshiftDatabase", "clusterId": "c", "username": "u", "*password": "p"}


def node(name, schema=None):
    fields = {"database": DATABASE, "tableName": name, **({"schemaName": schema} if schema else {})}
    return RedshiftDataNode.model_validate(fields)


@pytest.mark.parametrize(
    ("name", "schema", "found"),
    [
        ("Orders", None, "public.orders"),
        ("orders", "SALES", "sales.orders"),
        ("sales.orders", None, "sales.orders"),
        ("Sales.orders", "sales", "sales.orders"),
        ('"Odd.Name"', '"My Schema"', "My Schema.Odd.Name"),
        ("my-orders", None, "public.my-orders"),
    ],
)
def test_a_table_is_named_with_or_without_its_schema(name, schema, found):
    assert str(table_of(node(name, schema))) == found


@pytest.mark.parametrize(("name", "schema"), [("a.b.c", None), ("a.b", "c"), (".a", None), ("a.", None)])
def test_a_name_that_is_none_is_refused(name, schema):
    with pytest.raises(ParameterError):
        table_of(node(name, schema))


def test_names_of_keys_may_share_a_field():
    assert columns_of(("A, b", '"C"', "")) == ("a", "b", "C")


def test_options_are_taken_apart_by_who_takes_them():
    texts = [
        "IAM_ROLE 'arn:aws:iam::123456789012:role/x' GZIP",
        "FORMAT AS JSON 'auto' PARALLEL OFF",
        "MAXERROR AS 5",
        "",
    ]
    options = read_options(texts, "Copy")
    assert options.authorization == "IAM_ROLE 'arn:aws:iam::123456789012:role/x'"
    assert options.for_copy == "GZIP FORMAT AS JSON 'auto' MAXERROR AS 5"
    assert options.for_unload == "GZIP FORMAT AS JSON 'auto' PARALLEL OFF"
    assert options.has("GZIP")
    assert not options.has("MANIFEST")


def test_the_word_with_says_nothing():
    options = read_options(["WITH CREDENTIALS AS 'aws_iam_role=arn:x' CSV"], "Copy")
    assert (options.authorization, options.for_copy) == ("CREDENTIALS AS 'aws_iam_role=arn:x'", "CSV")


def test_keys_in_options_are_secrets_from_then_on():
    read_options(
        ["CREDENTIALS 'aws_access_key_id=AKIAKEYINOPTIONS000;aws_secret_access_key=hidden-in-options'"], "Copy"
    )
    read_options(["SECRET_ACCESS_KEY AS 'hidden-by-itself'"], "Copy")
    assert REDACTOR.redact("hidden-in-options hidden-by-itself") == "[redacted] [redacted]"


class Keys:
    access_key, secret_key, token = "AKIA", "it's secret", "token"


class Worker(Identity):
    def keys(self):
        return Keys()


def test_options_go_before_the_role_and_the_role_before_the_workers_keys():
    options = read_options(["IAM_ROLE default"], "Copy")
    assert authorization(options, "arn", Worker()) == "IAM_ROLE default"
    assert authorization(CommandOptions(), "default", Worker()) == "IAM_ROLE default"
    assert authorization(CommandOptions(), "arn:x", Worker()) == "IAM_ROLE 'arn:x'"
    keys = "ACCESS_KEY_ID 'AKIA' SECRET_ACCESS_KEY 'it''s secret' SESSION_TOKEN 'token'"
    assert authorization(CommandOptions(), None, Worker()) == keys


def test_the_region_of_a_cluster_is_stated_or_in_its_address():
    host = "name.abc123.eu-west-1.redshift.amazonaws.com"
    assert region_of(host, "us-west-2", "us-east-1") == "us-west-2"
    assert region_of(host, None, "us-east-1") == "eu-west-1"
    assert region_of("127.0.0.1", None, "us-east-1") == "us-east-1"


def test_region_is_said_when_it_differs_and_the_format_allows_it():
    assert region_clause(CommandOptions(), "eu-west-1", "us-east-1") == "REGION 'eu-west-1'"
    assert region_clause(CommandOptions(), "eu-west-1", "eu-west-1") == ""
    for text in ("FORMAT AS PARQUET", "REGION 'x'", "ORC"):
        assert region_clause(read_options([text], "Copy"), "eu-west-1", "us-east-1") == ""


@pytest.mark.parametrize(
    ("data_format", "found", "parameters"),
    [
        (CsvFormat(), Dialect(), "FORMAT AS CSV"),
        (CsvFormat(), Dialect(quoted=True, escapes=True), "FORMAT AS CSV"),
        (CsvFormat(), Dialect(escapes=True), "DELIMITER ',' ESCAPE"),
        (CsvFormat(), Dialect(documented_null=True, escapes=True), r"DELIMITER ',' ESCAPE NULL AS '\\n'"),
        (CsvFormat(escape_char="\\"), Dialect(), "DELIMITER ',' ESCAPE"),
        (TsvFormat(), Dialect(), r"DELIMITER '\t' ESCAPE"),
        (TsvFormat(column_separator="\\t"), Dialect(), r"DELIMITER '\t' ESCAPE"),
        (CustomFormat(column_separator="\x01"), Dialect(), r"DELIMITER '\001' ESCAPE"),
        (CustomFormat(column_separator="'"), Dialect(), "DELIMITER '''' ESCAPE"),
    ],
)
def test_a_format_becomes_parameters_of_copy(data_format, found, parameters):
    assert copy_parameters(data_format, found) == parameters


class Store:
    """Objects in memory, as ``look`` reads them."""

    def __init__(self, **objects):
        self._objects = objects

    def open_reader(self, uri):
        return io.BytesIO(self._objects[uri])


def looked_at(*texts, quotes=True, separator=","):
    files = {f"f{number}": text for number, text in enumerate(texts)}
    options = {"quotes": quotes, "gzip": False, "cancelled": threading.Event()}
    return look(Store(**files), list(files), separator, **options)


@pytest.mark.parametrize("block", [1, 2, 3, 7, 1 << 20])
@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"1,a\n2,b\n", Dialect()),
        (b'1,"a,b"\n', Dialect(quoted=True)),
        (b'"a"', Dialect(quoted=True)),
        (b'1,a"b"\n2,\\"c\n', Dialect(escapes=True)),
        (b"1,\\n\n", Dialect(documented_null=True, escapes=True)),
        (b"1,x\n\\n,2", Dialect(documented_null=True, escapes=True)),
        (b"1,\\n", Dialect(documented_null=True, escapes=True)),
        (b"1,\\n\r\n", Dialect(documented_null=True, escapes=True)),
        (b"1,\\nothing\n", Dialect(escapes=True)),
        (b"1,\\\\n\n", Dialect(escapes=True)),
        (b"1,a\\,\\n\n", Dialect(escapes=True)),
        (b"1,\\N\n2,\\N\n", Dialect()),
        (b'1,\\N\n2,"a\\n"\n', Dialect(quoted=True)),
        (b"", Dialect()),
    ],
)
def test_files_tell_how_their_values_stand_wherever_a_block_ends(monkeypatch, text, found, block):
    monkeypatch.setattr(dialect, "_BLOCK", block)
    assert looked_at(text) == found
    assert looked_at(b"9,z\n", text) == found


def test_quotes_tell_nothing_where_a_format_has_none():
    assert looked_at(b'"a"\t\\n\n', quotes=False, separator="\t") == Dialect(documented_null=True, escapes=True)


def test_a_copy_leaves_encodings_and_statistics_alone_unless_told():
    assert copy("s3://b/k", "IAM_ROLE default", ["CSV", ""]).text == (
        "COPY \"staging\"\nFROM 's3://b/k'\nIAM_ROLE default\nCSV\nCOMPUPDATE OFF\nSTATUPDATE OFF"
    )
    assert "COMPUPDATE OFF" not in copy("s3://b/k", "IAM_ROLE default", ["COMPUPDATE ON"]).text


def test_quotes_of_an_unloaded_query_are_doubled():
    assert unload("SELECT 'a'", "s3://b/k", "IAM_ROLE default", []).text.startswith(
        "UNLOAD ('SELECT ''a''')\nTO 's3://b/k'"
    )


@pytest.mark.parametrize(
    ("recorded", "number", "status", "done"),
    [
        ([], 1, "", None),
        ([1], 1, "", 1),
        ([1], 2, "FAILED", 1),
        ([1], 2, "TIMEDOUT", 1),
        ([1], 2, "FINISHED", None),
        ([1, 3], 2, "FINISHED", 3),
        ([1, 2], 3, "FAILED", 2),
        ([2, 10], 11, "FINISHED", None),
    ],
)
def test_a_load_is_done_unless_what_did_it_was_reported_as_done(recorded, number, status, done):
    names = [f"@C_2026_Attempt={each}" for each in recorded]
    found = already_done(names, Attempt("df", f"@C_2026_Attempt={number}"), lambda _: status)
    assert found == (f"@C_2026_Attempt={done}" if done else None)
