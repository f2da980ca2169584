"""Public definitions are accepted as they are, and do what they do on AWS, or fail and say by name what is missing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import boto3
import pytest

from core.settings import Settings
from pipelines.documents import read_document
from sandbox.datapipeline.definition import Definition
from sandbox.datapipeline.validation import fatal_errors, validate
from tests.acceptance.definitions import seeds
from tests.acceptance.definitions.conftest import FOLDER, names_in
from tests.acceptance.definitions.expected import NAMED, OTHERWISE
from tests.acceptance.definitions.runner import Outcome

NAMES = names_in("guide", "projects")
Outcomes = Mapping[str, Outcome]


@pytest.mark.parametrize("name", NAMES)
def test_it_is_valid_as_it_is(name: str) -> None:
    check_valid(name)


def check_valid(name: str) -> None:
    """The service has nothing against a definition as it is."""
    document = read_document(FOLDER / f"{name}.json")
    definition = Definition.parse(document.objects, document.parameters, document.values)
    assert [(report.id, report.errors) for report in validate(definition) if report.errors] == []
    assert fatal_errors(definition) == []
    assert document.notes == ()


@pytest.mark.parametrize("name", NAMES)
def test_each_activity_ends_as_it_can_end_here(name: str, outcomes: Outcomes) -> None:
    check_ends(name, outcomes)


def check_ends(name: str, outcomes: Outcomes) -> None:
    """Each activity has ended well, or as ``expected`` says."""
    told = outcomes[name].told()
    assert told, "no activity has run"
    expected = {activity: OTHERWISE.get(name, {}).get(activity, {"FINISHED"}) for activity in told}
    errors = {step.component: step.error for step in outcomes[name].steps.values() if step.error}
    assert {activity: {end} & expected[activity] for activity, end in told.items()} == {
        activity: {end} for activity, end in told.items()
    }, errors


@pytest.mark.parametrize(("name", "activity"), [(name, activity) for name in NAMED for activity in NAMED[name]])
def test_what_is_missing_is_named(name: str, activity: str, outcomes: Outcomes) -> None:
    assert NAMED[name][activity] in outcomes[name].steps[activity].error


def contents(uri: str) -> list[str]:
    """The lines of every object below a folder in S3, sorted."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    s3 = boto3.client("s3")
    keys = [entry["Key"] for entry in s3.list_objects_v2(Bucket=bucket, Prefix=prefix).get("Contents", [])]
    texts = [s3.get_object(Bucket=bucket, Key=key)["Body"].read().decode() for key in keys]
    return sorted(line for text in texts for line in text.splitlines())


def items(table: str, region: str = "us-east-1") -> list[str]:
    """The keys of a table's items, sorted."""
    found = boto3.client("dynamodb", region_name=region).scan(TableName=table)["Items"]
    return sorted(item["id"]["S"] for item in found)


WORDS = ["again\t1", "hello\t2", "world\t1"]


@pytest.mark.parametrize(
    ("folder", "lines"),
    [
        ("example-bucket/destination/outputfile.csv", seeds.CSV.splitlines()),
        ("example-bucket/copied/", seeds.CSV.splitlines()),
        ("example-bucket/rds-output/output.csv", ["1,one", "2,two"]),
        ("example-bucket/rds-to-s3/", ["1,one", "2,two"]),
        ("example-bucket/data/example_load/version_1/20150101-00-00-00/extract-rds/part-0", ["1,one", "2,two"]),
        ("myawsbucket/wordcount/output/2012-11-19T07:48:00/part-", WORDS),
        ("test-bucket/MyHadoopActivity/", WORDS * 2),
        ("test-hive/output/", ['"h1","u1","t1","GET /","200","5"', '"h2","u2","t2","GET /x","404","0"']),
        ("example-bucket/PigActivityOutput3/part-", ["04"]),
        ("my-bucket/destination/2013-08-18_000000/aggregated.csv", ["one", "two"]),
        ("example-bucket/hyperion/2016-01-31/out", ["words of 2016/02/01"]),
    ],
)
def test_what_a_definition_writes_to_s3_is_there(folder: str, lines: list[str], outcomes: Outcomes) -> None:
    assert contents(f"s3://{folder}") == sorted(lines)


def test_what_definitions_do_with_dynamodb_is_done(outcomes: Outcomes) -> None:
    assert len(contents("s3://example-bucket/ddb-backup/")) >= 2
    assert len(contents("s3://example-bucket/backup/")) == 2
    assert items("RestoredTable") == ["a", "b"]
    assert items("CopiedTable") == ["a", "b"]
    assert items("restore_table", "us-west-1") == ["new"]
    exported = contents("s3://test-hive/dynamodb-output/")
    assert len(exported) == 2
    assert all("count" in line and "id" in line for line in exported)


def rows(cursor: object, query: str) -> list[tuple[object, ...]]:
    cursor.execute(query)  # type: ignore[attr-defined]
    found: Iterable[tuple[object, ...]] = cursor.fetchall()  # type: ignore[attr-defined]
    return sorted(tuple(row) for row in found)


def test_what_definitions_write_to_databases_is_there(settings: Settings, outcomes: Outcomes) -> None:
    with seeds.mysql(settings) as cursor:
        assert rows(cursor, "select col1, col2 from from_redshift") == [("a", 1), ("b", 2)]
        assert rows(cursor, "select one, two from table_of_runs") == [
            ("2013-08-18 00:00:00", "2013-08-19 00:00:00"),
            ("2013-08-20 00:00:00", "2013-08-21 00:00:00"),
        ]
    with seeds.warehouse(settings) as cursor:
        assert rows(cursor, "select id, name from tsv_target") == [(1, "one"), (2, "two")]
        assert rows(cursor, "select invoice_id, cost from billing") == [("i-1", 1.5), ("i-2", 2.5)]
        assert len(rows(cursor, "select hostname from orders")) in (2, 4)  # KEEP_EXISTING beside APPEND


def test_each_of_the_four_runs_of_the_template_has_its_own_folder(outcomes: Outcomes) -> None:
    listed = boto3.client("s3").list_objects_v2(Bucket="example-bucket", Prefix="template-output/")["Contents"]
    folders = {entry["Key"].split("/")[1] for entry in listed}
    assert len(folders) == 4
    assert contents("s3://example-bucket/template-output/") == ["2"] * 4
