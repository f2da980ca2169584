"""Inputs that nobody planned for, on the whole way: what cannot work is refused and changes nothing."""

from __future__ import annotations

import gzip
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from core.errors import (
    AccessDenied,
    CheckFailed,
    DuctrunnerError,
    LoadRejected,
    NotFound,
    ParameterError,
    SchemaMismatch,
    SettingsError,
    StatementFailed,
    UnsupportedValue,
)


def columns(table: str) -> str:
    return f"CREATE TABLE {table} (id INT PRIMARY KEY, v VARCHAR(5), n DECIMAL(5,2))"


@pytest.fixture
def table(path: Any) -> str:
    """A target that holds one row, which every refused load must leave there."""
    name = path.name("kept")
    path.in_target(columns(name))
    path.in_target(f"INSERT INTO {name} VALUES (1, 'old', 1)")
    return name


def tsv(*rows: tuple[Any, ...]) -> bytes:
    return "".join("\t".join("\\N" if v is None else str(v) for v in row) + "\n" for row in rows).encode()


def manifest(*urls: str, mandatory: bool = True, **meta: int) -> bytes:
    return json.dumps({"entries": [{"url": url, "mandatory": mandatory, "meta": meta} for url in urls]}).encode()


def test_an_extract_to_a_directory_that_is_then_staged_to_s3_loads(path: Any, table: str, tmp_path: Path) -> None:
    path.make_source(table, "id INT PRIMARY KEY, v VARCHAR(5), n DECIMAL(5,2)", [(i, "x", 1) for i in range(10)])
    path.run("extract-rds", host_name="source", table=table, output=str(tmp_path / "out"), splits=3)
    for file in (tmp_path / "out").iterdir():
        path.put(f"staged/deep/{file.name}", file.read_bytes())
    place = f"s3://{path.bucket}/staged/deep"
    assert path.load(columns(table), place).rows == 10
    assert path.upsert(columns(table), f"{place}/manifest").rows == 10
    left = [item["Key"] for item in path.s3.list_objects_v2(Bucket=path.bucket)["Contents"]]
    assert all(key.startswith("staged/") for key in left), "the manifest with full addresses is deleted again"


def test_an_input_that_cannot_be_loaded_is_refused_and_the_table_keeps_its_rows(path: Any, table: str) -> None:
    good, bad = tsv((7, "x", 1), (8, "y", 2)), tsv((7, "x", 1), (8, "SECRETLONG", 2), (9, "y", "SECRETNUM"))
    file = path.put("in/a.tsv", good)
    short = gzip.compress(good * 100)[:-12]
    cases: list[tuple[str, str, type[DuctrunnerError], str]] = [
        (path.put("m1/manifest", manifest(f"{file}.gone")), "", NotFound, "a.tsv.gone"),
        (path.put("m2/manifest", manifest(f"{file}.gone", mandatory=False)), "", NotFound, "a.tsv.gone"),
        (path.put("m3/manifest", manifest(file, record_count=3)), "", CheckFailed, "3 in files, 2 in staging"),
        (path.put("m4/manifest", manifest(file, content_length=99)), "", StatementFailed, "99 bytes"),
        (path.put("m5/manifest", manifest("gone.tsv")), "", NotFound, "m5/gone.tsv"),
        (path.put("m6/manifest", b"[1"), "", UnsupportedValue, "not a manifest"),
        (path.put("m7/manifest", manifest()), "", UnsupportedValue, "names no file"),
        (path.put("m8/manifest", manifest(file, file)), "", UnsupportedValue, "twice"),
        (path.put("g1/a.tsv.gz", good), "", StatementFailed, "g1/a.tsv.gz"),
        (path.put("g2/a.tsv.gz", short), "", StatementFailed, "not a complete gzip"),
        (path.put("e1/a.tsv", bad), "", LoadRejected, "a.tsv line 2, column v"),
        (path.put("e2/a.tsv", tsv((7, "x"))), "", LoadRejected, "line 1, column v"),
        (path.put("e3/a.tsv", tsv((7, "x", 1, 2))), "", LoadRejected, "line 1"),
        (path.put("e4/a.tsv", b"7\ta\xffb\t1\n"), "", LoadRejected, "column v"),
        (path.put("e5/a.tsv", b"7\ta\0b\t1\n"), "", LoadRejected, "column v"),
        (path.put("e6/a.tsv", tsv((None, "x", 1))), "", LoadRejected, "column id"),
        (f"s3://{path.bucket}/nothing/", "", NotFound, "no files"),
        ("s3://no-such-bucket-anywhere/x/", "", NotFound, "no-such-bucket-anywhere"),
        (
            file,
            columns(table).replace("VARCHR", "VARCHAR").replace("5,2", "6,2"),
            SchemaMismatch,
            "'n' is numeric(5,2)",
        ),
        (file, f"CREATE TABLE {table} (v VARCHAR(5), id INT PRIMARY KEY, n DECIMAL(5,2))", SchemaMismatch, "order"),
    ]
    for place, definition, kind, said in cases:
        for step in (path.load, path.upsert):
            with pytest.raises(kind) as refused:
                step(definition or columns(table), place)
            assert said in str(refused.value), (place, str(refused.value))
            assert "SECRET" not in str(refused.value)
            assert " .t" not in str(refused.value), "a table without a schema is named without a dot"
    assert path.in_target(f"SELECT id, v FROM {table}") == [(1, "old")]
    assert not path.staging_tables()


def test_what_copy_was_allowed_to_refuse_or_replace_is_counted(path: Any, table: str) -> None:
    bad = path.put("a/x.tsv", b"7\tx\t1\n8\ttoolong\t2\n9\ty\tnumber\n10\ta\xffb\t3\n")
    for step in (path.load, path.upsert):
        result = step(columns(table), bad, max_error=10, replace_invalid_char="?")
        assert {"staged": 2, "rejected": 2, "replaced_characters": 1}.items() <= result.details.items()
        result = step(columns(table), bad, max_error=10, truncate_columns=True)
        assert {"staged": 2, "rejected": 2}.items() <= result.details.items()
    with pytest.raises(LoadRejected, match="line 2, column v"):
        path.load(columns(table), bad, max_error=3)


QUERIES = [
    "SELECT id, v FROM {t} ORDER BY id; -- the end;",
    "SELECT id, v FROM {t} # the end",
    "SELECT id, v FROM {t} /* the end */ ;; /* ; */",
    "WITH x AS (SELECT * FROM {t}) SELECT id, v FROM x ORDER BY id DESC LIMIT 9;",
    "SELECT id, v FROM {t} WHERE v LIKE '%' AND ';' <> '#' AND 5--1 = 6",
    "(SELECT id, v FROM {t} WHERE id = 1) UNION (SELECT id, v FROM {t} WHERE id = 2)",
    "/* before */ SELECT id, v FROM {t} /*!50000 WHERE id < 9 */;",
]


def test_queries_end_as_their_authors_like(path: Any, table: str) -> None:
    path.make_source(table, "id INT PRIMARY KEY, v VARCHAR(5)", [(1, "a;"), (2, "b")])
    target = path.name("from_query")
    definition = f"CREATE TABLE {target} (id INT PRIMARY KEY, v VARCHAR(5))"
    for query in QUERIES:
        place = path.extract(sql=query.format(t=table), splits=5)
        path.upsert(definition, place, delete_existing=True, compare_host="source", compare_sql=query.format(t=table))
        assert path.in_target(f"SELECT * FROM {target} ORDER BY id") == [(1, "a;"), (2, "b")], query
    for end in ("", ";", " -- the end", "; -- the end;", " /* x */;", "\n;\n--;"):
        path.upsert(f"CREATE TABLE {target}_2 (id INT PRIMARY KEY)", source_sql=f"SELECT id FROM {target}{end}")
    assert path.in_target(f"SELECT COUNT(*) FROM {target}_2") == [(2,)]


def test_a_reload_from_an_empty_source_keeps_the_rows_unless_that_is_allowed(path: Any, table: str) -> None:
    path.make_source(table, "id INT PRIMARY KEY, v VARCHAR(5), n DECIMAL(5,2)", [])
    place = path.extract(table=table)
    with pytest.raises(CheckFailed, match=r"all 1 of the target would be deleted.*--allow-empty"):
        path.upsert(columns(table), place, delete_existing=True)
    assert path.in_target(f"SELECT id FROM {table}") == [(1,)]
    assert path.upsert(columns(table), place).details["target_rows"] == 1
    assert path.upsert(columns(table), place, delete_existing=True, allow_empty=True).details["deleted"] == 1
    assert path.upsert(columns(table), place, delete_existing=True).details["target_rows"] == 0


def test_keys_of_every_kind_find_their_row(path: Any) -> None:
    name = path.name("keys")
    definition = (
        f"CREATE TABLE {name} (d DATE, n DECIMAL(10,2), b BOOLEAN, t TIMESTAMP, k VARCHAR(9), c CHAR(4), v INT, "
        "PRIMARY KEY (d, n, b, t, k, c))"
    )
    path.load(definition, path.put("k/1.tsv", tsv(("2020-01-01", "1.10", "t", "2020-01-01 00:00:00", "aé", "x", 0))))
    same = ("2020-01-01", "1.1", "1", "2020-01-01", "aé", "x  ", 1)
    others = [("2020-01-01", "1.1", "1", "2020-01-01", key, "x", 2) for key in ("AÉ", "ae", "")]
    result = path.upsert(definition, path.put("k/2.tsv", tsv(same, *others)))
    assert {"deleted": 1, "inserted": 4, "target_rows": 4}.items() <= result.details.items()
    assert path.in_target(f"SELECT v FROM {name} ORDER BY v") == [(1,), (2,), (2,), (2,)]


def test_an_upsert_waits_for_readers_and_writers_and_leaves_readers_their_state(path: Any, table: str) -> None:
    place = path.put("w/1.tsv", tsv((1, "new", 2), (2, "new", 2)))
    path.target.autocommit = False
    assert path.in_target(f"SELECT v FROM {table}") == [("old",)]
    done = threading.Thread(target=path.upsert, args=(columns(table), place))
    done.start()
    done.join(0.5)
    assert done.is_alive(), "the lock waits for the reader's transaction"
    assert path.in_target(f"SELECT v FROM {table}") == [("old",)]
    path.target.commit()
    done.join(30)
    assert path.in_target(f"SELECT v FROM {table} ORDER BY id") == [("new",), ("new",)]
    path.target.commit()


def changed(path: Any, **changes: dict[str, Any]) -> None:
    import yaml

    document = yaml.safe_load(path.config.read_text())
    for section, values in changes.items():
        document[section] = {**document.get(section, {}), **values}
    path.config.write_text(yaml.safe_dump(document))


WRONG: list[tuple[dict[str, Any], type[DuctrunnerError], str]] = [
    ({"password": "hunter2secret"}, AccessDenied, "refused user"),
    ({"port": 1}, DuctrunnerError, "cannot connect"),
    ({"database_name": "nowhere"}, NotFound, "no such database"),
    ({"iam_role": None}, SettingsError, "redshift.iam_role"),
    ({"iam_role": "nonsense"}, StatementFailed, "Invalid IAM role"),
    ({"password": "file:/not/there"}, NotFound, "/not/there"),
]


@pytest.mark.parametrize(("settings", "kind", "said"), WRONG, ids=[str(case[0]) for case in WRONG])
def test_a_wrong_setting_of_the_warehouse_is_named(
    path: Any, table: str, settings: dict[str, Any], kind: type[DuctrunnerError], said: str
) -> None:
    changed(path, redshift=settings)
    for step in (path.load, path.upsert):
        with pytest.raises(kind) as refused:
            step(columns(table), path.put("s/1.tsv", tsv((1, "new", 2))))
        assert said in str(refused.value)
        assert "hunter2secret" not in str(refused.value)
    assert path.in_target(f"SELECT v FROM {table}") == [("old",)]


def test_grants_are_given_with_a_new_table_and_a_failing_one_leaves_no_table(path: Any) -> None:
    name, place = path.name("granted"), path.put("p/1.tsv", tsv((1, "new", 2)))
    changed(path, database={"permissions": [{"group": "nobody_knows_them", "permission": "SELECT"}]})
    with pytest.raises(StatementFailed, match=r"grant SELECT on .*nobody_knows_them"):
        path.load(columns(name), place)
    assert not path.in_target(f"SELECT 1 FROM pg_class WHERE relname = '{name}'")
    (user,) = path.in_target("SELECT CURRENT_USER")[0]
    changed(path, database={"permissions": [{"user": user, "permission": "select, insert"}]})
    path.load(columns(name), place)
    assert path.in_target(f"SELECT has_table_privilege('{user}', '{name}', 'SELECT WITH GRANT OPTION')") == [(True,)]


def test_a_comparison_with_an_unknown_source_is_refused_before_anything_is_done(path: Any, table: str) -> None:
    with pytest.raises(ParameterError, match=r"no source 'sorce'.*it knows: source"):
        path.upsert(columns(table), path.put("c/1.tsv", b""), compare_host="sorce", compare_table="t")
