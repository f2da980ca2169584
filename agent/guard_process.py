"""A small process beside the agent: when the agent dies, in whatever way, it ends what the agent has started.

Without it, the command of an attempt would outlive an agent that was killed with -9, and run beside its own retry;
and what was staged would fill the disk, attempt by attempt.
It reads a pipe whose other end only the agent holds; the end of that file is the agent's death. Every child of the
agent carries the agent's token in its environment, so nothing has to be registered per task.

``python -I -m agent.guard_process TOKEN GRACE OUTPUT`` with the pipe as standard input. Imports little, to stay small.
"""

from __future__ import annotations

import os
import signal
import sys
import time

from agent.processes import end_tree, find_tree

#: Names the agent process that started a child; value: a random token per agent process.
AGENT_VARIABLE = "DUCTRUNNER_AGENT"
#: What the agent sends when it ends in good order.
DISMISSED = b"."
#: A child that was being started at the moment of death shows its mark a little later.
STARTING_CHILD = 0.3  # seconds


def watch(token: str, grace: float, output: str) -> None:
    """Wait for the agent's death, then end every process that carries its token and remove its directories."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if os.read(sys.stdin.fileno(), 1) == DISMISSED:
        return
    end_tree(lambda: find_tree(AGENT_VARIABLE, token), grace)
    time.sleep(STARTING_CHILD)
    end_tree(lambda: find_tree(AGENT_VARIABLE, token), 0)
    remove_directories(token, output)


def remove_directories(token: str, output: str) -> None:
    """Remove what the attempts of the agent have left below ``output``: scripts and staged data, not their logs."""
    import shutil
    from pathlib import Path

    root = Path(output)
    for path in (*root.glob(f"tmp/*-{token}*"), *root.glob(f"staging/*_{token}*")):
        shutil.rmtree(path, ignore_errors=True)


if __name__ == "__main__":
    watch(sys.argv[1], float(sys.argv[2]), sys.argv[3])
