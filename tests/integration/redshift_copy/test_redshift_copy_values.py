"""Values that a careless route breaks, on every route: files to a table, a table to files and back, between tables."""

from __future__ import annotations

import csv
import gzip
import io
import json
from dataclasses import replace

import pytest

from core.errors import LoadRejected, NotFound, ParameterError, SettingsError
from sandbox.parts.postgres import PostgresPart
from tests.integration.redshift_copy.conftest import HARD, LONG

COLUMNS = "id int PRIMARY KEY, s varchar(200), n numeric(5,2)"
CSV, TSV = {"type": "CSV"}, {"type": "TSV"}
PIPES = {"type": "Custom", "columnSeparator": "|"}


def escaped(rows, separator, null):
    """Text without quotes, a backslash before what is not plain."""

    def text(value):
        if value is None:
            return null
        shown = str(value)
        for character in ("\\", separator, "\n", "\r"):
            shown = shown.replace(character, "\\" + character)
        return "\\" + shown if shown.startswith('"') else shown

    return "".join(separator.join(map(text, row)) + "\n" for row in rows)


def quoted(rows, null="\\N"):
    """CSV by the standard library, with NULL as a text without quotes."""
    out, mark = io.StringIO(), "this is null"
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    for row in rows:
        writer.writerow([mark if value is None else value for value in row])
    return out.getvalue().replace(f'"{mark}"', null)


@pytest.fixture
def hard_table(desk):
    desk.sql(f"CREATE TABLE hard ({COLUMNS})")
    for row in HARD:
        desk.sql("INSERT INTO hard VALUES (%s, %s, %s)", *row)


@pytest.mark.parametrize(
    ("data_format", "text"),
    [
        (CSV, quoted(HARD)),
        (CSV, escaped(HARD, ",", "\\n")),
        (CSV, escaped(HARD, ",", "\\N")),
        ({"type": "CSV", "escapeChar": "\\"}, escaped(HARD, ",", "\\N")),
        (TSV, escaped(HARD, "\t", "\\N")),
        (TSV, escaped(HARD, "\t", "\\n")),
        (PIPES, escaped(HARD, "|", "\\n")),
        ({"type": "Custom", "columnSeparator": "\x01"}, escaped(HARD, "\x01", "\\N")),
    ],
    ids=["quoted", "documented", "hive", "escape-char", "tsv", "tsv-documented", "custom", "control"],
)
def test_files_of_every_form_arrive_whole(desk, data_format, text):
    desk.put("in/part-0", gzip.compress(text.encode()))
    node = desk.node(f"s3://{desk.bucket}/in/", dataFormat=data_format, compression="GZIP")
    desk.run(node, desk.table("t", createTableSql=f"CREATE TABLE t ({COLUMNS})"), "TRUNCATE")
    assert desk.sql("SELECT * FROM t ORDER BY id") == HARD


@pytest.mark.parametrize("data_format", [CSV, TSV, PIPES, {"type": "CSV", "escapeChar": "\\"}, None])
def test_a_table_comes_back_from_the_files_that_it_was_unloaded_to(desk, hard_table, data_format):
    fields = {"dataFormat": data_format} if data_format else {"compression": "gzip"}
    node = desk.node(f"s3://{desk.bucket}/out/", **fields)
    assert desk.run(desk.table("hard"), node, "TRUNCATE").rows == len(HARD)
    desk.run(node, desk.table("t", createTableSql=f"CREATE TABLE t ({COLUMNS})"), "OVERWRITE_EXISTING")
    assert desk.sql("SELECT * FROM t ORDER BY id") == HARD


def test_csv_that_was_unloaded_is_csv_to_everybody(desk, hard_table):
    desk.run(desk.table("hard"), desk.node(f"s3://{desk.bucket}/out/", dataFormat=CSV), "TRUNCATE")
    text = b"".join(desk.files("out/").values()).decode()
    rows = sorted(csv.reader(io.StringIO(text, newline="")), key=lambda row: int(row[0]))
    assert [(int(row[0]), row[1]) for row in rows[1:]] == [(row[0], row[1]) for row in HARD[1:]]
    assert rows[0] == ["1", "\\N", "\\N"]


def test_options_are_handed_to_copy_when_there_is_no_format(desk):
    desk.put("in/a", "h|h\n1| x \n|\n\n2|\n3|" + "y" * 20 + "\n")
    node = desk.node(f"s3://{desk.bucket}/in/a")
    options = ["EMPTYASNULL", "IGNOREBLANKLINES TRUNCATECOLUMNS", "IGNOREHEADER AS 1", ""]
    desk.run(
        node, desk.table("t", createTableSql="CREATE TABLE t (id int, s varchar(9))"), "APPEND", commandOptions=options
    )
    assert desk.sql("SELECT * FROM t ORDER BY id") == [(1, " x "), (2, None), (3, "y" * 9), (None, None)]


def test_the_options_of_dataduct_load_what_its_extract_wrote(desk):
    desk.put("in/a", gzip.compress(b"1\ta\\\tb\n2\tNULL\n3\t\n"))
    options = [r"DELIMITER '\t' ESCAPE TRUNCATECOLUMNS", "NULL AS 'NULL' ", "GZIP", "MAXERROR 5"]
    node = desk.node(f"s3://{desk.bucket}/in/")
    create = "CREATE TABLE t (id int, s varchar(9))"
    desk.run(
        node, desk.table("public.t", schemaName="public", createTableSql=create), "TRUNCATE", commandOptions=options
    )
    assert desk.sql("SELECT * FROM t ORDER BY id") == [(1, "a\tb"), (2, None), (3, "")]


def test_options_are_ignored_beside_a_format_and_that_is_said(desk, capsys):
    desk.put("in/a", "1,a\n")
    node = desk.node(f"s3://{desk.bucket}/in/a", dataFormat=CSV)
    create = "CREATE TABLE t (id int, s varchar(9))"
    desk.run(node, desk.table("t", createTableSql=create), "TRUNCATE", commandOptions="DELIMITER ';'")
    assert "commandOptions are ignored" in capsys.readouterr().err


def test_json_and_fixed_widths_come_by_options(desk):
    create = "CREATE TABLE t (id int, s varchar(200))"
    desk.put("in/a", json.dumps({"id": 1, "s": f'q"{LONG}'}))
    desk.run(
        desk.node(f"s3://{desk.bucket}/in/a"),
        desk.table("t", createTableSql=create),
        "TRUNCATE",
        commandOptions="JSON 'auto'",
    )
    assert desk.sql("SELECT * FROM t") == [(1, f'q"{LONG}')]


def test_a_manifest_says_which_files_and_only_they_are_loaded(desk):
    entry = {"url": desk.put("in/a", "1,a\n"), "mandatory": True}
    desk.put("in/b", "2,b\n")
    manifest = desk.put("in/list.json", json.dumps({"entries": [entry]}))
    node = {"id": "Files", "type": "S3DataNode", "manifestFilePath": manifest, "dataFormat": CSV}
    create = "CREATE TABLE t (id int, s varchar(9))"
    desk.run(node, desk.table("t", createTableSql=create), "TRUNCATE")
    assert desk.sql("SELECT * FROM t") == [(1, "a")]


def test_a_file_is_loaded_alone_a_folder_whole_and_a_prefix_as_aws_takes_it(desk):
    create = "CREATE TABLE t (id int)"
    for name in ("in/a.csv", "in/a.csv.bak", "in2/b.csv"):
        desk.put(name, f"{len(name)}\n")
    table = desk.table("t", createTableSql=create)
    found = {
        f"s3://{desk.bucket}/in/a.csv": [(8,)],
        f"s3://{desk.bucket}/in/": [(8,), (12,)],
        f"s3://{desk.bucket}/in/a": [(8,), (12,)],
    }
    for path, rows in found.items():
        desk.run(desk.node(path), table, "TRUNCATE")
        assert desk.sql("SELECT * FROM t ORDER BY id") == rows
    assert not desk.files("ductrunner/")  # the manifest that made the file alone is gone
    folder = {"id": "Files", "type": "S3DataNode", "directoryPath": f"s3://{desk.bucket}/in/a.csv.bak"}
    desk.run(folder, table, "TRUNCATE")
    assert desk.sql("SELECT * FROM t") == [(12,)]
    with pytest.raises(NotFound, match="nothing at"):
        desk.run(desk.node(f"s3://{desk.bucket}/nowhere/"), table, "TRUNCATE")


def test_a_row_that_cannot_be_loaded_names_file_line_and_column_and_no_data(desk):
    desk.sql(f"CREATE TABLE t ({COLUMNS})")
    desk.sql("INSERT INTO t VALUES (1, 'there', NULL)")
    place = desk.put("in/a.csv", "1,a,1.5\n2,b,secret-value\n")
    with pytest.raises(LoadRejected) as caught:
        desk.run(desk.node(place, dataFormat=CSV), desk.table("t"), "TRUNCATE")
    assert f"{place} line 2, column n" in str(caught.value)
    assert "secret-value" not in str(caught.value)
    assert desk.sql("SELECT * FROM t") == [(1, "there", None)]


def test_lines_that_maxerror_leaves_out_are_counted_and_told(desk, capsys):
    place = desk.put("in/a.csv", "1|a\nx|b\n3|c\n")
    create = "CREATE TABLE t (id int, s varchar(9))"
    result = desk.run(desk.node(place), desk.table("t", createTableSql=create), "TRUNCATE", commandOptions="MAXERROR 5")
    assert (result.rows, result.details["rejected"]) == (2, 1)
    assert f"{place} line 2, column id" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("data_format", "complaint"),
    [
        ({"type": "Custom", "columnSeparator": "||"}, "one ASCII character"),
        ({"type": "TSV", "recordSeparator": ";"}, "line feed"),
        ({"type": "CSV", "escapeChar": "^"}, "backslash alone"),
        ({"type": "RegEx", "inputRegEx": "(.*)"}, "not a format"),
    ],
)
def test_a_format_that_redshift_does_not_read_is_refused_by_name(desk, hard_table, data_format, complaint):
    node = desk.node(f"s3://{desk.bucket}/in/", dataFormat=data_format)
    with pytest.raises(ParameterError, match=complaint):
        desk.run(node, desk.table("hard"), "TRUNCATE")
    with pytest.raises(ParameterError, match=complaint):
        desk.run(desk.table("hard"), node, "TRUNCATE")


@pytest.mark.parametrize("options", ["NOLOAD", "CSV; DROP TABLE t", "EXPLICIT_IDS", "FROM 's3://x'", "NULL AS 'open"])
def test_options_that_the_activity_cannot_keep_are_refused(desk, hard_table, options):
    node = desk.node(f"s3://{desk.bucket}/in/")
    with pytest.raises(ParameterError, match="commandOptions"):
        desk.run(node, desk.table("hard"), "TRUNCATE", commandOptions=options)


def test_routes_that_are_none_are_refused_by_name(desk, hard_table):
    files = desk.node(f"s3://{desk.bucket}/in/")
    sql = {"id": "Sql", "type": "SqlDataNode", "table": "x"}
    for source, target in ((files, files), (sql, desk.table("hard")), (desk.table("hard"), sql)):
        with pytest.raises(ParameterError, match="it goes from"):
            desk.run(source, target, "TRUNCATE")


def test_rows_pass_from_one_cluster_to_another_through_s3(desk, hard_table, postgres_server: PostgresPart):
    other = replace(postgres_server.ensure_database("copy_other", "copy_other"), port=desk.address.port)
    far = replace(desk, address=other)
    far.sql("DROP TABLE IF EXISTS t")
    target = {**far.table("t", createTableSql=f"CREATE TABLE t ({COLUMNS})")}
    with pytest.raises(SettingsError, match="s3_etl_bucket"):
        desk.run(desk.table("hard"), target, "TRUNCATE")
    desk.settings = {"etl": {"s3_etl_bucket": desk.bucket, "s3_base_path": "etl"}}
    desk.run(desk.table("hard"), target, "TRUNCATE")
    assert far.sql("SELECT * FROM t ORDER BY id") == HARD
    sql = "SELECT id + 100 AS id, s, n FROM staging"
    desk.run(desk.table("hard"), target, "APPEND", transformSql=sql)
    assert far.sql("SELECT id - 100, s, n FROM t WHERE id > 100 ORDER BY id") == HARD
    assert not desk.files("etl/")
