from __future__ import annotations

import bz2
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

from core.errors import CheckFailed, LoadRejected, NotFound, ParameterError, SchemaMismatch, SettingsError, StoreError
from steps_impl.load.load_redshift import LoadRedshiftParameters
from tests.integration.warehouse.conftest import tsv

CHECKOUT = Path(__file__).parents[3]
COLUMNS = ("id", "note")
ROWS = "SELECT id, note FROM t ORDER BY id"


@pytest.fixture
def target(warehouse: Any) -> Any:
    warehouse.rows("CREATE TABLE t (id BIGINT NOT NULL PRIMARY KEY, note VARCHAR(5))")
    warehouse.rows("INSERT INTO t VALUES (1, 'old'), (2, 'old')")
    return warehouse


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("TRUNCATE", [(2, "new"), (3, None)]),
        ("append", [(1, "old"), (2, "new"), (2, "old"), (3, None)]),
        ("KEEP_EXISTING", [(1, "old"), (2, "old"), (3, None)]),
        ("OVERWRITE_EXISTING", [(1, "old"), (2, "new"), (3, None)]),
    ],
)
def test_each_mode_does_what_it_says_and_a_second_run_nothing_more(target: Any, mode: str, expected: Any) -> None:
    manifest = target.put_extract("in", COLUMNS, [["2", "new"]], [["3", None]])
    for number in (1, 2):
        result = target.run("load-redshift", target.attempt("I", number), table="t", input=[manifest], insert_mode=mode)
        assert target.rows(f"{ROWS}, note") == expected
        assert {"staged": 2, "files": 2}.items() <= result.details.items()
    assert target.rows("SELECT relname FROM pg_class WHERE relname = 'staging'") == []


def test_append_knows_its_load_by_instance_or_by_the_name_it_is_given(target: Any) -> None:
    manifest = target.put_extract("in", COLUMNS, [["3", "x"]])
    given = {"table": "t", "schema": "public", "input": [manifest], "insert_mode": "APPEND"}
    with pytest.raises(ParameterError, match="--load-id"):
        target.run("load-redshift", **given)
    inserted = [
        target.run("load-redshift", **given, load_id="monday").rows,
        target.run("load-redshift", **given, load_id="monday").rows,
        target.run("load-redshift", **given, load_id="tuesday").rows,
        target.run("load-redshift", target.attempt("I1"), **given).rows,
        target.run("load-redshift", target.attempt("I1"), **given).rows,
        target.run("load-redshift", target.attempt("I2"), **given).rows,
    ]
    assert inserted == [1, 0, 1, 1, 0, 1]
    assert target.rows("SELECT COUNT(*) FROM t WHERE id = 3") == [(4,)]


def test_values_that_peers_break_arrive_as_they_are(warehouse: Any) -> None:
    warehouse.rows("CREATE TABLE t (id INT, note VARCHAR(64), c CHAR(10), n DECIMAL(38,10))")
    texts = [None, "", "NULL", "\\N", "C:\\new", 'a "b"\tc,d', "cr\r\nlf", "ä€😀"]
    number = "1234567890123456789012345678.0123456789"
    rows = [[str(at), text, "ab", number] for at, text in enumerate(texts)]
    warehouse.run("load-redshift", table="t", input=[warehouse.put_extract("in", ("id", "note", "c", "n"), rows)])
    assert [row[0] for row in warehouse.rows("SELECT note FROM t ORDER BY id")] == texts
    assert warehouse.rows("SELECT DISTINCT TRIM(c), n::VARCHAR(50) FROM t") == [("ab", number)]


def test_a_text_of_exactly_the_bytes_of_its_column_fits_and_one_more_is_refused(target: Any) -> None:
    target.run("load-redshift", table="t", input=[target.put_extract("in", COLUMNS, [["1", "😀x"]])])
    assert target.rows(ROWS) == [(1, "😀x")]
    with pytest.raises(LoadRejected) as caught:
        target.run("load-redshift", table="t", input=[target.put_extract("in2", COLUMNS, [["1", "ok"], ["2", "😀xy"]])])
    assert "in2/part-0000.tsv.gz line 2, column note" in str(caught.value)
    assert "😀" not in str(caught.value)
    assert target.rows(ROWS) == [(1, "😀x")]


@pytest.mark.parametrize(("told", "ending", "pack"), [
    ("bzip2", "", bz2.compress),
    (None, ".bz2", bz2.compress),
    ("none", ".gz", lambda data: data),
])  # fmt: skip
def test_the_compression_is_told_or_shown_by_the_name(target: Any, told: str, ending: str, pack: Any) -> None:
    place = target.put(f"in/file{ending}", pack(tsv([["7", "seven"]])))
    target.run("load-redshift", table="t", input=[place], compression=told)
    assert target.rows(ROWS) == [(7, "seven")]


def test_rows_that_may_be_refused_are_counted_and_replaced_characters_too(target: Any) -> None:
    place = target.put("in/file", b"1\ta\xffb\nx\tbad\n3\tc\n")
    result = target.run("load-redshift", table="t", input=[place], max_errors=2, replace_invalid_char="'?'")
    assert target.rows(ROWS) == [(1, "a?b"), (3, "c")]
    assert {"rejected": 1, "replaced_characters": 1, "inserted": 2}.items() <= result.details.items()


def test_fewer_rows_than_the_manifest_says_change_nothing(target: Any) -> None:
    manifest = target.put_extract("short", COLUMNS, [["5", "b"]])
    target.put_tsv("short/part-0000.tsv.gz", [])
    with pytest.raises(CheckFailed, match="1 in files, 0 in staging"):
        target.run("load-redshift", table="t", input=[manifest])
    assert target.rows(ROWS) == [(1, "old"), (2, "old")]


def test_identity_and_default_columns_are_filled_by_the_warehouse(warehouse: Any) -> None:
    warehouse.rows("CREATE TABLE t (n BIGINT IDENTITY(1,1), id INT PRIMARY KEY, \"order\" VARCHAR(5) DEFAULT 'd')")
    manifest = warehouse.put_extract("in", ("id",), [["1"], ["2"]])
    for _ in range(2):
        warehouse.run("load-redshift", table="t", input=[manifest], insert_mode="OVERWRITE_EXISTING")
    assert warehouse.rows('SELECT id, "order" FROM t ORDER BY id') == [(1, "d"), (2, "d")]


def test_a_column_that_may_take_values_is_generated_only_where_the_files_have_none(warehouse: Any) -> None:
    warehouse.rows("CREATE TABLE t (n BIGINT GENERATED BY DEFAULT AS IDENTITY(5,1), id INT PRIMARY KEY)")
    warehouse.run("load-redshift", table="t", input=[warehouse.put_extract("one", ("id",), [["1"], ["2"]])])
    assert warehouse.rows("SELECT COUNT(DISTINCT n), MIN(n) >= 5 FROM t") == [(2, True)]
    given = {"table": "t", "input": [warehouse.put_extract("two", ("n", "id"), [["77", "1"]])]}
    warehouse.run("load-redshift", **given, insert_mode="OVERWRITE_EXISTING")
    assert warehouse.rows("SELECT n FROM t WHERE id = 1") == [(77,)]


def test_files_that_hold_other_columns_than_the_table_are_refused_or_the_table_follows(target: Any) -> None:
    element = {"name": "name", "type": {"base": "character varying", "max_length": 9}}
    manifest = target.put_extract("in", ("id", "note", "name"), [["3", "longer", "n"]])
    document = json.loads(target.s3.get_object(Bucket=target.bucket, Key="in/manifest")["Body"].read())
    typed = [{"name": "id"}, {"name": "note", "type": {"base": "character varying", "max_length": 8}}, element]
    target.put("in/manifest", json.dumps({**document, "schema": {"elements": typed}}).encode())
    with pytest.raises(SchemaMismatch, match="the files hold 'name'"):
        target.run("load-redshift", table="t", input=[manifest])
    given = {"table": "t", "input": [manifest], "insert_mode": "KEEP_EXISTING"}
    result = target.run("load-redshift", **given, on_drift=["add-columns", "widen"])
    assert result.details["altered"] == [
        "widen column 'note' of public.t to character varying(8)",
        "add column 'name' to public.t",
    ]
    assert target.rows("SELECT id, note, name FROM t ORDER BY id")[1:] == [(2, "old", None), (3, "longer", "n")]
    short = target.put_extract("short", ("id",), [["9"]])
    with pytest.raises(SchemaMismatch, match="'note' is not in the files"):
        target.run("load-redshift", table="t", input=[short])
    target.run("load-redshift", table="t", input=[short], on_drift=["keep-extra"])
    assert target.rows("SELECT id, note, name FROM t") == [(9, None, None)]


def test_a_table_that_is_not_there_and_two_schemas_are_errors(warehouse: Any) -> None:
    place = warehouse.put("in/file", b"")
    with pytest.raises(NotFound, match=r"no table dev\.t"):
        warehouse.run("load-redshift", table="dev.t", input=[place])
    with pytest.raises(ParameterError, match="name one schema"):
        warehouse.run("load-redshift", table="dev.t", schema="other", input=[place])


@pytest.mark.parametrize("wrong", [
    {"table": "a.b.c"}, {"table": "t; DROP TABLE t"}, {"insert_mode": "MERGE"}, {"compression": "zip"},
    {"max_errors": -1}, {"command_options": "GZIP", "compression": "gzip"}, {"input": []},
])  # fmt: skip
def test_wrong_parameters_are_refused_before_anything_is_done(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        LoadRedshiftParameters.model_validate({"table": "t", "input": ["s3://b/k"], **wrong})


WAITING = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"


@pytest.mark.parametrize(("blow", "mode"), [(signal.SIGKILL, "TRUNCATE"), (signal.SIGTERM, "APPEND")])
def test_a_load_that_dies_leaves_the_former_rows_and_the_next_one_finishes(
    target: Any, blow: signal.Signals, mode: str
) -> None:
    manifest = target.put_extract("two", COLUMNS, [["1", "new"], ["5", "new"]])
    words = ["load-redshift", "--table", "public.t", "--input", manifest, "--insert-mode", mode, "--load-id", "today"]
    command = [sys.executable, "-m", "ductrunner", "step", *words]
    holder = target.connect()
    with holder.cursor() as cursor:
        cursor.execute("SELECT * FROM t")  # a reader in an open transaction: the LOCK of the load has to wait
        with subprocess.Popen(command, env=target.environment, cwd=CHECKOUT) as process:
            while not target.rows(WAITING):
                pass
            process.send_signal(blow)
            assert process.wait() == (143 if blow is signal.SIGTERM else -signal.SIGKILL)
    holder.rollback()
    holder.close()
    while target.rows(WAITING):
        pass
    assert target.rows(ROWS) == [(1, "old"), (2, "old")]
    done = subprocess.run(command, env=target.environment, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["details"]["inserted"] == 2
    assert target.rows("SELECT COUNT(*) FROM t WHERE id = 5") == [(1,)]


def test_a_file_that_the_manifest_names_and_s3_does_not_have_is_an_error(target: Any) -> None:
    manifest = target.put_extract("in", COLUMNS, [["5", "a"]], [["6", "b"]])
    target.s3.delete_object(Bucket=target.bucket, Key="in/part-0001.tsv.gz")
    with pytest.raises(NotFound):
        target.run("load-redshift", table="t", input=[manifest])
    assert target.rows(ROWS) == [(1, "old"), (2, "old")]


@pytest.mark.parametrize(
    ("content", "column"),
    [(b"3\ta\xff\xfe\n", "note"), (b"", None), (b"3\n", "id"), (b"3\ta\tmore\n", None), (b"\n", "id")],
    ids=["not utf-8", "empty", "too few values", "too many values", "an empty line"],
)
def test_files_that_are_not_what_they_should_be_are_refused_or_hold_no_rows(
    target: Any, content: bytes, column: str | None
) -> None:
    place = target.put("in/file", content)
    if not content:
        assert target.run("load-redshift", table="t", input=[place], insert_mode="KEEP_EXISTING").rows == 0
    else:
        with pytest.raises(LoadRejected) as caught:
            target.run("load-redshift", table="t", input=[place])
        assert "in/file line 1" in str(caught.value)
        assert column is None or f"column {column}" in str(caught.value)
    assert target.rows(ROWS) == [(1, "old"), (2, "old")]


def test_a_step_without_a_role_or_without_a_right_changes_nothing(target: Any) -> None:
    place = target.put("in/file", tsv([["3", "c"]]))
    target.rows("CREATE VIEW v AS SELECT id, note FROM t GROUP BY id, note")
    try:
        with pytest.raises(StoreError):  # nobody may insert into such a view
            target.run("load-redshift", table="v", input=[place], insert_mode="KEEP_EXISTING", keys=["id"])
    finally:
        target.rows("DROP VIEW v")
    document = yaml.safe_load(target.config.read_text())
    del document["redshift"]["iam_role"]
    target.config.write_text(yaml.safe_dump(document))
    with pytest.raises(SettingsError, match="iam_role"):
        target.run("load-redshift", table="t", input=[place])
    assert target.rows(ROWS) == [(1, "old"), (2, "old")]


def test_one_load_in_two_hands_at_the_same_time_is_added_once(target: Any) -> None:
    given = {"table": "t", "input": [target.put_extract("in", COLUMNS, [["5", "x"]])], "insert_mode": "APPEND"}
    inserted: list[Any] = []
    runs = [
        threading.Thread(target=lambda: inserted.append(target.run("load-redshift", **given, load_id="one").rows))
        for _ in range(3)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert sorted(inserted) == [0, 0, 1]
    assert target.rows("SELECT COUNT(*) FROM t WHERE id = 5") == [(1,)]
