"""kill -9 of agent, guard and shim, alone and together: no process of the command outlives them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys

import psutil
import pytest

from agent.processes.delegation import find_group
from agent.processes.guard import Guard
from agent.processes.leftovers import ChildRecord, end_leftovers, record_of
from core.errors import AgentStopped
from tests.faults.processes.conftest import GRACE, runner
from tests.integration.agent.conftest import eventually

#: One that dies of TERM, one that does not, one without a mark of any kind.
SCRIPT = "{0} & (trap '' TERM; {1}; {1}) & env -i setsid {2} & wait"


def lives(process):
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


class Family:
    """An agent in a process of its own, and what it has started."""

    def __init__(self, kind, checkout, directory, sleepers):
        self.sleepers = sleepers
        self.output = directory
        (directory / "tmp").mkdir()
        script = SCRIPT.format(*(one.command for one in sleepers))
        command = [sys.executable, "-m", "tests.faults.processes.agent_like", str(directory), kind, script]
        self.agent = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=checkout, text=True)
        self.token = self.agent.stdout.readline().strip()
        self.staged = directory / "tmp" / f"df-1-{self.token}0123"
        self.staged.mkdir()
        for one in sleepers:
            one.wait_for(1)
        [guard] = psutil.Process(self.agent.pid).children()
        [shim] = guard.children()
        self.members = {"agent": self.agent.pid, "guard": guard.pid, "shim": shim.pid}
        self.everybody = [guard, shim, *shim.children(recursive=True)]

    def kill(self, names):
        for name in names:
            os.kill(self.members[name], signal.SIGSTOP)  # none of them sees the other die
        for name in names:
            os.kill(self.members[name], signal.SIGKILL)

    def living(self):
        return [one for one in self.everybody if lives(one)]

    def groups(self):
        found = find_group()
        return list(found.glob(f"ductrunner-{self.token}-*")) if found else []


@pytest.fixture
def family(request, checkout, tmp_path, sleeper):
    made = Family(request.param, checkout, tmp_path, [sleeper(), sleeper(), sleeper()])
    yield made
    made.agent.kill()
    made.agent.wait()
    made.agent.stdout.close()


KINDS = pytest.mark.parametrize("family", ["tree", "cgroup"], indirect=True)


@KINDS
@pytest.mark.parametrize("names", [["agent"], ["agent", "guard"], ["agent", "shim"]], ids="+".join)
def test_nothing_outlives_a_killed_agent(family, names):
    family.kill(names)
    eventually(lambda: not family.living(), f"the end of {family.living()}")
    eventually(lambda: not family.groups(), "the end of the control groups")
    if "guard" not in names:
        eventually(lambda: not family.staged.exists(), "what was staged to be removed")


@KINDS
def test_what_is_left_when_all_are_dead_is_ended_by_the_next_start(family, sleeper):
    bystander = subprocess.Popen(sleeper().command.split())
    family.kill(["agent", "guard", "shim"])
    family.agent.wait()
    marked = family.sleepers[:2]
    assert all(one.processes() for one in family.sleepers)
    assert end_leftovers(family.token, [], GRACE) >= 3  # the shell and two marked ones
    assert [one.processes() for one in marked] == [[], []]
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_an_unmarked_process_of_a_dead_agent_is_found_by_its_control_group(checkout, tmp_path, sleeper):
    if find_group() is None:
        pytest.skip("no control group (version 2) is ours here")
    family = Family("cgroup", checkout, tmp_path, [sleeper(), sleeper(), sleeper()])
    family.kill(["agent", "guard", "shim"])
    family.agent.wait()
    family.agent.stdout.close()
    end_leftovers(family.token, [], GRACE)
    eventually(lambda: not family.living(), f"the end of {family.living()}")
    assert family.groups() == []


def test_a_recorded_process_is_ended_with_its_tree_and_another_of_its_number_is_not(sleeper):
    inside = sleeper()
    shell = subprocess.Popen(["bash", "-c", f"env -i {inside.command} & wait"], start_new_session=True)
    inside.wait_for(1)
    record = record_of(shell.pid)
    wrong = [ChildRecord(record.pid, record.started + 1, record.boot_id), ChildRecord(record.pid, record.started, "x")]
    assert end_leftovers("", wrong, GRACE) == 0
    assert shell.poll() is None
    assert end_leftovers("", [record], GRACE) == 2
    assert shell.wait() == -signal.SIGTERM
    assert inside.processes() == []


def test_a_killed_shim_fails_the_command_and_takes_its_tree_along(run, sleeper):
    inside, apart, deaf = sleeper(), sleeper(), sleeper()
    one = run(SCRIPT.format(inside.command, deaf.command, apart.command))
    for sleeping in (inside, apart, deaf):
        sleeping.wait_for(1)
    os.kill(one.shim, signal.SIGKILL)
    ended = one.result()
    assert (ended.lost, ended.status) == (signal.SIGKILL, -signal.SIGKILL)
    assert inside.processes() + apart.processes() + deaf.processes() == []
    assert run("echo next").result().status == 0


def test_a_shim_that_somebody_has_stopped_does_not_hold_the_attempt(run, sleeper, monkeypatch):
    monkeypatch.setattr("agent.processes.child.END_PATIENCE", 0.2)
    inside = sleeper()
    one = run(f"{inside.command} & wait")
    inside.wait_for(1)
    os.kill(one.shim, signal.SIGSTOP)
    assert one.end().lost == signal.SIGKILL
    assert inside.processes() == []


def test_the_trees_of_a_dead_guard_can_still_be_ended(tmp_path, sleeper):
    guard = Guard(GRACE, tmp_path)
    inside, apart = sleeper(), sleeper()
    one = runner(guard, tmp_path)(f"env -i setsid {apart.command} & {inside.command}")
    inside.wait_for(1)
    apart.wait_for(1)
    guard._process.kill()
    guard._process.wait()
    with pytest.raises(AgentStopped):
        runner(guard, tmp_path / "run-0")("true")
    assert one.end().status == -signal.SIGTERM
    assert inside.processes() + apart.processes() == []
    guard.dismiss()


def test_what_a_process_has_started_by_itself_outlives_its_dead_guard(tmp_path, sleeper):
    own = subprocess.Popen(sleeper().command.split())
    guard = Guard(GRACE, tmp_path)
    guard._process.kill()
    guard._process.wait()
    guard.dismiss()
    assert own.poll() is None
    own.kill()
    own.wait()


def test_the_tree_of_a_dead_guard_and_a_dead_shim_is_ended(tmp_path, sleeper):
    guard = Guard(GRACE, tmp_path)
    inside, apart = sleeper(), sleeper()
    one = runner(guard, tmp_path)(f"env -i setsid {apart.command} & {inside.command} & wait")
    inside.wait_for(1)
    apart.wait_for(1)
    for pid in (guard._process.pid, one.shim):
        os.kill(pid, signal.SIGSTOP)
    shim = one.shim
    for pid in (guard._process.pid, shim):
        os.kill(pid, signal.SIGKILL)
    with pytest.raises(AgentStopped):
        one.result()
    guard.dismiss()
    assert inside.processes() + apart.processes() == []
