"""Runs one step: flags and ``--params`` to its model, signals, the result, the exit status.

Exit status: 0 done, 1 failed, 2 bad parameters or settings, 3 check failed, 143 stopped by SIGTERM.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from core.errors import DuctrunnerError, InternalError, ParameterError, StepInterrupted
from core.redaction import REDACTOR
from steps_impl import catalogue
from steps_impl.contract import EXIT_BAD_PARAMETERS, EXIT_DONE, RESULT_VARIABLE, StepContext, StepResult
from steps_impl.flags import CommandLine, parse_flags
from steps_impl.progress import ProgressReporter, redacted
from steps_impl.signals import cancel_on_signal

if TYPE_CHECKING:
    from pydantic import ValidationError

    from steps_impl.registry import Parameters, Step

#: What pydantic says in its own terms, by the type of the fault.
_PLAIN_WORDS = {
    "missing": "is required",
    "union_tag_invalid": "is of the unknown type {tag!r}; known are: {expected_tags}",
    "union_tag_not_found": "has no type",
    "tuple_type": "must be a list",
    "model_attributes_type": "must be a reference to an object, not a text",
    "model_type": "must be a reference to an object, not a text",
}


def run(name: str, arguments: Sequence[str], environment: Mapping[str, str] = os.environ) -> int:
    """Run a step with its command-line arguments and return the exit status. Never raises a known error."""

    def execute(context: StepContext) -> StepResult:
        from steps_impl.describe import entry_of
        from steps_impl.registry import load_step  # pydantic, which help does not pay for

        step = load_step(name, environment)
        parameters = read_parameters(step, parse_flags(arguments, entry_of(step)))
        return _execute(step, parameters, context)

    return _guarded(name, execute, environment)


def run_values(step: Step, values: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> int:
    """Run a step with parameters by name, as ``run`` does; for callers that have a command line of their own."""

    def execute(context: StepContext) -> StepResult:
        return _execute(step, _validated(step, values, []), context)

    return _guarded(step.name, execute, environment)


def _guarded(name: str, execute: Callable[[StepContext], StepResult], environment: Mapping[str, str]) -> int:
    result = environment.get(RESULT_VARIABLE)
    reporter = ProgressReporter(name, sys.stderr, Path(result) if result else None)
    context = StepContext(reporter, threading.Event(), dict(environment))
    try:
        with cancel_on_signal(context.cancelled):
            outcome = execute(context)
    except DuctrunnerError as error:
        return _fail(name, reporter, error)
    except (
        Exception,
        SystemExit,
    ) as error:  # a fault of ours, of a library, of a user's step: with the traceback
        sys.stderr.write(REDACTOR.redact(traceback.format_exc()))
        return _fail(name, reporter, InternalError(f"{type(error).__name__}: {error}"))
    _finish(name, reporter, outcome)
    return EXIT_DONE


def _execute(step: Step, parameters: Parameters, context: StepContext) -> StepResult:
    try:
        outcome = step.run(parameters, context)
    except StepInterrupted:  # a step that cannot undo says what stays
        raise
    except InterruptedError:
        raise StepInterrupted(f"{step.name} was asked to stop (SIGTERM) and undid what it had begun") from None
    except Exception:
        if context.cancelled.is_set():
            raise StepInterrupted(f"{step.name} was asked to stop (SIGTERM) and broke off") from None
        raise
    if not isinstance(outcome, StepResult):  # a step of the user's own
        raise InternalError(f"the step {step.name} returned {type(outcome).__name__} in place of a StepResult")
    return outcome


def read_parameters(step: Step, line: CommandLine) -> Parameters:
    """Return a step's validated parameters; a flag wins over the same key of the ``--params`` file.

    Raises:
        ParameterError: one line per fault, each naming the flag.
    """
    faults = list(line.faults)
    values = {**_params_file(line.params, faults), **line.values}
    return _validated(step, values, faults)


def _validated(step: Step, values: Mapping[str, Any], faults: list[str]) -> Parameters:
    """Return the parameters; ``faults`` are those that the caller has found already."""
    from pydantic import ValidationError  # only a step that runs pays for it

    parameters = None
    try:
        parameters = step.parameters.model_validate(values)
    except ValidationError as error:
        faults += _explain(error, step)
    if faults or parameters is None:
        raise ParameterError("\n".join(faults))
    return parameters


def _params_file(source: str | None, faults: list[str]) -> dict[str, Any]:
    if source is None:
        return {}
    try:
        text = sys.stdin.read() if source == "-" else Path(source).read_text(encoding="utf-8")
        document = json.loads(text)
    except OSError as error:
        faults.append(f"--params: cannot read {source}: {error.strerror}")
        return {}
    except ValueError as error:
        faults.append(f"--params: {source} is not JSON: {error}")
        return {}
    if not isinstance(document, dict):
        faults.append(f"--params: {source} must hold a JSON object of parameters")
        return {}
    return document


def _explain(error: ValidationError, step: Step) -> list[str]:
    known = list(step.parameters.model_fields)
    lines = []
    for fault in error.errors(include_url=False, include_input=False):
        place = ".".join(str(part).replace("_", "-") for part in fault["loc"])
        text = fault["msg"].removeprefix("Value error, ")
        if fault["type"] == "extra_forbidden":
            text = f"unknown parameter{catalogue.nearest(str(fault['loc'][-1]), known)}"
        elif fault["type"] in _PLAIN_WORDS:
            text = _PLAIN_WORDS[fault["type"]].format(**fault.get("ctx", {}))
        lines.append(f"--{place}: {text}" if place else text)
    return lines


def _fail(name: str, reporter: ProgressReporter, error: DuctrunnerError) -> int:
    safe = REDACTOR.redact(str(error))
    _tell(name, reporter, {"status": "failed", "errorId": error.error_id, "errorMessage": "; ".join(safe.splitlines())})
    lines = safe.splitlines() if error.exit_code == EXIT_BAD_PARAMETERS else [safe]
    sys.stderr.writelines(f"ductrunner: {error.error_id}: {line}\n" for line in lines or [""])
    return error.exit_code


def _finish(name: str, reporter: ProgressReporter, outcome: StepResult) -> None:
    numbers = {"rows": outcome.rows, "bytes": outcome.bytes}
    told = {key: value for key, value in numbers.items() if value is not None}
    _tell(name, reporter, {"status": "finished", **told, "details": dict(outcome.details)})


def _tell(name: str, reporter: ProgressReporter, document: Mapping[str, Any]) -> None:
    """Leave the result: the file for the agent, one JSON line for whoever reads stdout."""
    reporter.write(document)
    sys.stdout.write(json.dumps(redacted({"step": name, **document}), ensure_ascii=False) + "\n")
    sys.stdout.flush()
