"""Whatever a command starts, and however that hides, is gone when the attempt is."""

from __future__ import annotations

import os
import signal
import sys

import psutil
import pytest

from tests.integration.agent.conftest import eventually

DOUBLE_FORK = """import os, sys
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        os.execvpe(sys.argv[1], sys.argv[1:], dict())
    os._exit(0)
os.wait()"""

ESCAPES = {
    "the background": "{sleeper} &",
    "a new session": "setsid {sleeper} &",
    "a cleared environment": "env -i setsid {sleeper} &",
    "a double fork": f"{sys.executable} -c '{DOUBLE_FORK}' {{sleeper}}",
    "closed streams": "setsid {sleeper} <&- >&- 2>&- &",
    "a subshell that has gone": "( ( setsid {sleeper} & ) & )",
    "deafness": "( trap '' TERM HUP INT; setsid {sleeper} ) &",
    "a stopped process": "setsid {sleeper} & until pkill -STOP -fx '{sleeper}'; do :; done",
}


@pytest.mark.parametrize("way", ESCAPES)
def test_what_hides_ends_with_a_command_that_succeeds(run, sleeper, way):
    hidden = sleeper()
    started = f"until pgrep -fx '{hidden.command}' > /dev/null; do :; done"
    one = run(f"{ESCAPES[way].format(sleeper=hidden.command)}\n{started}; echo done")
    ended = one.result()
    assert (ended.status, ended.left, hidden.processes()) == (0, [], [])
    assert one.output() == "done\n"


@pytest.mark.parametrize("way", ESCAPES)
def test_what_hides_ends_with_a_command_that_is_stopped(run, sleeper, way):
    hidden, inside = sleeper(), sleeper()
    one = run(f"{ESCAPES[way].format(sleeper=hidden.command)}\n{inside.command}")
    hidden.wait_for(1)
    inside.wait_for(1)
    ended = one.end()
    assert (ended.status, ended.left) == (-signal.SIGTERM, [])
    assert hidden.processes() + inside.processes() == []


def test_a_command_that_ignores_term_and_is_stopped_is_killed(run, sleeper):
    inside = sleeper()
    one = run(f"trap '' TERM; {inside.command}; {inside.command}; {inside.command}")
    inside.wait_for(1)
    os.kill(one.pid, signal.SIGSTOP)
    assert one.end().status == -signal.SIGKILL
    assert inside.processes() == []


def test_a_fork_bomb_is_ended_although_it_forks_while_it_is_killed(run, sleeper):
    bomb = sleeper()
    keep = f"trap '' TERM; {bomb.command} & while :; do (trap '' TERM; setsid {bomb.command} & sleep 0.01) & "
    one = run(f"ulimit -u 4000; {keep} [ $((++n)) -gt 150 ] && wait; done")
    eventually(lambda: len(bomb.processes()) > 20, "the bomb to go off")
    ended = one.end()
    assert (ended.left, bomb.processes()) == ([], [])


def test_a_process_of_another_group_that_holds_the_pipe_does_not_hold_the_attempt(run, sleeper):
    holder = sleeper()
    one = run(f"env -i setsid {holder.command} & echo said; exit 3")
    assert one.result().status == 3
    assert one.output() == "said\n"
    assert holder.processes() == []


def test_output_that_is_written_after_the_order_to_end_is_kept(run, sleeper):
    inside = sleeper()
    one = run(f"trap 'echo cleaned up; exit 4' TERM; {inside.command} & wait", grace=20)
    inside.wait_for(1)
    ended = one.end()
    assert (ended.status, one.output()) == (4, "cleaned up\n")


def test_a_command_has_no_descriptor_and_no_signal_setting_but_its_own(run):
    seen = run("ls -l /proc/self/fd | wc -l; grep -E 'SigIgn|SigBlk' /proc/self/status; ps -o sid= -p $$; echo $$")
    assert seen.result().status == 0
    lines = seen.output().split("\n")
    assert int(lines[0]) == 5  # a heading, three streams, and the folder that ls reads
    c_library = 0x180000000  # two signals that no program can use
    assert [int(line.split()[1], 16) & ~c_library for line in lines[1:3]] == [0, 0]
    assert lines[3].strip() == lines[4]


def test_zombies_are_buried_while_the_command_runs(run, sleeper):
    inside = sleeper()
    one = run(f"for n in 1 2 3 4 5; do ( ( true & ) & ); done; {inside.command}")
    inside.wait_for(1)
    shim = psutil.Process(one.shim)
    eventually(lambda: [child.pid for child in shim.children()] == [one.pid], "the orphans to be buried")
    one.end()


def test_commands_that_follow_one_another_share_a_shim_and_nothing_else(run):
    first = run("cd /; export KEPT=yes; ulimit -n 99; sleep 1000")
    shim = first.shim
    first.end()
    second = run('pwd; echo "$KEPT"; ulimit -n; echo "$OWN"; sleep 1000', OWN="mine")
    assert second.shim == shim
    eventually(lambda: second.output().count("\n") == 4, "its output")
    second.end()
    place, kept, files, own = second.output().splitlines()
    assert (place, kept, own) == (str(second.directory), "", "mine")
    assert files != "99"
