"""The agent's own lines on their way to the stream ``agent/<host>``."""

from __future__ import annotations

from pathlib import Path

from agent.logs.shipper import Shipper
from agent.logs.tail import Tail, Target


class AgentLines:
    """Follows the hourly files (a ``Listener`` of them); they are told one after the other."""

    def __init__(self, shipper: Shipper, target: Target) -> None:
        self._shipper = shipper
        self._target = target
        self._path: Path | None = None
        #: The file of this hour.
        self.tail: Tail | None = None

    def __call__(self, path: Path, begin: int, count: int) -> None:
        """So many bytes were written at ``begin``."""
        if self.tail is None or path != self._path:
            if self.tail is not None:
                self.tail.end()
            self._path = path
            self.tail = self._shipper.open(self._target, [path.absolute()], [begin])
        self.tail.wrote(0, count)
