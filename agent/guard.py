"""The agent's end of its guard: see ``agent.guard_process``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from agent.guard_process import DISMISSED


class Guard:
    """The agent's end: starts the guard process; it lives as long as this process does."""

    def __init__(self, grace: float, output: Path) -> None:
        #: 16 hexadecimal digits: marks the processes and the directories of this agent.
        self.token = os.urandom(8).hex()
        reading, self._writing = os.pipe()
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-m", "agent.guard_process", self.token, str(grace), str(output)],
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
