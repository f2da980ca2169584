"""Why an attempt ended as it did, in the errors that the service and the operators know."""

from __future__ import annotations

import errno
import socket
from pathlib import Path

from agent import log, report
from agent.source import Verdict
from agent.stop import StopReason, StopSignal
from agent.task import Task, digest
from agent.usage import Usage
from core.errors import ActivityTimedOut, AgentStopped, DiskFull, DuctrunnerError, OwnershipLost
from steps_impl import contract

#: Ends that the service knows already.
NO_STATUS = frozenset({StopReason.CANCELED, StopReason.LOST})


class Outcome:
    """Explains the end of one attempt; ``output`` is the agent's directory."""

    def __init__(self, task: Task, stop: StopSignal, output: Path) -> None:
        self._task = task
        self._stop = stop
        self._output = output

    def explained(self, error: Exception) -> Exception:
        """Return the error to report in place of ``error``: a stop explains what it has broken."""
        if self._stop.reason is StopReason.TIMED_OUT:
            timeout = self._task.attempt.text("attemptTimeout")
            return ActivityTimedOut(f"{self._task.component} ran into its attemptTimeout of {timeout} and was ended")
        if self._stop.reason in NO_STATUS:
            return OwnershipLost("the attempt was ended by the service")
        if self._stop.reason is StopReason.AGENT_STOPPED:
            return AgentStopped(
                f"the worker on {socket.gethostname()} was stopped: {self._stop.why}; the service may retry the attempt"
            )
        if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
            return DiskFull(f"no space left below {self._output.absolute()}; free some, or give --output another")
        return error

    def failed(self, error: Exception, result: Path, last_lines: str, logs: str, usage: Usage | None) -> Verdict:
        """Return the verdict of an attempt that ended with ``error``; a step's own words (``result``) go first."""
        known = self.explained(error)
        if not isinstance(known, DuctrunnerError):
            log.failure("attempt_broken", known, task=digest(self._task.task_id))
        told = contract.read_result(result) or {}
        if self._stop.reason is None and told.get("status") == "failed" and told.get("errorMessage"):
            own = type(known)(str(told["errorMessage"]))
            return report.renamed(report.failed(own, last_lines, logs, usage), told.get("errorId"))
        return report.failed(known, last_lines, logs, usage)
