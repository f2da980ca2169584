"""Who descends from whom is asked of the kernel; a process is its number and its start."""

from __future__ import annotations

import os
import signal
import subprocess

import pytest

from agent.processes import tree


@pytest.fixture
def family():
    """A shell with a child and a dead grandchild-to-be; its output tells the child's number."""
    script = "sleep 1000 & echo $!; true & wait"
    shell = subprocess.Popen(["bash", "-c", script], stdout=subprocess.PIPE, text=True, start_new_session=True)
    yield shell, int(shell.stdout.readline())
    if shell.poll() is None:
        os.killpg(shell.pid, signal.SIGKILL)
        shell.wait()
    shell.stdout.close()


@pytest.mark.parametrize("listed", [True, False], ids=["the kernel lists children", "it does not"])
def test_descendants_are_found_at_any_depth(family, monkeypatch, listed):
    shell, inside = family
    if not listed:
        monkeypatch.setattr(tree.os.path, "exists", lambda path: False)
    assert inside in {pid for pid, _ in tree.descendants(os.getpid())}
    assert shell.pid in tree.children(os.getpid())
    assert shell.pid not in {pid for pid, _ in tree.descendants(shell.pid)}


def test_a_signal_reaches_the_process_of_that_start_only(family):
    shell, inside = family
    pid, started = tree.named(inside)
    tree.send((pid, started + 1), signal.SIGKILL)
    tree.send((pid, started - 1), signal.SIGKILL)
    assert tree.living([(pid, started)])
    tree.send((pid, started), signal.SIGKILL)
    shell.wait()
    assert not tree.living([(pid, started)])


def test_a_dead_process_that_nobody_has_buried_does_not_live():
    process = subprocess.Popen(["true"])
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
    named = tree.named(process.pid)
    assert named in tree.descendants(os.getpid())
    assert tree.living([named]) == []
    process.wait()
    assert tree.named(process.pid) != named


def test_a_name_with_brackets_and_spaces_is_no_trap():
    stat = tree.Stat(b"42 (a) b ) S 1) S 7 42 42 0 -1 4194304 " + b"0 " * 12 + b"12345 0 0\n")
    assert (stat.alive, stat.parent, stat.group) == (True, 7, 42)
