from __future__ import annotations

import gzip
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg2
import pytest
import yaml

from core.errors import AccessDenied, NotFound, ParameterError, StatementFailed
from sandbox.parts.database import DatabaseAddress
from steps_impl.contract import StepContext, StepResult
from steps_impl.extract import postgres
from tests.phases import Silent

AWKWARD = [
    None,
    "",
    "NULL",
    r"\N",
    "a,b",
    'say "so"',
    "tab\there",
    "line\nbreak",
    "cr\rhere",
    "C:\\new",
    "😀 naïve",
    "\x1d\x1e",
]


@pytest.fixture
def database(postgres_database: DatabaseAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A connection to an empty database that the configuration names as its Postgres source."""
    address = postgres_database
    entry = {
        "host": address.host,
        "port": address.port,
        "database_name": address.database,
        "username": address.username,
        "password": address.password,
    }
    configuration = tmp_path / "ductrunner.yaml"
    configuration.write_text(yaml.safe_dump({"postgres": entry, "etl": {"connection_retries": 0}}))
    monkeypatch.setenv("DUCTRUNNER_CONFIG", str(configuration))
    connection = psycopg2.connect(**address.postgres_login)
    connection.autocommit = True
    yield connection
    connection.close()


def extract(output: Path, **parameters: Any) -> StepResult:
    given = postgres.ExtractPostgresParameters(output=str(output), **parameters)
    return postgres.STEP.run(given, StepContext(Silent()))


def manifest(output: Path) -> dict[str, Any]:
    return json.loads((output / "manifest").read_text())


def files(output: Path) -> list[bytes]:
    return [gzip.decompress((output / entry["url"]).read_bytes()) for entry in manifest(output)["entries"]]


def test_every_value_comes_back_as_it_was(database: Any, tmp_path: Path) -> None:
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE awkward (id int, note text); CREATE TABLE back (LIKE awkward)")
        cursor.executemany("INSERT INTO awkward VALUES (%s, %s)", list(enumerate(AWKWARD)))
        result = extract(tmp_path / "out", table="awkward")
        for text in files(tmp_path / "out"):
            cursor.copy_expert(r"COPY back FROM STDIN (FORMAT csv, NULL '\N')", io.BytesIO(text))
        cursor.execute("SELECT note FROM back ORDER BY id")
        assert [note for (note,) in cursor.fetchall()] == AWKWARD
    assert result.rows == len(AWKWARD)


def test_rows_are_spread_evenly_and_no_record_is_cut(database: Any, tmp_path: Path) -> None:
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE many AS SELECT n, E'two\\nlines' AS note FROM generate_series(1, 1001) AS n")
    extract(tmp_path / "out", table="public.many", splits=4)
    described = manifest(tmp_path / "out")
    assert [entry["meta"]["record_count"] for entry in described["entries"]] == [251, 250, 250, 250]
    assert [text.count(b'"two\nlines"\n') for text in files(tmp_path / "out")] == [251, 250, 250, 250]
    assert described["source"]["rows"] == 1001


def test_the_manifest_names_columns_and_types_of_a_query(database: Any, tmp_path: Path) -> None:
    extract(tmp_path / "out", sql="SELECT 1::bigint AS id, 'x'::varchar(9) AS name, 1.5::numeric(10,2) AS price;")
    assert manifest(tmp_path / "out")["schema"]["elements"] == [
        {"name": "id", "type": {"base": "bigint"}},
        {"name": "name", "type": {"base": "character varying", "max_length": 36}},
        {"name": "price", "type": {"base": "numeric", "precision": 10, "scale": 2}},
    ]


def test_bytes_are_written_in_hexadecimal(database: Any, tmp_path: Path) -> None:
    extract(tmp_path / "out", sql=r"SELECT '\x00ff'::bytea AS data")
    assert files(tmp_path / "out") == [b'"00ff"\n']


def test_json_is_nested_on_one_line_where_that_is_asked_for(database: Any, tmp_path: Path) -> None:
    with database.cursor() as cursor:
        cursor.execute("CREATE TABLE documents (j json, d jsonb, n json)")
        row = ('{"b":\r\n [1.50,\n\t"x\\ny"], "a": null}', '{"b": 2, "a": "C:\\\\new"}', None)
        cursor.execute("INSERT INTO documents VALUES (%s, %s, %s)", row)
    extract(tmp_path / "out", table="documents", output_format="json", json_columns="nested")
    assert files(tmp_path / "out") == [
        b'{"j":{"b":   [1.50, \t"x\\ny"], "a": null},"d":{"a": "C:\\\\new", "b": 2},"n":null}\n'
    ]
    types = [element["type"] for element in manifest(tmp_path / "out")["schema"]["elements"]]
    assert types == [{"base": "super"}] * 3
    with pytest.raises(ValueError, match="goes with --output-format json"):
        extract(tmp_path / "out", table="documents", output_format="csv", json_columns="nested")


def test_a_second_run_replaces_the_first_and_leaves_none_of_its_files(database: Any, tmp_path: Path) -> None:
    extract(tmp_path / "out", sql="SELECT 1 AS n", splits=1)
    extract(tmp_path / "out", sql="SELECT 2 AS n", splits=1)
    assert files(tmp_path / "out") == [b'"2"\n']
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_failing_query_leaves_the_former_output(database: Any, tmp_path: Path) -> None:
    extract(tmp_path / "out", sql="SELECT 1 AS n")
    with pytest.raises(StatementFailed):
        extract(tmp_path / "out", sql="SELECT 1 / (3 - n) AS n FROM generate_series(1, 5) AS n")
    assert files(tmp_path / "out") == [b'"1"\n']
    assert len(list((tmp_path / "out").iterdir())) == 2


def test_a_table_that_is_not_there_is_refused_by_name(database: Any, tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="nowhere"):
        extract(tmp_path / "out", table="nowhere")


def test_a_table_may_be_named_in_quotes_or_in_another_case(database: Any, tmp_path: Path) -> None:
    database.cursor().execute(
        'CREATE SCHEMA "o.d"; CREATE TABLE "o.d"."T ""1""" (n int PRIMARY KEY);'
        'INSERT INTO "o.d"."T ""1""" VALUES (1), (2);'
        "CREATE TABLE plain (n int); INSERT INTO plain VALUES (3)"
    )
    assert extract(tmp_path / "out", table='"o.d"."T ""1"""', parallel=2).rows == 2
    assert sorted(b"".join(files(tmp_path / "out")).splitlines()) == [b'"1"', b'"2"']
    assert extract(tmp_path / "out", table="PLAIN").rows == 1


def test_json_has_the_values_that_other_formats_have(database: Any, tmp_path: Path) -> None:
    sql = "SELECT 'a'::char(3) AS c, '::1'::inet AS i, '10.0.0.0/8'::inet AS n"
    extract(tmp_path / "out", sql=sql, output_format="json")
    assert [json.loads(line) for line in files(tmp_path / "out")] == [{"c": "a  ", "i": "::1", "n": "10.0.0.0/8"}]


def test_addresses_of_something_else_make_no_directories(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for place in ("http://bucket/x", "file:///x", "s3:/bucket/x", "S3://bucket/x"):
        with pytest.raises(ParameterError, match="neither an s3:// address nor a path"):
            postgres.STEP.run(
                postgres.ExtractPostgresParameters(output=place, sql="SELECT 1 AS n"), StepContext(Silent())
            )
        with pytest.raises(ParameterError, match="neither an s3:// address nor a path"):
            extract(tmp_path / "out", sql="SELECT 1 AS n", cursor_column="n", state=place)
    assert not [path.name for path in tmp_path.iterdir() if ":" in path.name]


def test_a_refused_password_is_said_at_once_and_not_repeated(
    database: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DUCTRUNNER_POSTGRES_PASSWORD", "wrong-password-of-mine")
    with pytest.raises(AccessDenied) as caught:
        extract(tmp_path / "out", sql="SELECT 1 AS n")
    assert "wrong-password-of-mine" not in str(caught.value)


def test_without_a_postgres_section_it_says_what_to_add(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty.yaml").write_text("{}")
    monkeypatch.setenv("DUCTRUNNER_CONFIG", str(tmp_path / "empty.yaml"))
    with pytest.raises(ParameterError, match="no postgres section"):
        extract(tmp_path / "out", sql="SELECT 1 AS n")
