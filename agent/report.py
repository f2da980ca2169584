"""The end of an attempt in words that the service takes and an operator can act on; sent until it is taken."""

from __future__ import annotations

import re
import signal
import time
import traceback
from dataclasses import replace

from agent import log
from agent.backoff import PASSING, Backoff
from agent.running import Held
from agent.source import ERROR_MESSAGE_LIMIT, STACK_TRACE_LIMIT, Verdict
from agent.stop import StopReason
from agent.task import digest
from agent.usage import Usage
from core.errors import (
    CommandFailed,
    CommandKilled,
    DuctrunnerError,
    InternalError,
    OwnershipLost,
    PreconditionFalse,
    RequestRefused,
)
from core.redaction import REDACTOR

ERROR_ID_LIMIT = 1024
#: What stands in a message before the end of stderr and before the place of the logs.
LAST_LINES = "\nlast lines of stderr:\n"
LOGS = "\nlogs: "
USED = "\nused: "
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
#: What the API takes: U+0020 to D7FF, E000 to FFFD, the planes above, and tab, newline, carriage return.
_REFUSED = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SHELL_SIGNAL_BASE = 128  # a shell reports the signal that ended its child as 128 + number


def clean(text: str) -> str:
    """Remove secrets, ANSI escapes and the characters that the API refuses."""
    return _REFUSED.sub("", _ANSI.sub("", REDACTOR.redact(text)))


def fit(text: str, limit: int) -> str:
    """Return the text, or its beginning, in at most ``limit`` bytes of UTF-8."""
    return text.encode("utf-8", "ignore")[:limit].decode("utf-8", "ignore")


def failed(error: BaseException, stderr: str = "", logs: str = "", usage: Usage | None = None) -> Verdict:
    """Return the verdict of an attempt that ended with ``error``.

    In this order: what is wrong, stderr's end, where the logs are, what it has used.
    """
    known = isinstance(error, DuctrunnerError)
    head = clean(str(error) if known else f"the worker failed: {type(error).__name__}: {error}")
    end = (f"{LOGS}{clean(logs)}" if logs else "") + (f"{USED}{usage}" if usage else "")
    room = ERROR_MESSAGE_LIMIT - len((head + end).encode()) - len(LAST_LINES)
    lines = clean(stderr).encode()[-room:].decode("utf-8", "ignore") if stderr and room > 0 else ""
    middle = f"{LAST_LINES}{lines}" if lines else ""
    trace = "" if known else clean("".join(traceback.format_exception(error)))[-STACK_TRACE_LIMIT:]
    error_id = error.error_id if isinstance(error, DuctrunnerError) else InternalError.error_id
    untrue = isinstance(error, PreconditionFalse)
    return Verdict(False, error_id, fit(head + middle + end, ERROR_MESSAGE_LIMIT), trace, untrue)


def renamed(verdict: Verdict, error_id: object) -> Verdict:
    """Return the verdict under the id that the step gave, if that is one the API takes."""
    if not isinstance(error_id, str) or not error_id or error_id.startswith("Service_"):
        return verdict
    return replace(verdict, error_id=clean(error_id)[:ERROR_ID_LIMIT])


def exit_error(status: int) -> DuctrunnerError:
    """Return the error of a command that did not end with 0."""
    if status < 0:
        return CommandKilled(f"the command was ended by {signal_name(-status) or f'signal {-status}'}{_hint(-status)}")
    number = status - SHELL_SIGNAL_BASE
    if name := signal_name(number):
        why = f"a process in it was ended by {name}{_hint(number)}"
        return CommandFailed(f"the command ended with exit status {status} ({why})")
    return CommandFailed(f"the command ended with exit status {status}")


def signal_name(number: int) -> str:
    """Return the name of a classic signal; empty for another number, such as 127 of the exit status 255."""
    return signal.Signals(number).name if 0 < number <= signal.SIGSYS else ""


def _hint(number: int) -> str:
    return "; look for the out-of-memory killer in the machine's log" if number == signal.SIGKILL else ""


def send(held: Held, verdict: Verdict, window: float) -> bool:
    """Send the verdict until the service takes it; ``False`` when the task is not ours any more.

    The lease goes on reporting meanwhile. A verdict that the service refuses as invalid goes out again as status and
    error id only, and then as its status alone: the outcome must not be lost to its text.
    """
    backoff = Backoff(first=0.2, longest=20.0)
    held.ending = True
    while True:
        if held.is_lost(window):
            return _not_taken(held, f"the service was not reached for {held.silent:.0f} s")
        try:
            held.group.source.set_status(held.task_id, verdict)
        except OwnershipLost as error:
            return _not_taken(held, str(error))
        except RequestRefused as error:
            if (bare := _barer(verdict)) is None:
                return _not_taken(held, str(error))
            log.event("status_refused", level="WARNING", task=digest(held.task_id), error=str(error))
            verdict = bare
        except DuctrunnerError as error:
            level = "WARNING" if isinstance(error, PASSING) else "ERROR"
            log.event("status_failed", level=level, task=digest(held.task_id), error=str(error))
            time.sleep(backoff.delay())
            if held.stop.reason in {StopReason.LOST, StopReason.CANCELED}:
                return _not_taken(held, "the task was lost meanwhile")
        else:
            return True


def _barer(verdict: Verdict) -> Verdict | None:
    """Return the same outcome with less text: first with its id only, then alone; ``None``: there is no less."""
    if verdict.error_message or verdict.stack_trace:
        return replace(verdict, error_message="", stack_trace="")
    return replace(verdict, error_id="") if verdict.error_id else None


def _not_taken(held: Held, why: str) -> bool:
    log.event("status_not_taken", level="ERROR", task=digest(held.task_id), why=why)
    return False
