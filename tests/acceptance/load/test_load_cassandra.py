"""``load-cassandra`` on a real node: the rows that are there afterwards, and when they were written."""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import yaml

from core.errors import (
    AccessDenied,
    CheckFailed,
    LoadRejected,
    NotFound,
    ParameterError,
    RecordMalformed,
    SchemaMismatch,
    StoreUnreachable,
    UnsupportedValue,
)
from core.sections.databases import CassandraSettings
from sandbox.certificates import issue
from sandbox.parts.cassandra import CassandraPart
from steps_impl.contract import StepContext, StepResult
from steps_impl.formats.delimited import FORMATS
from steps_impl.registry import load_step
from stores.cassandra.session import Session, connect
from tests.conftest import CHECKOUT
from tests.integration.agent.conftest import eventually
from tests.phases import Silent

AS_OF = "2026-01-31T02:00:00Z"
MICROSECONDS = 1_769_824_800_000_000


@dataclass
class Ring:
    """The cluster of a test: its tables, files, and the step, here or as a process."""

    session: Session
    folder: Path
    configuration: Path
    cancelled: threading.Event = field(default_factory=threading.Event)
    columns: dict[str, list[str]] = field(default_factory=dict)

    def make(self, columns: str) -> str:
        table = f"t_{secrets.token_hex(5)}"
        self.columns[table] = [part.split()[0] for part in columns.split(", ")]
        self.session.rows(f"CREATE TABLE products.{table} ({columns})")
        return table

    def file(self, content: bytes | str) -> str:
        path = self.folder / f"{secrets.token_hex(4)}.tsv"
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return str(path)

    def values(self, *rows: tuple[Any, ...]) -> str:
        return self.file(FORMATS["tsv"].encode([[None if v is None else str(v).encode() for v in row] for row in rows]))

    def rows(self, table: str, what: str = "*") -> list[tuple[Any, ...]]:
        return sorted(map(tuple, self.session.rows(f"SELECT {what} FROM products.{table}")), key=str)

    def load(self, table: str, source: str, environment: dict[str, str] | None = None, **given: Any) -> StepResult:
        step = load_step("load-cassandra")
        columns = {"columns": self.columns.get(table, ["id"])}
        parameters = {"input": [source], "table": table, "write_timestamp": AS_OF, **columns, **given}
        context = StepContext(Silent(), self.cancelled, {**os.environ, **(environment or {})})
        return step.run(step.parameters.model_validate(parameters), context)

    def start(self, table: str, source: str, *flags: str) -> subprocess.Popen[str]:
        words = [
            "--table",
            table,
            "--input",
            source,
            "--write-timestamp",
            AS_OF,
            "--columns",
            *self.columns[table],
            *flags,
        ]
        command = [sys.executable, "-m", "ductrunner", "step", "load-cassandra", *words]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=CHECKOUT)

    def change(self, **values: Any) -> None:
        document = yaml.safe_load(self.configuration.read_text())
        document["cassandra"].update(values)
        self.configuration.write_text(yaml.safe_dump(document))


@pytest.fixture(scope="session")
def section(cassandra_server: CassandraPart) -> dict[str, Any]:
    address = cassandra_server.ensure_keyspace("products", "products")
    return {
        "contact_points": [address.host], "port": address.port, "username": address.username,
        "password": f"file:{address.password_file}", "keyspace": address.database,
    }  # fmt: skip


@pytest.fixture(scope="session")
def session(section: dict[str, Any]) -> Iterator[Session]:
    with connect(CassandraSettings.model_validate(section)) as opened:
        yield opened


@pytest.fixture
def ring(section: dict[str, Any], session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ring:
    configuration = tmp_path / "ductrunner.yaml"
    configuration.write_text(yaml.safe_dump({"cassandra": section, "etl": {"connection_retries": 0}}))
    monkeypatch.setenv("DUCTRUNNER_CONFIG", str(configuration))
    return Ring(session, tmp_path, configuration)


def test_rows_are_written_as_of_the_stated_time_and_a_rerun_changes_nothing(ring: Ring) -> None:
    table = ring.make("id int PRIMARY KEY, v text, w text")
    source = ring.values((1, "a", "x"), (2, "b", None), (1, "c", None))
    done = ring.load(table, source)
    assert done.rows == 3
    expected = [(1, "c", "x", MICROSECONDS), (2, "b", None, MICROSECONDS - 1)]
    assert ring.rows(table, "id, v, w, writetime(v)") == expected
    ring.load(table, source)
    assert ring.rows(table, "id, v, w, writetime(v)") == expected


def test_rows_go_over_tls_to_a_node_that_is_known_and_to_no_other(
    ring: Ring, cassandra_server: CassandraPart, tmp_path: Path
) -> None:
    table = ring.make("id int PRIMARY KEY, v text")
    ring.change(ssl_mode="verify-full", ssl_ca=str(cassandra_server.authority))
    ring.load(table, ring.values((1, "a")))
    assert ring.rows(table) == [(1, "a")]
    authority, _ = issue()
    (tmp_path / "other.crt").write_bytes(authority)
    ring.change(ssl_ca=str(tmp_path / "other.crt"))
    with pytest.raises(StoreUnreachable):
        ring.load(table, ring.values((2, "b")))
    assert ring.rows(table) == [(1, "a")]


def test_what_was_written_since_is_not_overwritten(ring: Ring) -> None:
    table = ring.make("id int PRIMARY KEY, v text")
    ring.session.rows(f"INSERT INTO products.{table} (id, v) VALUES (1, 'newer')")
    ring.session.rows(f"INSERT INTO products.{table} (id, v) VALUES (2, 'older') USING TIMESTAMP {MICROSECONDS - 9}")
    ring.load(table, ring.values((1, "loaded"), (2, "loaded")))
    assert ring.rows(table) == [(1, "newer"), (2, "loaded")]


def test_the_time_of_a_task_is_when_its_instance_was_scheduled(ring: Ring) -> None:
    table = ring.make("id int PRIMARY KEY, v text")
    for attempt in ("1", "2"):
        task = {"DUCTRUNNER_ATTEMPT_ID": f"@Load_2026-01-31T02:00:00_Attempt={attempt}"}
        ring.load(table, ring.values((1, "a")), task, write_timestamp=None)
        assert ring.rows(table, "writetime(v)") == [(MICROSECONDS,)]
    with pytest.raises(ParameterError, match="--write-timestamp: say as of when"):
        ring.load(table, ring.values((1, "b")), write_timestamp=None)


def test_null_leaves_a_column_alone_or_deletes_its_value(ring: Ring) -> None:
    table = ring.make("id int PRIMARY KEY, v text, w text")
    before = f"INSERT INTO products.{table} (id, v, w) VALUES (1, 'old', 'old') USING TIMESTAMP 5"
    ring.session.rows(before)
    ring.load(table, ring.values((1, "new", None)))
    assert ring.rows(table) == [(1, "new", "old")]
    ring.load(table, ring.values((1, "new", None)), nulls="tombstone")
    assert ring.rows(table) == [(1, "new", None)]


def test_rows_expire_when_that_is_asked_for(ring: Ring) -> None:
    table = ring.make("id int PRIMARY KEY, v text")
    ring.load(table, ring.values((1, "a")), ttl=5000)
    [(left,)] = ring.rows(table, "ttl(v)")
    assert 4000 < left <= 5000


TYPES = [
    ("tinyint", "-128"), ("smallint", "32767"), ("int", "-2147483648"), ("bigint", "9223372036854775807"),
    ("varint", "123456789012345678901234567890"), ("decimal", "9999999999999999999999999999.0123456789"),
    ("double", "1e-300"), ("double", "NaN"), ("double", "-Infinity"), ("float", "0.5"), ("boolean", "True"),
    ("text", ""), ("text", "NULL"), ("text", r"\N"), ("text", "C:\\new\ta\r\nb 🚲 \0"), ("ascii", "a'b"),
    ("uuid", "00000000-0000-4000-8000-0000000000ff"), ("timeuuid", "50554d6e-29bb-11e5-b345-feff819cdc9f"),
    ("date", "2026-01-31"), ("time", "23:59:59.123456789"), ("blob", "00ff5c0a"), ("inet", "::1"),
]  # fmt: skip


def test_texts_become_the_values_of_every_type(ring: Ring) -> None:
    columns = ", ".join(f"c{number} {kind}" for number, (kind, _) in enumerate(TYPES))
    table = ring.make(f'id int PRIMARY KEY, {columns}, "select" timestamp, nothing timestamp')
    names = ["id", *(f"c{number}" for number in range(len(TYPES))), "select", "nothing"]
    row = (1, *(value for _, value in TYPES), "2026-01-31 03:00:00.500+01", None)
    ring.load(table, ring.values(row), columns=names)
    [found] = ring.rows(table, ", ".join(names[1:-2]))
    texts = ["".join(f"{b:02x}" for b in value) if isinstance(value, bytes) else str(value) for value in found]
    spelling = {"NaN": "nan", "-Infinity": "-inf"}
    assert texts == [spelling.get(value, value) for _, value in TYPES]
    [(moment, nothing)] = ring.rows(table, '"select", nothing')
    assert (moment.isoformat(), nothing) == ("2026-01-31T02:00:00.500000", None)


def test_collections_and_user_types_are_json(ring: Ring) -> None:
    ring.session.rows("CREATE TYPE IF NOT EXISTS products.place (city text, at frozen<tuple<int, double>>)")
    kinds = "l list<int>, s set<text>, m map<text, decimal>, u frozen<place>, n list<frozen<map<int, text>>>"
    table = ring.make(f"id int PRIMARY KEY, {kinds}")
    row = (1, "[3, 1]", '["b", "a"]', '{"x": 1.10}', '{"city": "Ulm", "at": [1, 2.5]}', '[{"1": "a"}]')
    ring.load(table, ring.values(row), columns=["id", "l", "s", "m", "u", "n"])
    [(numbers, s, m, u, n)] = ring.rows(table, "l, s, m, u, n")
    assert (numbers, sorted(s), {k: str(v) for k, v in m.items()}) == ([3, 1], ["a", "b"], {"x": "1.10"})
    assert (u.city, u.at, [dict(item) for item in n]) == ("Ulm", (1, 2.5), [{1: "a"}])


def test_a_bad_value_is_told_by_file_and_line_and_nothing_is_written(ring: Ring) -> None:
    table = ring.make("id int, k text, v timestamp, d decimal, l list<int>, PRIMARY KEY (id, k)")
    good = "1\tk\t2026-01-01\t1\t[1]\n"
    for line, told in [
        ("x\tk\t\\N\t1\t[]", "line 2, column id: it should be a whole number"),
        ("3000000000\tk\t\\N\t1\t[]", "line 2, column id: it should fit into 32 bits"),
        ("1\t\\N\t\\N\t1\t[]", "line 2, column k: NULL, which a primary key"),
        ("1\tk\t2026-02-30\t1\t[]", "line 2, column v: it should be a day of the calendar"),
        ("1\tk\t2026-02-01 00:00:00.000001\t1\t[]", "line 2, column v: a timestamp ends at the millisecond"),
        ("1\tk\t\\N\tsecret\t[]", "line 2, column d: it should be a decimal"),
        ("1\tk\t\\N\t1\t[1", "line 2, column l: it should be JSON"),
        ("1\tk\t\\N\t1\t[null]", "line 2, column l: a list, set or map holds no NULL"),
        ("1\tk", "line 2: it has 2 values"),
        (b"1\t\xff\t\\N\t1\t[]", "line 2, column k: not UTF-8"),
    ]:
        content = good.encode() + (line if isinstance(line, bytes) else line.encode()) + b"\n"
        with pytest.raises((UnsupportedValue, LoadRejected), match=told) as failed:
            ring.load(table, ring.file(content), columns=["id", "k", "v", "d", "l"])
        assert "secret" not in str(failed.value)
    assert ring.rows(table) == []


def test_a_row_that_only_the_server_refuses_is_told_by_file_and_line(ring: Ring) -> None:
    table = ring.make("k text PRIMARY KEY, v text")
    with pytest.raises(LoadRejected, match=r"refused .*\.tsv, line 2: key may not be empty"):
        ring.load(table, ring.values(("a", 1), ("", 2), ("c", 3)))


def test_what_cannot_be_loaded_is_refused_before_anything_is_written(ring: Ring) -> None:
    table = ring.make("id int PRIMARY KEY, v text")
    counters = ring.make("id int PRIMARY KEY, n counter")
    durations = ring.make("id int PRIMARY KEY, n duration")
    (ring.folder / "part-0").write_bytes(b"1\ta\n")
    manifest = ring.folder / "manifest"
    manifest.write_text(json.dumps({"entries": [{"url": "part-0", "meta": {"record_count": 2}}]}))
    source = ring.values((1, "a"))
    for error, told, into, path, given in [
        (NotFound, "there is no table products.nothing", "nothing", source, {}),
        (SchemaMismatch, "no column to write other", table, source, {"columns": ["id", "other"]}),
        (ParameterError, "do not hold the key id", table, source, {"columns": ["v"]}),
        (ParameterError, "--columns: say which", table, source, {"columns": []}),
        (ParameterError, "holds counters", counters, source, {}),
        (ParameterError, "type duration cannot be loaded", durations, source, {}),
        (CheckFailed, "holds 1 rows, and its manifest says 2", table, str(manifest), {}),
        (NotFound, "no file or directory", table, str(ring.folder / "none"), {}),
        (RecordMalformed, "no JSON", table, source, {"input_format": "json"}),
    ]:
        with pytest.raises(error, match=told):
            ring.load(into, path, **given)
    assert ring.rows(table) == []


def test_a_cluster_that_refuses_or_is_not_there_is_told(ring: Ring) -> None:
    table = ring.make("id int PRIMARY KEY, v text")
    source = ring.values((1, "a"))
    for error, changed in [
        (StoreUnreachable, {"port": 1}),
        (AccessDenied, {"password": "wrong"}),
        (StoreUnreachable, {"ssl_mode": "verify-full"}),
        (StoreUnreachable, {"datacenter": "elsewhere"}),
    ]:
        before = ring.configuration.read_text()
        ring.change(**changed)
        with pytest.raises(error):
            ring.load(table, source)
        ring.configuration.write_text(before)
    assert ring.rows(table) == []


@pytest.mark.parametrize("signal_number", [signal.SIGKILL, signal.SIGTERM])
def test_a_load_that_is_ended_in_the_middle_is_completed_by_a_rerun(ring: Ring, signal_number: signal.Signals) -> None:
    table = ring.make("id int PRIMARY KEY, v text")
    source = ring.values(*((number, "loaded") for number in range(1500)))
    process = ring.start(table, source, "--rate", "300")
    eventually(lambda: ring.rows(table, "COUNT(*)")[0][0] > 50, "it writes")
    process.send_signal(signal_number)
    _, said = process.communicate(timeout=60)
    assert process.returncode == (143 if signal_number == signal.SIGTERM else -signal.SIGKILL)
    if signal_number == signal.SIGTERM:
        assert "rows of 1500; those that are written stay" in said
    some = ring.rows(table, "COUNT(*)")[0][0]
    assert some < 1500
    ring.load(table, source)
    assert ring.rows(table, "COUNT(*), MAX(writetime(v))") == [(1500, MICROSECONDS)]
