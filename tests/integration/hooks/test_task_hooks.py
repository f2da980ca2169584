"""What the hooks around a task may do, and what becomes of the task when one of them fails."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import psutil
import pytest


def test_the_hooks_run_in_their_order_around_the_command_and_write_into_its_logs(hooked):
    for name in ("environment", "pre-task.sh", "post-task"):
        hooked.hook(name, 'echo "$DUCTRUNNER_HOOK"; echo "$DUCTRUNNER_HOOK careful" >&2\n')
    attempt = hooked.run("echo command; echo careful >&2")
    assert attempt["@status"] == "FINISHED", attempt
    assert attempt["out"].splitlines() == ["environment", "pre-task", "command", "post-task"]
    assert attempt["err"].splitlines() == ["environment careful", "pre-task careful", "careful", "post-task careful"]


def test_what_a_shell_hook_exports_unsets_and_where_it_goes_reaches_the_command_and_later_hooks(hooked, tmp_path):
    (tmp_path / "place with space").mkdir()
    hooked.hook(
        "environment",
        "#!/bin/bash\nexport LINES_OF=$'first\\nsecond = \"third\"'\nexport EMPTY=\nLOCAL=hidden\nunset GIVEN\n"
        f"PATH=/nowhere\ncd '{tmp_path}/place with space'\nexit 0\n",
    )
    hooked.hook("pre-task", 'PATH=/usr/bin:/bin\nprintf "%s|" "$LINES_OF" "$PWD"\n')
    attempt = hooked.run('printf "%s|" "$LINES_OF" "${EMPTY-unset}" "${LOCAL-unset}" "${GIVEN-unset}" "$PWD"')
    place = f"{tmp_path}/place with space"
    lines = 'first\nsecond = "third"'
    assert attempt["out"] == f"{lines}|{place}|{lines}||unset|unset|{place}|"


def test_a_hook_in_another_language_changes_the_environment_through_the_file(hooked):
    hooked.hook(
        "environment.py",
        "#!/usr/bin/env python3\nimport os\nwith open(os.environ['DUCTRUNNER_ENV_FILE'], 'a') as file:\n"
        "    file.write('# a comment\\n\\nBY_FILE=a = b\\nexport SECOND=2\\n')\n",
    )
    assert hooked.run('echo "$BY_FILE $SECOND"')["out"] == "a = b 2\n"


def test_a_compiled_program_is_a_hook_too(hooked):
    shutil.copy(shutil.which("true"), hooked.hooks / "pre-task")
    assert hooked.run("echo done")["out"] == "done\n"


def test_a_hook_knows_what_it_runs_for(hooked):
    hooked.hook(
        "pre-task",
        'echo "$DUCTRUNNER_ACTIVITY_TYPE $DUCTRUNNER_COMPONENT $DUCTRUNNER_WORKER_GROUP $DUCTRUNNER_ATTEMPT_ID $GIVEN"',
    )
    attempt = hooked.run("true")
    expected = f"ShellCommandActivity Work {hooked.bench.group} {attempt['id']} by the agent\n"
    assert attempt["out"] == expected


def test_variables_of_the_hooks_themselves_do_not_reach_the_command(hooked):
    hooked.hook("environment", "true\n")
    assert hooked.run("env | grep -c -e DUCTRUNNER_HOOK -e DUCTRUNNER_ENV_FILE")["out"] == "0\n"


def test_the_variables_that_mark_an_attempt_cannot_be_changed(hooked):
    hooked.hook("environment", "export DUCTRUNNER_TASK_ID=mine DUCTRUNNER_AGENT=mine; unset DUCTRUNNER_RESULT\n")
    attempt = hooked.run('echo "$DUCTRUNNER_TASK_ID $DUCTRUNNER_AGENT ${DUCTRUNNER_RESULT:+there}"')
    assert "mine" not in attempt["out"]
    assert attempt["out"].endswith("there\n")


def test_a_secret_that_a_hook_sets_is_removed_from_the_output(hooked):
    hooked.hook("environment", "export DATABASE_PASSWORD=gr8-secret-of-hook BESIDE=plain-to-see\n")
    attempt = hooked.run('echo "$DATABASE_PASSWORD $BESIDE"; echo "$DATABASE_PASSWORD" >&2; exit 3')
    assert attempt["out"] == "[redacted] plain-to-see\n"
    assert "gr8-secret-of-hook" not in attempt["errorMessage"] + attempt["err"] + hooked.bench.worker.text


def test_a_failing_pre_task_fails_the_task_with_its_output_and_the_command_does_not_run(hooked):
    hooked.hook("pre-task", "echo 'no tasks during the freeze'; echo 'ask ops' >&2; exit 7\n")
    hooked.hook("post-task", "echo after\n")
    attempt = hooked.run("echo command")
    assert (attempt["@status"], attempt["errorId"]) == ("FAILED", "HookFailed")
    assert f"the hook {hooked.hooks}/pre-task ended with exit status 7" in attempt["errorMessage"]
    assert "no tasks during the freeze\nask ops" in attempt["errorMessage"]
    assert attempt["out"] == "no tasks during the freeze\n"


def test_a_shell_hook_that_fails_under_set_e_fails_the_task(hooked):
    hooked.hook("environment", "set -e\nfalse\necho not reached\n")
    attempt = hooked.run("echo command")
    assert (attempt["errorId"], attempt["out"]) == ("HookFailed", "")


@pytest.mark.parametrize(
    ("command", "told"), [("true", "0 "), ("exit 9", "9 CommandFailed"), ("kill -9 $$", "137 CommandKilled")]
)
def test_post_task_is_told_how_the_command_ended(hooked, command, told):
    hooked.hook("post-task", 'echo "$DUCTRUNNER_EXIT_STATUS $DUCTRUNNER_ERROR_ID"\n')
    assert hooked.run(command)["out"] == f"{told}\n"


def test_post_task_runs_after_a_command_that_ran_into_its_time_out(hooked):
    hooked.hook("post-task", 'echo "$DUCTRUNNER_ERROR_ID" >&2\n')
    attempt = hooked.run("sleep 600", attemptTimeout="1 second")
    assert attempt["errorId"] == "ActivityTimedOut"
    assert attempt["err"] == "ActivityTimedOut\n"


def test_a_failing_post_task_fails_a_good_task(hooked):
    hooked.hook("post-task", "echo 'output is not whole'; exit 4\n")
    attempt = hooked.run("echo good")
    assert (attempt["@status"], attempt["errorId"]) == ("FAILED", "HookFailed")
    assert "output is not whole" in attempt["errorMessage"]


def test_a_failing_post_task_does_not_hide_why_the_command_failed(hooked):
    hooked.hook("post-task", "echo post >&2; exit 4\n")
    attempt = hooked.run("echo the reason >&2; exit 3")
    assert attempt["errorId"] == "CommandFailed"
    assert "the reason" in attempt["errorMessage"]
    assert "post" not in attempt["errorMessage"].partition("\nlogs:")[0]
    assert hooked.bench.worker.wait_for("hook_failed")["hook"] == "post-task"


def test_post_task_runs_before_outputs_are_staged_so_it_may_still_change_them(hooked, s3_client, s3_bucket):
    hooked.hook("post-task", "echo by-hook >$OUTPUT1_STAGING_DIR/more\n")
    pipeline = hooked.bench.run(
        {"id": "Out", "type": "S3DataNode", "directoryPath": f"s3://{s3_bucket}/out"},
        {
            "id": "Work",
            "type": "ShellCommandActivity",
            "command": "true",
            "stage": "true",
            "output": {"ref": "Out"},
            "maximumRetries": "0",
        },
    )
    assert hooked.bench.ended(pipeline)["@status"] == "FINISHED"
    assert s3_client.get_object(Bucket=s3_bucket, Key="out/more")["Body"].read() == b"by-hook\n"


def test_a_hook_that_takes_too_long_is_ended_with_its_tree(hooked):
    hooked.hook("pre-task", "setsid sleep 987654 & echo waiting; sleep 987654\n")
    attempt = hooked.run("echo command")
    assert attempt["errorId"] == "HookFailed"
    assert "was ended after 3 s; agent.hook_timeout" in attempt["errorMessage"]
    assert "waiting" in attempt["errorMessage"]
    assert not [entry for entry in psutil.process_iter(["cmdline"]) if "987654" in (entry.info["cmdline"] or ())]


def test_a_time_out_of_the_attempt_ends_a_hook(hooked):
    hooked.hook("pre-task", "sleep 600\n")
    begun = time.monotonic()
    attempt = hooked.run("true", attemptTimeout="1 second")
    assert attempt["errorId"] == "ActivityTimedOut"
    assert time.monotonic() - begun < 600


def test_a_hook_that_is_not_executable_is_an_error_and_not_passed_over(hooked):
    path = hooked.hook("pre-task", "true\n", mode=0o644)
    attempt = hooked.run("echo command")
    assert attempt["errorId"] == "HookFailed"
    assert f"the hook {path} is not executable; run: chmod 755 {path}" in attempt["errorMessage"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only the agent of root refuses them")
def test_a_hook_that_others_may_write_is_refused_by_an_agent_of_root(hooked):
    path = hooked.hook("pre-task", "true\n", mode=0o777)
    attempt = hooked.run("echo command")
    assert attempt["errorId"] == "HookFailed"
    assert f"chmod go-w {path}" in attempt["errorMessage"]


def test_two_files_of_one_hook_are_an_error(hooked):
    hooked.hook("pre-task", "true\n")
    hooked.hook("pre-task.sh", "true\n")
    assert "both the hook pre-task; keep one of them" in hooked.run("true")["errorMessage"]


def test_samples_and_editors_leavings_are_no_hooks(hooked):
    for name in ("pre-task.sample", "pre-task~", "pre-task.rpmsave", "README", "pre-task.d"):
        hooked.hook(name, "exit 1\n")
    assert hooked.run("echo fine")["out"] == "fine\n"


@pytest.mark.parametrize("line", ["no equals sign", "9=digit", "=nothing"])
def test_a_line_of_the_file_that_is_no_variable_fails_the_task_without_its_text(hooked, line):
    hooked.hook("environment", f"echo '{line}' >>$DUCTRUNNER_ENV_FILE\n")
    attempt = hooked.run("true")
    assert "line 1 of the hook's DUCTRUNNER_ENV_FILE is not of the form NAME=value" in attempt["errorMessage"]
    assert line not in attempt["errorMessage"]


def test_nothing_of_a_hook_is_left_behind(hooked):
    hooked.hook("environment", "export A=b\n")
    assert hooked.run("true")["@status"] == "FINISHED"
    assert list(Path(hooked.bench.worker.output, "tmp").iterdir()) == []
