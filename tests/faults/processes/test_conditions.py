"""Niceness, memory, user, daemons: what the configuration says of commands holds; what they used is counted."""

from __future__ import annotations

import os
import pwd
import signal
import sys
from pathlib import Path

import pytest

from agent.processes.child import Command
from agent.processes.conditions import Conditions
from agent.processes.explain import explain
from agent.processes.guard import Guard
from agent.processes.user import find_user
from core.errors import CommandKilled, MemoryExhausted
from tests.faults.processes.conftest import GRACE, let_through, runner
from tests.integration.agent.conftest import eventually

MB = 1_000_000
TAKE = f"{sys.executable} -c 'b = bytearray({{}} * 1000000); print(len(b), flush=True); import time; time.sleep({{}})'"


@pytest.fixture
def as_root():
    if os.geteuid():
        pytest.skip("only root can become somebody else")


def test_cpu_time_of_the_whole_tree_is_counted(run):
    burn = f"{sys.executable} -c 'import time\nwhile time.process_time() < 0.4: pass'"
    ended = run(f"({burn}) & setsid {burn} & wait").result()
    assert ended.status == 0
    assert 0.8 <= ended.cpu < 2


def test_peak_memory_is_counted_and_that_of_the_next_command_is_its_own(run):
    assert 80 * MB < run(TAKE.format(80, 0)).result().peak < 160 * MB
    assert run("true").result().peak < 40 * MB


def test_a_tree_over_its_memory_limit_is_ended(run):
    one = run(f"{TAKE.format(60, 60)} & {TAKE.format(60, 60)} & wait", Conditions(memory_limit=100 * MB))
    ended = one.result()
    assert ended.status == -signal.SIGKILL
    assert (ended.over or ended.group_kills) > 0
    command = Command(("x",), {}, one.directory, Conditions(memory_limit=100 * MB))
    error = explain(ended, command, one.directory, 0.0)
    assert isinstance(error, MemoryExhausted)
    assert "100 MB" in str(error)


def test_a_tree_within_its_memory_limit_is_left_alone(run):
    assert run(TAKE.format(20, 0.6), Conditions(memory_limit=200 * MB)).result().status == 0


def test_niceness_and_score_are_the_commands_and_not_the_shims(run, sleeper):
    inside = sleeper()
    one = run(f"nice; cat /proc/self/oom_score_adj; {inside.command}", Conditions(nice=7, oom_score=250))
    inside.wait_for(1)
    own = int(Path("/proc/self/oom_score_adj").read_text())
    eventually(lambda: len(one.output().split()) == 2, "its output")
    assert one.output().split() == ["7", str(min(1000, own + 250))]
    shim = one.shim
    assert (os.getpriority(os.PRIO_PROCESS, shim), int(Path(f"/proc/{shim}/oom_score_adj").read_text())) == (0, own)
    one.end()


def test_a_command_runs_as_the_user_and_its_groups(as_root, run, tmp_path):
    user = find_user("nobody")
    let_through(tmp_path)
    one = run("id -un; id -G; cd /proc/self && stat -c %U .", Conditions(user=user))
    assert one.result().status == 0
    assert one.output().split() == ["nobody", *map(str, user.groups), "nobody"]


def test_a_process_that_has_changed_its_user_is_ended_too(as_root, run, sleeper):
    other = sleeper()
    one = run(f"setsid setpriv --reuid={pwd.getpwnam('nobody').pw_uid} --clear-groups {other.command} & wait")
    other.wait_for(1)
    assert one.end().left == []
    assert other.processes() == []


def test_daemons_may_stay_when_that_is_wanted_until_the_agent_dies(tmp_path, sleeper):
    guard = Guard(GRACE, tmp_path, keep_daemons=True)
    inside, apart, canceled = sleeper(), sleeper(), sleeper()
    run = runner(guard, tmp_path)
    assert run(f"setsid {apart.command} & {inside.command} & until pgrep -fx '{apart.command}'; do :; done").result()
    assert (len(apart.processes()), inside.processes()) == (1, [])
    stopped = run(f"setsid {canceled.command} & wait")
    canceled.wait_for(1)
    stopped.end()
    assert canceled.processes() == []
    killed = run("sleep 1000")
    os.kill(killed.shim, signal.SIGKILL)
    assert killed.result().lost == signal.SIGKILL
    assert len(apart.processes()) == 1
    guard._socket.close()
    guard._process.wait()
    assert apart.processes() == []


def test_a_core_file_is_kept_beside_the_logs_and_named(run, tmp_path):
    pattern = Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if pattern.startswith(("|", "/")):
        pytest.skip(f"cores go elsewhere here: {pattern}")
    logs = tmp_path / "logs"
    logs.mkdir()
    for script in ("ulimit -c unlimited; kill -SEGV $$", "ulimit -c unlimited; (kill -SEGV $BASHPID); exit $?"):
        one = run(script)
        error = explain(one.result(), Command(("x",), {}, one.directory), logs, 0.0)
        assert f"; its core file is {logs / 'core'}" in str(error), error
        assert "SIGSEGV" in str(error)
        assert (logs / "core").stat().st_mode & 0o777 == 0o600
        assert (logs / "core").read_bytes()[:4] == b"\x7fELF"
        assert list(one.directory.glob("core*")) == []
        (logs / "core").unlink()


@pytest.fixture
def small_group():
    """The file that moves a process into a memory control group (version 1 or 2) of 64 MB."""
    places = [Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup")]
    for root, limit in zip(places, ("memory.limit_in_bytes", "memory.max"), strict=True):
        group = root / f"ductrunner-test-{os.getpid()}"
        if (root / "cgroup.procs").exists():
            try:
                group.mkdir()
                (group / limit).write_text(str(64 * 1024 * 1024))
            except OSError:
                if group.exists():
                    group.rmdir()
                continue
            entrance = group / "cgroup.procs"
            yield entrance
            eventually(lambda entrance=entrance: not entrance.read_text(), "the group to be empty")
            group.rmdir()
            return
    pytest.skip("no memory control group can be made here")


def test_the_kernels_out_of_memory_killer_is_recognised(run, small_group):
    take = f"echo $BASHPID > {small_group}; exec {TAKE.format(200, 0)}"
    for script, sort in ((take, -signal.SIGKILL), (f"({take}); exit $?", 137)):
        one = run(script)
        ended = one.result()
        assert ended.status == sort
        error = explain(ended, Command(("x",), {}, one.directory), one.directory, 0.0)
        assert isinstance(error, MemoryExhausted), error
        assert "ran out of memory" in str(error)


def test_a_kill_by_somebody_else_is_not_taken_for_want_of_memory(run):
    one = run("kill -KILL $$")
    error = explain(one.result(), Command(("x",), {}, one.directory), one.directory, 0.0)
    assert type(error) is CommandKilled
