"""Whether something of a command is still there is asked of the kernel, and answered for the living only."""

from __future__ import annotations

import os
import subprocess

from agent.processes import end_group, group_lives


def test_a_group_lives_until_its_last_process_has_been_ended():
    process = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    assert group_lives(process.pid)
    end_group(process.pid, grace=30)
    assert process.wait() == -15
    assert not group_lives(process.pid)


def test_a_dead_process_that_nobody_has_reaped_does_not_keep_its_group_alive():
    process = subprocess.Popen(["true"], start_new_session=True)
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    assert not group_lives(process.pid)
    process.wait()


def test_a_group_that_ignores_term_is_killed():
    process = subprocess.Popen(
        ["bash", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done"],
        start_new_session=True,
        stdout=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == b"ready\n"
    end_group(process.pid, grace=0)
    process.stdout.close()
    assert process.wait() == -9
