"""From a table to S3: what insertMode means for files, options, a manifest, a transformation."""

from __future__ import annotations

import json

import pytest

from core.errors import ParameterError
from steps_impl.contract import ATTEMPT_VARIABLE, PIPELINE_VARIABLE

OFF = "PARALLEL OFF"


@pytest.fixture
def source(desk):
    """A table with two rows."""
    desk.sql("CREATE TABLE t (id int, s varchar(20))")
    desk.sql("INSERT INTO t VALUES (1, 'a'), (2, NULL)")
    return desk.table("t")


def test_truncate_removes_what_a_former_unload_left_and_nothing_else(desk, source):
    for name in ("0000_part_00", "0007_part_00.gz", "003", "manifest", "notes.txt", "sub/0000_part_00"):
        desk.put(f"out/{name}", "former")
    result = desk.run(source, desk.node(f"s3://{desk.bucket}/out/"), "TRUNCATE", commandOptions=OFF)
    assert desk.files("out/") == {"000": b"1|a\n2|\n", "notes.txt": b"former", "sub/0000_part_00": b"former"}
    assert (result.rows, result.details["removed_files"]) == (2, 4)


def test_overwrite_existing_writes_over_equal_names_alone(desk, source):
    desk.put("out/000", "former")
    desk.put("out/001", "former")
    node = desk.node(f"s3://{desk.bucket}/out/")
    desk.run(source, node, "OVERWRITE_EXISTING", commandOptions=[OFF, "DELIMITER ','"])
    assert desk.files("out/") == {"000": b"1,a\n2,\n", "001": b"former"}


@pytest.mark.parametrize("mode", ["APPEND", "KEEP_EXISTING"])
def test_what_is_there_stays_and_a_retry_writes_over_its_own_files(desk, source, mode):
    desk.put("out/000", "former")
    node = desk.node(f"s3://{desk.bucket}/out/")
    for attempt in ("1", "2"):
        identity = f"@Unload_2026-01-01T00:00:00_Attempt={attempt}"
        desk.identity = {PIPELINE_VARIABLE: "df-1", ATTEMPT_VARIABLE: identity}
        desk.run(source, node, mode, commandOptions=OFF)
    assert desk.files("out/") == {"000": b"former", "Unload_2026-01-01T00-00-00_000": b"1|a\n2|\n"}
    desk.identity = {PIPELINE_VARIABLE: "df-1", ATTEMPT_VARIABLE: "@Unload_2026-01-02T00:00:00_Attempt=1"}
    desk.run(source, node, mode, commandOptions=OFF)
    assert len(desk.files("out/")) == 3


def test_the_manifest_lies_where_the_node_wants_it(desk, source):
    wanted = f"s3://{desk.bucket}/lists/today.json"
    node = desk.node(f"s3://{desk.bucket}/out/", manifestFilePath=wanted, dataFormat={"type": "TSV"})
    desk.run(source, node, "TRUNCATE")
    assert "manifest" not in desk.files("out/")
    entries = json.loads(desk.files("lists/")["today.json"])["entries"]
    assert {entry["url"].rpartition("/")[2] for entry in entries} == set(desk.files("out/"))


def test_a_transformation_reads_staging(desk, source):
    node = desk.node(f"s3://{desk.bucket}/out/", dataFormat={"type": "CSV"})
    sql = "SELECT id * 10 AS tens, NVL(s, 'it''s \"gone\"') AS s FROM staging ORDER BY id"
    desk.run(source, node, "TRUNCATE", transformSql=sql)
    assert sorted(b"".join(desk.files("out/").values()).splitlines()) == [b'10,"a"', b'20,"it\'s ""gone"""']


def test_columns_of_json_are_unloaded_as_csv_too(desk):
    desk.sql("CREATE TABLE j (id int, d super)")
    desk.put("in/a", '{"id": 1, "d": {"a": "x,y"}}')
    desk.run(desk.node(f"s3://{desk.bucket}/in/a"), desk.table("j"), "APPEND", commandOptions="JSON 'auto'")
    desk.run(desk.table("j"), desk.node(f"s3://{desk.bucket}/out/", dataFormat={"type": "CSV"}), "TRUNCATE")
    assert b"".join(desk.files("out/").values()) == b'1,"{""a"": ""x,y""}"\n'


def test_options_that_contradict_the_route_are_refused(desk, source):
    with pytest.raises(ParameterError, match="NOLOAD"):
        desk.run(source, desk.node(f"s3://{desk.bucket}/out/"), "TRUNCATE", commandOptions="NOLOAD")
