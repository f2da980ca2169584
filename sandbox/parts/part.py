"""The life that all parts of the sandbox share: start, be ready, be found again, stop."""

from __future__ import annotations

import hashlib
import json
import signal
import subprocess
import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import ClassVar

import psutil

from core.errors import SandboxError
from sandbox import ports, processes
from sandbox.files import make_private_directory, write_private

_POLL_INTERVAL = 0.02  # seconds between two looks at a part that comes up
_LOG_TAIL = 1500  # characters of the log that an error shows


@dataclass(frozen=True)
class Running:
    """A started part, as kept in ``part.json``: its process, its port, when it was started (Unix seconds).

    ``configuration`` is a digest of the command line and environment, by which a changed one is noticed.
    """

    process: processes.ProcessRecord
    port: int
    since: float
    configuration: str


class Part(ABC):
    """One server of the sandbox, with everything it keeps under ``directory``.

    ``start`` and ``stop`` may be called by different processes: what is needed to find the server again is kept in
    ``directory/part.json``; its output goes to ``directory/part.log``.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    start_timeout: ClassVar[float] = 60.0
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.log = directory / "part.log"
        self._record = directory / "part.json"
        self._child: subprocess.Popen[bytes] | None = None
        self._log_start = 0

    @abstractmethod
    def program(self) -> Path:
        """Return the program that is run; raise :class:`PartMissing` when this machine has none."""

    @abstractmethod
    def command(self, port: int) -> Sequence[str | Path]:
        """Return the command line that serves on ``port``; it names ``directory``."""

    @abstractmethod
    def is_ready(self) -> bool:
        """Say whether the running server answers a real request."""

    def prepare(self) -> None:  # noqa: B027 (a part may have nothing to do here)
        """Do what must be done once before the first start; called before every start."""

    def environment(self) -> Mapping[str, str]:
        """Return what the server's environment has beside our own."""
        return {}

    @property
    def running(self) -> Running | None:
        """What is known of the last start, whether or not the server still lives."""
        try:
            kept = json.loads(self._record.read_text(encoding="utf-8"))
            return Running(**{**kept, "process": processes.ProcessRecord(**kept["process"])})
        except (OSError, ValueError, LookupError, TypeError):
            return None  # never started, or the record was damaged: the server, if any, cannot be told for certain

    @property
    def port(self) -> int:
        """The port of the last start."""
        if (running := self.running) is None:
            raise SandboxError(f"{self.title} was never started; run: ductrunner sandbox up")
        return running.port

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the last start."""
        return ports.HOST, self.port

    def process(self) -> psutil.Process | None:
        """Return the server's process if it lives.

        Our own child is known without a look at its command line, which is empty for a moment while a program starts.
        """
        if self._child:
            return psutil.Process(self._child.pid) if self._child.poll() is None else None
        return processes.find(running.process) if (running := self.running) else None

    def start(self) -> None:
        """Bring the server up; harmless when it is up already, a restart when it is up with another configuration.

        Raises:
            PartMissing: the machine has no such server.
            SandboxError: it did not come up; the message ends with the tail of its log.
        """
        self.program()
        if (running := self.running) and self._configuration(running.port) != running.configuration:
            self.stop()
        if self.process() is None:
            make_private_directory(self.directory)
            self.prepare()
            self._launch()
        try:
            self._await_ready()
        except SandboxError:
            self.stop()  # what hangs now would hang the next time
            raise

    def stop(self) -> None:
        """End the server and everything it started; harmless when it is down."""
        if process := self.process():
            processes.end(process, first=self.stop_signal)
        if self._child:
            self._child.wait()
            self._child = None

    def _launch(self) -> None:
        port = ports.choose(running.port if (running := self.running) else None)
        self._log_start = self.log.stat().st_size if self.log.exists() else 0
        try:
            self._child, record = processes.spawn(
                self.command(port), directory=self.directory, log=self.log, environment=self.environment()
            )
        except OSError as error:
            raise SandboxError(f"{self.title} cannot be started: {error.strerror} ({self.program()})") from None
        running = Running(record, port, time.time(), self._configuration(port))
        write_private(self._record, json.dumps(asdict(running)))

    def _configuration(self, port: int) -> str:
        everything = [*map(str, self.command(port)), *sorted(map(str, self.environment().items()))]
        return hashlib.sha256("\0".join(everything).encode()).hexdigest()

    def _await_ready(self) -> None:
        deadline = time.monotonic() + self.start_timeout
        while not self.is_ready():
            if self.process() is None:
                raise SandboxError(
                    f"{self.title} ended while it was starting; its log {self.log} ends:\n{self._tail()}"
                )
            if time.monotonic() > deadline:
                raise SandboxError(
                    f"{self.title} did not answer within {self.start_timeout:g} s; "
                    f"its log {self.log} ends:\n{self._tail()}"
                )
            time.sleep(_POLL_INTERVAL)

    def _tail(self) -> str:
        """Return the end of what the server said since its last start."""
        with self.log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode("utf-8", "replace")[-_LOG_TAIL:].strip()
