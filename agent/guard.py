"""A small process beside the agent: when the agent dies, in whatever way, it ends what the agent has started.

Without it, the command of an attempt would outlive an agent that was killed with -9, and run beside its own retry.
It reads a pipe whose other end only the agent holds; the end of that file is the agent's death. Every child of the
agent carries the agent's token in its environment, so nothing has to be registered per task.

``python -I -m agent.guard TOKEN GRACE`` with the pipe as standard input.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time

from agent.processes import end_tree, find_tree

#: Names the agent process that started a child; value: a random token per agent process.
AGENT_VARIABLE = "DUCTRUNNER_AGENT"
DISMISSED = b"."
#: A child that was being started at the moment of death shows its mark a little later.
STARTING_CHILD = 0.3  # seconds


class Guard:
    """The agent's end: starts the guard process; it lives as long as this process does."""

    def __init__(self, grace: float) -> None:
        self.token = secrets.token_hex(8)
        reading, self._writing = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "agent.guard", self.token, str(grace)],
                stdin=reading,
                start_new_session=True,
            )
        finally:
            os.close(reading)
        self._pidfd = os.pidfd_open(self._process.pid)

    def fileno(self) -> int:
        """Return a descriptor that becomes readable when the guard dies."""
        return self._pidfd

    def dismiss(self) -> None:
        """The agent ends in good order: the guard goes without ending anything."""
        os.write(self._writing, DISMISSED)
        os.close(self._writing)
        self._process.wait()
        os.close(self._pidfd)


def watch(token: str, grace: float) -> None:
    """Wait for the agent's death, then end every process that carries its token."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if os.read(sys.stdin.fileno(), 1) == DISMISSED:
        return
    end_tree(lambda: find_tree(AGENT_VARIABLE, token), grace)
    time.sleep(STARTING_CHILD)
    end_tree(lambda: find_tree(AGENT_VARIABLE, token), 0)


if __name__ == "__main__":
    watch(sys.argv[1], float(sys.argv[2]))
