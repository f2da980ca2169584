"""Which steps of a cluster are done by the worker itself: those that export and import tables of DynamoDB."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from core.settings import load_settings
from steps_impl.activities.dynamodb.emr_scripts import emr_script
from steps_impl.activities.dynamodb.tool import is_dynamodb_tool, run_dynamodb_tool
from steps_impl.contract import StepContext, StepResult


def own_step(jar: str, arguments: Sequence[str]) -> Callable[[StepContext], StepResult] | None:
    """Return what does the work of a step that runs ``jar`` with these arguments, the class first; else nothing.

    With ``dynamodb.tools: cluster`` there is none: then the jar or the script is run.
    """
    if not arguments or load_settings().dynamodb.tools == "cluster":
        return None
    if is_dynamodb_tool(arguments[0]):
        return lambda context: run_dynamodb_tool(jar, arguments[0], arguments[1:], context)
    script = emr_script(arguments)
    return script.run if script else None
