"""Scripts in S3 whose expressions (``#{…}``) are evaluated before they run: only when somebody asks for it.

AWS contradicts itself: *EvaluateExpression* (API Reference) is there for "scripts stored in Amazon S3", *SqlActivity*
(Developer Guide) says that expressions in them are not evaluated. So they are not, unless ``agent.evaluate_scripts`` or
the field ``myEvaluateScript`` of the activity says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

from agent.backoff import persist
from agent.source import TaskSource
from agent.task import PATIENCE, Field, Task
from core.errors import NotFound, ScriptNotFound, StoreError, TaskMalformed

if TYPE_CHECKING:
    from stores.s3 import S3Store

FIELD = "myEvaluateScript"
#: Characters of an expression that EvaluateExpression takes (API Reference); as bytes there may be four of each.
LIMIT = 20_971_520
_BYTES = 4
#: The field that holds the text of a script, by type; of other types it is ``script``.
_TEXT_FIELDS = {
    "HiveActivity": "hiveScript",
    "ShellCommandActivity": "command",
    "ShellCommandPrecondition": "command",
}


def wants_evaluation(task: Task, default: bool) -> bool:
    """Tell whether the script of a task is to be evaluated; the task's own word wins over the ``default``."""
    said = task.attempt.text(FIELD)
    return task.attempt.text("scriptUri") is not None and (said.strip().lower() == "true" if said else default)


def with_evaluated_script(
    task: Task, store: Callable[[], S3Store], source: TaskSource, stopped: threading.Event
) -> Task:
    """Return the task with the text of its script in place of the script's address.

    Raises:
        ScriptNotFound: there is nothing at the ``scriptUri``.
        TaskMalformed: it is no text, or too long to be evaluated.
        StoreError: S3 did not give it; the service does not answer, or refuses an expression in it (RequestRefused).
    """
    uri = task.attempt.text("scriptUri") or ""
    text = _fetch(uri, store)
    if "#{" not in text:
        return task
    if len(text) > LIMIT:
        raise TaskMalformed(f"the script {uri} is longer than the {LIMIT} characters that the service evaluates")
    found = persist(lambda: source.evaluate(task.pipeline_id, task.attempt.id, text), stopped, PATIENCE)
    name = _TEXT_FIELDS.get(task.attempt.type, "script")
    others = tuple(field for field in task.attempt.fields if field.key != "scriptUri")
    script = Field(name, found, is_reference=False)
    return replace(task, attempt=replace(task.attempt, fields=(*others, script)))


def _fetch(uri: str, store: Callable[[], S3Store]) -> str:
    try:
        return store().get_bytes(uri, LIMIT * _BYTES).decode("utf-8")
    except NotFound as error:
        raise ScriptNotFound(f"scriptUri names a script that is not there: {error}") from None
    except UnicodeDecodeError as error:
        raise TaskMalformed(f"the script {uri} is not UTF-8 (byte {error.start}); expressions need a text") from None
    except StoreError as error:
        raise type(error)(f"the script to be evaluated cannot be read: {error}") from None
