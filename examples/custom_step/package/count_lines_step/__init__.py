"""A step that counts the lines of a file and can demand a number of them."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from ductrunner import steps


class CountLines:
    """Count the lines of a file."""

    class Parameters(steps.Parameters):
        """What count-lines is told."""

        path: Path = Field(description="file to count")
        at_least: int = Field(default=0, ge=0, description="lines that there must be")

    def run(self, parameters: Parameters, context: steps.StepContext) -> steps.StepResult:
        """Count, stop when asked to, and check."""
        lines = 0
        try:
            with parameters.path.open("rb") as file:
                for _ in file:
                    if context.cancelled.is_set():
                        raise InterruptedError
                    lines += 1
        except FileNotFoundError:
            raise steps.ParameterError(f"--path: {parameters.path} is not there") from None
        context.reporter.progress("count", rows=lines)
        if lines < parameters.at_least:
            raise steps.CheckFailed(f"{parameters.path} has {lines} lines, fewer than {parameters.at_least}")
        return steps.StepResult(rows=lines)
