"""What the operator reads of an end that is no exit status."""

from __future__ import annotations

import os
import pwd
import re
from pathlib import Path

import pytest

from agent.processes import checks, core_file, oom
from agent.processes.checks import check_settings
from agent.processes.child import Command
from agent.processes.conditions import Conditions, task_conditions
from agent.processes.explain import explain
from agent.processes.wire import TreeEnded
from agent.task import Field, PipelineObject
from agent.usage import Usage
from core.errors import CommandFailed, CommandKilled, MemoryExhausted, SettingsError, TaskMalformed
from core.sections.worker import AgentSettings

NOW = 0.0


def activity(**fields: str) -> PipelineObject:
    return PipelineObject("a", "a", tuple(Field(key, value, is_reference=False) for key, value in fields.items()))


def told(ended: TreeEnded, place: Path, limit: int | None = None) -> Exception:
    return explain(ended, Command(("x",), {}, place, Conditions(memory_limit=limit)), place / "logs", NOW)


def test_usage_is_short():
    assert str(Usage(12.345, 410_300_000, 0)) == "12.3 s CPU, 410 MB"
    assert str(Usage(0, 12_345_678_900, 0)) == "0.0 s CPU, 12,346 MB"


def test_an_exit_status_stays_one(tmp_path):
    error = told(TreeEnded(status=7, machine_kills=3), tmp_path)
    assert (type(error), str(error)) == (CommandFailed, "the command ended with exit status 7")


def test_a_dead_shim_is_named(tmp_path):
    error = told(TreeEnded(status=-9, lost=15), tmp_path)
    assert (type(error), "ended by SIGTERM" in str(error)) == (CommandKilled, True)
    assert "was broken" in str(told(TreeEnded(status=-9, lost=-1), tmp_path))


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        (TreeEnded(status=-9, over=150_000_000), "used 150 MB of memory, more than the limit of 100 MB"),
        (TreeEnded(status=1, group_kills=1), "needed more memory than the limit of 100 MB"),
        (TreeEnded(status=137, machine_kills=1), "the kernel ran out of memory"),
    ],
)
def test_want_of_memory_is_named(tmp_path, ended, words):
    error = told(ended, tmp_path, 100_000_000)
    assert isinstance(error, MemoryExhausted)
    assert words in str(error)


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        ("|/usr/lib/systemd/systemd-coredump %P", "its core went to /usr/lib/systemd/systemd-coredump"),
        ("nothing.%p", "its core was written by the pattern 'nothing.%p'"),
    ],
)
def test_a_core_that_went_elsewhere_is_told_by_the_kernels_pattern(tmp_path, monkeypatch, pattern, words):
    (tmp_path / "pattern").write_text(pattern)
    monkeypatch.setattr(core_file, "_PATTERN", tmp_path / "pattern")
    assert words in str(told(TreeEnded(status=-11, core=True), tmp_path))


def test_a_core_is_found_by_the_pattern_and_a_file_that_is_none_is_left_alone(tmp_path, monkeypatch):
    (tmp_path / "logs").mkdir()
    (tmp_path / "pattern").write_text("core.%e.%p")
    monkeypatch.setattr(core_file, "_PATTERN", tmp_path / "pattern")
    (tmp_path / "core.notes.txt").write_text("core values")
    (tmp_path / "core.x.7").symlink_to("/etc/passwd")
    (tmp_path / "core.x.8").write_bytes(b"\x7fELF" + bytes(12) + b"\x04\x00")
    error = told(TreeEnded(status=139), tmp_path)
    assert f"its core file is {tmp_path / 'logs' / 'core'}" in str(error)
    assert (tmp_path / "core.notes.txt").exists()
    assert not (tmp_path / "core.x.8").exists()


def test_the_kernels_words_about_a_victim_are_understood():
    line = b"Out of memory: Killed process 71 (py)thon) total-vm:9kB, anon-rss:410304kB, file-rss:0kB, shmem-rss:0kB"
    for text in (line.replace(b"py)thon", b"python3"), b"Memory cgroup o" + line[1:].replace(b"py)thon", b"python3")):
        found = oom._VICTIM.search(text)
        assert (found[1], found[2], found[3]) == (b"71", b"python3", b"410304")


def test_the_users_of_the_task_and_of_the_configuration():
    settings = AgentSettings(run_as_user="nobody-of-this-name", memory_limit="2MB")
    own = pwd.getpwuid(os.geteuid()).pw_name
    assert task_conditions(settings, activity(myRunAsUser=own)).user.uid == os.geteuid()
    assert type(task_conditions(settings, activity(runAsUser=own)).memory_limit) is int
    with pytest.raises(TaskMalformed, match=re.escape("no user 'nobody-of-this-name'")):
        task_conditions(settings, activity())
    assert task_conditions(AgentSettings(), activity()).user is None


def test_only_root_becomes_somebody_else(monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    with pytest.raises(SettingsError, match=r"agent.run_as_user: only an agent that runs as root"):
        check_settings(AgentSettings(run_as_user="root"))


def test_a_niceness_that_is_not_allowed_is_refused_with_what_is(monkeypatch):
    monkeypatch.setattr(checks, "_has_capability", lambda number: False)
    monkeypatch.setattr(checks.resource, "getrlimit", lambda which: (0, 0))
    check_settings(AgentSettings(nice=19))
    with pytest.raises(SettingsError, match=r"agent.nice: .* use 0 or more, or give it LimitNICE=-5"):
        check_settings(AgentSettings(nice=-5))
    monkeypatch.setattr(checks.resource, "getrlimit", lambda which: (25, 25))
    check_settings(AgentSettings(nice=-5))
