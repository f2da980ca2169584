"""Shell scripts around an activity: ``ShellScriptConfig``, a command of the definition, a script in S3.

Source: Developer Guide, *ShellScriptConfig*, *EmrActivity* (``preStepCommand``, ``postStepCommand``).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from pydantic import Field

from core.errors import ParameterError
from core.shebang import FIRST_LINE_LIMIT, interpreter
from steps_impl.activities.cluster.cluster import Cluster
from steps_impl.activities.cluster.files import fetch
from steps_impl.activities.objects.base import PipelineObject, Several


class ShellScriptConfig(PipelineObject):
    """A shell script that is run before or after an activity."""

    type: Literal["ShellScriptConfig"] = "ShellScriptConfig"
    script_uri: str | None = Field(default=None, description="`s3://…` of the script")
    script_argument: Several[str] = Field(default=(), description="arguments, one each")


def run_config(cluster: Cluster, config: ShellScriptConfig | None, field: str) -> None:
    """Run the script of ``preActivityTaskConfig`` or ``postActivityTaskConfig``; nothing when there is none.

    Raises:
        ParameterError: the object has no ``scriptUri``.
        ScriptNotFound, CommandFailed, CommandKilled, InterruptedError: it is not there, or did not end well.
    """
    if config is None:
        return
    if not config.script_uri:
        raise ParameterError(f"{cluster.label}: {field} {config.label} has no scriptUri; give one")
    run_script(cluster, config.script_uri, config.script_argument, f"{field} ({config.script_uri})")


def run_script(cluster: Cluster, uri: str, arguments: Iterable[str], title: str) -> None:
    """Run a script of S3 or of this machine with arguments; errors as ``run_config``."""
    _run(cluster, fetch(cluster, uri, "script"), arguments, title)


def run_command(cluster: Cluster, command: str, title: str) -> None:
    """Run a shell command of the definition, in a file of its own: its text may hold what others must not read."""
    _run(cluster, cluster.write_private("command.sh", command, 0o700), (), title)


def _run(cluster: Cluster, script: Path, arguments: Iterable[str], title: str) -> None:
    with script.open("rb") as file:
        program = interpreter(file.read(FIRST_LINE_LIMIT))
    cluster.run([*program, script, *arguments], title, of_user=True)
