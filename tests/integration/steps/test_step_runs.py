"""Steps as processes: exit status, result file, stdout and stderr, with steps that exist only here."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys

import pytest

PROBE = """
from __future__ import annotations
import sys, time
from pathlib import Path
from pydantic import Field, model_validator
from core.errors import CheckFailed, StatementFailed
from core.redaction import REDACTOR
from steps_impl.contract import StepContext, StepResult
from steps_impl.registry import Parameters, Step

class P(Parameters):
    act: str = Field(description="what to do")
    number: int = Field(default=3, ge=1, description="a number")
    token: str = Field(default="hunter2-secret", description="a secret")
    @model_validator(mode="after")
    def _odd(self):
        if self.number == 4:
            raise ValueError("--number may not be four")
        return self

def run(p, context):
    REDACTOR.register(p.token)
    if p.act == "check":
        raise CheckFailed("3 keys twice")
    if p.act == "refuse":
        raise StatementFailed(f"password {p.token} in a message")
    if p.act == "break":
        raise RuntimeError(f"bug with {p.token}")
    if p.act == "wait":
        context.reporter.progress("waits", rows=1)
        context.cancelled.wait()
        Path(context.environment["CLEANED"]).write_text("yes")
        raise InterruptedError
    return StepResult(rows=p.number, bytes=10, details={"note": p.token})

STEP = Step("probe", "A probe.", P, run)
"""
MAIN = """
import json, sys
sys.path.insert(0, sys.argv.pop(1))
from pathlib import Path
import probe_step
from steps_impl import catalogue, registry
from steps_impl.describe import describe_step
registry.MODULES["probe"] = "probe_step"
catalogue.FILE = Path(sys.argv.pop(1))
catalogue.FILE.write_text(json.dumps({"probe": describe_step(probe_step.STEP)}))
from ductrunner.cli import main
main()
"""


@pytest.fixture
def command(tmp_path):
    (tmp_path / "probe_step.py").write_text(PROBE)
    return [sys.executable, "-c", MAIN, str(tmp_path), str(tmp_path / "catalog.json"), "step", "probe"]


@pytest.fixture
def probe(command, tmp_path):
    def run(*arguments, stdin=None):
        result = tmp_path / "result.json"
        done = subprocess.run(
            [*command, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env={**os.environ, "DUCTRUNNER_RESULT": str(result)},
            check=False,
        )
        return done, json.loads(result.read_text())

    return run


def test_a_finished_step_leaves_its_result_in_the_file_and_on_stdout(probe):
    done, result = probe("--act", "work", "--number", "5")
    assert done.returncode == 0
    assert result == {"status": "finished", "rows": 5, "bytes": 10, "details": {"note": "[redacted]"}}
    assert json.loads(done.stdout) == {"step": "probe", **result}


@pytest.mark.parametrize(
    ("act", "status", "error_id"),
    [("check", 3, "CheckFailed"), ("refuse", 1, "StatementFailed"), ("break", 1, "InternalError")],
)
def test_a_failed_step_says_what_happened_with_its_exit_status(probe, act, status, error_id):
    done, result = probe("--act", act)
    assert done.returncode == status
    assert (result["status"], result["errorId"]) == ("failed", error_id)
    assert f"ductrunner: {error_id}: {result['errorMessage']}\n" in done.stderr
    assert json.loads(done.stdout)["errorId"] == error_id
    assert "hunter2" not in done.stdout + done.stderr + json.dumps(result)


def test_a_traceback_is_shown_for_an_unknown_error_only(probe):
    assert "Traceback" in probe("--act", "break")[0].stderr
    assert "Traceback" not in probe("--act", "refuse")[0].stderr


def test_every_fault_of_the_parameters_has_its_line_and_the_status_is_two(probe):
    done, result = probe("--numbr", "--number", "0", "--params", "/nowhere/at/all")
    assert done.returncode == 2
    lines = done.stderr.splitlines()
    assert "ductrunner: InvalidParameters: --numbr: unknown flag, did you mean --number?" in lines
    assert "ductrunner: InvalidParameters: --params: cannot read /nowhere/at/all: No such file or directory" in lines
    assert "ductrunner: InvalidParameters: --act: is required" in lines
    assert any(line.startswith("ductrunner: InvalidParameters: --number: ") for line in lines)
    assert len(lines) == 4
    assert result["errorId"] == "InvalidParameters"


def test_a_rule_over_several_parameters_is_told_in_its_own_words(probe):
    done, _ = probe("--act", "work", "--number", "4")
    assert done.stderr == "ductrunner: InvalidParameters: --number may not be four\n"


def test_parameters_come_from_a_file_or_stdin_and_flags_win(probe, tmp_path):
    file = tmp_path / "params.json"
    file.write_text(json.dumps({"act": "work", "number": 7}))
    assert probe("--params", str(file))[1]["rows"] == 7
    assert probe("--params", str(file), "--number", "8")[1]["rows"] == 8
    assert probe("--params", "-", stdin='{"act": "work", "number": 9}')[1]["rows"] == 9


@pytest.mark.parametrize("text", ["[1]", "{", "3"])
def test_params_that_are_no_json_object_are_refused(probe, text):
    done, _ = probe("--params", "-", stdin=text)
    assert done.returncode == 2
    assert "--params: - " in done.stderr


def test_an_unknown_key_of_the_params_file_names_the_nearest(probe):
    done, _ = probe("--params", "-", stdin='{"act": "work", "numbr": 9}')
    assert "--numbr: unknown parameter, did you mean number?" in done.stderr


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stopped_step_cleans_up_and_ends_with_143(command, tmp_path, number):
    result, cleaned = tmp_path / "result.json", tmp_path / "cleaned"
    environment = {**os.environ, "DUCTRUNNER_RESULT": str(result), "CLEANED": str(cleaned)}
    process = subprocess.Popen(
        [*command, "--act", "wait"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    )
    assert process.stderr
    assert process.stderr.readline().rstrip().endswith("probe  1 rows  waits")
    assert json.loads(result.read_text()) == {"status": "running", "progress": {"rows": 1, "phase": "waits"}}
    process.send_signal(number)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert cleaned.read_text() == "yes"
    assert json.loads(result.read_text())["errorId"] == "Interrupted"
    assert errors.startswith("ductrunner: Interrupted: probe was asked to stop")


def test_an_unknown_step_ends_with_two_and_the_nearest_name(command):
    done = subprocess.run([*command[:-1], "prob"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "did you mean probe" in done.stderr
