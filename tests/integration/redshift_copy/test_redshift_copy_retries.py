"""Attempts that come twice, at once, or back from the dead: one load, or none; never half of one."""

from __future__ import annotations

import signal
import subprocess
import sys
from typing import Any

import pytest

from core.errors import StoreError
from steps_impl.contract import ATTEMPT_VARIABLE, PIPELINE_VARIABLE

CREATE = "CREATE TABLE t (id int PRIMARY KEY, s varchar(20))"
ROWS = 1000
#: Runs the activity and dies at a phase of it, or when its COMMIT has been answered.
_KILLED = """
import json, os, signal, sys, threading
from steps_impl.activities.redshift_copy_activity import STEP
from core.errors import StoreError
from steps_impl.contract import StepContext
from stores.redshift.session import Session

point = sys.argv[2]
def die():
    os.kill(os.getpid(), signal.SIGKILL)
class Reporter:
    def progress(self, phase, **_):
        if phase == point:
            die()
run = Session._run
def run_and_die(self, statement, **options):
    done = run(self, statement, **options)
    if statement.text == point or statement.doing.startswith(point):
        die()
    return done
Session._run = run_and_die
parameters = STEP.parameters.model_validate(json.load(open(sys.argv[1])))
STEP.run(parameters, StepContext(Reporter(), threading.Event(), dict(os.environ)))
"""


@pytest.fixture
def files(desk):
    """Files with rows for the table ``t``."""
    desk.put("in/a.csv", "".join(f"{n},new\n" for n in range(ROWS)))
    return desk.node(f"s3://{desk.bucket}/in/", dataFormat={"type": "CSV"})


class Instance:
    """An instance of the activity at a real service, whose attempts this test takes like a worker."""

    def __init__(self, client: Any) -> None:
        self.client = client
        self.pipeline = client.create_pipeline(name="append", uniqueId="append")["pipelineId"]
        self._task = ""

    def activate(self, group: str) -> None:
        objects = {
            "Default": [("scheduleType", "ondemand"), ("failureAndRerunMode", "CASCADE")],
            "Copy": [
                ("type", "ShellCommandActivity"),
                ("command", "true"),
                ("workerGroup", group),
                ("retryDelay", "1 second"),
            ],
            "Wait": [("type", "ShellCommandActivity"), ("command", "true"), ("workerGroup", group + "-2")],
        }
        definition = [
            {"id": key, "name": key, "fields": [{"key": name, "stringValue": text} for name, text in fields]}
            for key, fields in objects.items()
        ]
        answer = self.client.put_pipeline_definition(pipelineId=self.pipeline, pipelineObjects=definition)
        assert not answer["errored"], answer
        self.client.activate_pipeline(pipelineId=self.pipeline)

    def take(self, group: str) -> dict[str, str]:
        """Take the next attempt; return what its step finds in its environment."""
        while "taskId" not in (task := self.client.poll_for_task(workerGroup=group).get("taskObject") or {}):
            continue
        self._task = task["taskId"]
        self.client.report_task_progress(taskId=self._task)
        return {PIPELINE_VARIABLE: self.pipeline, ATTEMPT_VARIABLE: task["attemptId"]}

    def report(self, status: str) -> None:
        self.client.set_task_status(taskId=self._task, taskStatus=status)

    def rerun(self, attempt: str) -> None:
        instance = attempt.rpartition("_Attempt=")[0]
        self.client.set_status(pipelineId=self.pipeline, objectIds=[instance], status="RERUN")


@pytest.fixture
def instance(datapipeline_environment, aws_environment):
    """An activity that waits for a worker."""
    import boto3

    found = Instance(boto3.client("datapipeline"))
    found.activate(found.pipeline)
    return found


def test_an_append_is_done_once_however_often_its_attempt_is_handed_out(desk, files):
    desk.sql(CREATE)
    desk.identity = {PIPELINE_VARIABLE: "df-1", ATTEMPT_VARIABLE: "@Copy_2026-01-01T00:00:00_Attempt=1"}
    assert desk.run(files, desk.table("t"), "APPEND").rows == ROWS
    again = desk.run(files, desk.table("t"), "APPEND")
    assert (again.rows, again.details["already_loaded_by"]) == (0, desk.identity[ATTEMPT_VARIABLE])
    desk.identity[ATTEMPT_VARIABLE] = "@Copy_2026-01-02T00:00:00_Attempt=1"
    assert desk.run(files, desk.table("t"), "APPEND").rows == ROWS
    assert desk.sql("SELECT count(*) FROM t") == [(2 * ROWS,)]


def test_a_table_that_was_dropped_meanwhile_is_made_and_filled_again(desk, files):
    desk.identity = {PIPELINE_VARIABLE: "df-1", ATTEMPT_VARIABLE: "@Copy_2026-01-01T00:00:00_Attempt=1"}
    for _ in range(2):
        desk.run(files, desk.table("t", createTableSql=CREATE), "APPEND")
        assert desk.sql("SELECT count(*) FROM t") == [(ROWS,)]
        desk.sql("DROP TABLE t")


def test_a_retry_finds_the_load_done_and_a_rerun_appends_again(desk, files, instance):
    desk.sql(CREATE)
    desk.identity = instance.take(instance.pipeline)
    assert desk.run(files, desk.table("t"), "APPEND").rows == ROWS
    instance.report("FAILED")  # the commit was done and its answer lost
    desk.identity = instance.take(instance.pipeline)
    assert desk.run(files, desk.table("t"), "APPEND").rows == 0
    instance.report("FINISHED")
    assert desk.sql("SELECT count(*) FROM t") == [(ROWS,)]
    instance.rerun(desk.identity[ATTEMPT_VARIABLE])
    stale, desk.identity = desk.identity, instance.take(instance.pipeline)
    assert desk.run(files, desk.table("t"), "APPEND").rows == ROWS  # what was reported as done is done again
    desk.identity = stale
    assert desk.run(files, desk.table("t"), "APPEND").rows == 0  # an attempt that was long gone wakes up
    assert desk.sql("SELECT count(*) FROM t") == [(2 * ROWS,)]


def test_an_append_that_cannot_ask_about_the_former_attempt_does_not_guess(desk, files, datapipeline_environment):
    desk.sql(CREATE)
    desk.identity = {PIPELINE_VARIABLE: "df-gone", ATTEMPT_VARIABLE: "@Copy_2026-01-01T00:00:00_Attempt=1"}
    desk.run(files, desk.table("t"), "APPEND")
    desk.identity[ATTEMPT_VARIABLE] = "@Copy_2026-01-01T00:00:00_Attempt=2"
    with pytest.raises(StoreError, match="DescribeObjects"):
        desk.run(files, desk.table("t"), "APPEND")
    assert desk.sql("SELECT count(*) FROM t") == [(ROWS,)]


def test_without_records_or_by_hand_every_run_appends(desk, files):
    desk.sql(CREATE)
    desk.run(files, desk.table("t"), "APPEND")
    desk.identity = {PIPELINE_VARIABLE: "df-1", ATTEMPT_VARIABLE: "@Copy_2026-01-01T00:00:00_Attempt=1"}
    desk.settings = {"redshift_copy_activity": {"load_records": "off"}}
    for _ in range(2):
        desk.run(files, desk.table("t"), "APPEND")
    assert desk.sql("SELECT count(*) FROM t") == [(3 * ROWS,)]
    assert desk.sql("SELECT count(*) FROM pg_tables WHERE tablename = 'ductrunner_loads'") == [(0,)]


@pytest.mark.parametrize(
    ("mode", "create"),
    [
        ("APPEND", "CREATE TABLE"),
        ("APPEND", "CREATE TABLE IF NOT EXISTS"),
        ("KEEP_EXISTING", "CREATE TABLE IF NOT EXISTS"),
        ("OVERWRITE_EXISTING", "CREATE TABLE"),
        ("TRUNCATE", "CREATE TABLE IF NOT EXISTS"),
    ],
)
def test_two_at_once_end_with_one_load(desk, files, mode, create):
    table = desk.table("t", createTableSql=CREATE.replace("CREATE TABLE", create))
    command = desk.command(desk.document(files, table, mode))
    identity = {PIPELINE_VARIABLE: "df-1", ATTEMPT_VARIABLE: "@Copy_2026-01-01T00:00:00_Attempt=1"}
    both = [start(command, desk.environment(**identity)) for _ in range(2)]
    assert [finish(process)[0] for process in both] == [0, 0]
    assert desk.sql("SELECT count(*), count(DISTINCT id) FROM t") == [(ROWS, ROWS)]


def test_many_different_loads_into_one_table_all_arrive(desk):
    desk.sql(CREATE)
    commands = []
    for number in range(4):
        place = desk.put(f"in{number}/a.csv", "".join(f"{number * ROWS + n},x\n" for n in range(ROWS)))
        document = desk.document(desk.node(place), desk.table("t"), "OVERWRITE_EXISTING")
        commands.append(desk.command(document, f"{number}.json"))
    started = [start(command, desk.environment()) for command in commands]
    assert [finish(process)[0] for process in started] == [0] * 4
    assert desk.sql("SELECT count(DISTINCT id) FROM t") == [(4 * ROWS,)]


@pytest.mark.parametrize(
    ("mode", "point", "loaded"),
    [
        ("APPEND", "load s3://", False),
        ("APPEND", "lock", False),
        ("APPEND", "insert into", False),
        ("APPEND", "write public.ductrunner_loads", False),
        ("APPEND", "COMMIT", True),
        ("TRUNCATE", "delete the rows", False),
        ("TRUNCATE", "insert into", False),
        ("TRUNCATE", "COMMIT", True),
    ],
)
def test_a_kill_leaves_all_or_nothing_and_the_next_run_completes_it(desk, files, mode, point, loaded):
    desk.sql(CREATE)
    desk.sql("INSERT INTO t VALUES (-1, 'old')")
    desk.identity = {PIPELINE_VARIABLE: "df-1", ATTEMPT_VARIABLE: "@Copy_2026-01-01T00:00:00_Attempt=1"}
    desk.command(desk.document(files, desk.table("t"), mode))
    command = [sys.executable, "-c", _KILLED, str(desk.folder / "parameters.json"), point]
    assert finish(start(command, desk.environment()))[0] == -signal.SIGKILL
    kept = 1 if mode == "APPEND" else 0
    assert desk.sql("SELECT count(*) FROM t") == [(ROWS + kept if loaded else 1,)]
    desk.run(files, desk.table("t"), mode)
    assert desk.sql("SELECT count(*) FROM t") == [(ROWS + kept,)]


def test_a_killed_load_does_not_leave_the_table_that_it_made(desk, files):
    desk.command(desk.document(files, desk.table("t", createTableSql=CREATE), "TRUNCATE"))
    command = [sys.executable, "-c", _KILLED, str(desk.folder / "parameters.json"), "exchange"]
    assert finish(start(command, desk.environment()))[0] == -signal.SIGKILL
    assert desk.sql("SELECT count(*) FROM pg_tables WHERE tablename = 't'") == [(0,)]
    desk.run(files, desk.table("t", createTableSql=CREATE), "TRUNCATE")


def test_sigterm_ends_a_load_that_waits_and_leaves_nothing(desk, files):
    desk.sql(CREATE)
    holder = desk.connect()
    with holder.cursor() as cursor:
        cursor.execute("LOCK t")
        process = start(desk.command(desk.document(files, desk.table("t"), "TRUNCATE")), desk.environment())
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        while desk.sql(waiting) == [(0,)]:
            assert process.poll() is None, finish(process)
        process.send_signal(signal.SIGTERM)
        code, output = finish(process)
    holder.close()
    assert (code, "Interrupted" in output) == (143, True)
    assert desk.sql("SELECT count(*) FROM t") == [(0,)]


def test_a_warehouse_that_is_gone_is_named_and_no_secret_is_told(desk, files):
    table = desk.table("t")
    table["database"]["connectionString"] = "jdbc:redshift://127.0.0.1:9/gone"
    table["database"]["*password"] = "a-very-secret-word"
    code, output = finish(start(desk.command(desk.document(files, table, "TRUNCATE")), desk.environment()))
    assert code == 1
    assert "StoreUnreachable" in output
    assert "127.0.0.1:9" in output
    assert "a-very-secret-word" not in output


def test_keys_reach_the_warehouse_and_nothing_else(desk, files):
    create = "CREATE TABLE t (id int, s int)"  # every row is refused
    keys = "CREDENTIALS 'aws_access_key_id=AKIAWORKERWORKER0000;aws_secret_access_key=worker-secret-key-of-options'"
    document = desk.document(files, desk.table("t", createTableSql=create), "TRUNCATE", commandOptions=[keys])
    code, output = finish(start(desk.command(document), desk.environment()))
    assert code == 1
    assert "LoadRejected" in output
    for secret in ("worker-secret-key-of-options", "sandbox-secret-access-key", desk.address.password):
        assert secret not in output


def start(command, environment):
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finish(process):
    output, _ = process.communicate(timeout=120)
    return process.returncode, output
