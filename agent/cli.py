"""``ductrunner agent``: the flags of TaskRunner in their spelling, ours beside them.

Source: Developer Guide, *Task Runner configuration options*. Both ``--flag=value`` and ``--flag value`` are read.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

Command = TypeVar("Command", bound=Callable[..., Any])


def option(name: str, *aliases: str, **attributes: Any) -> Callable[[Command], Command]:
    """Return an option in TaskRunner's spelling (``--workerGroup``) and in ours (``--worker-group``)."""
    kebab = "".join(f"-{letter.lower()}" if letter.isupper() else letter for letter in name)
    return click.option(*dict.fromkeys((f"--{name}", f"--{kebab}", *aliases)), kebab.replace("-", "_"), **attributes)


@click.command()
@option(
    "workerGroup", help="The worker group whose tasks to take (exact, case-sensitive). Required, here or in the file."
)
@option("workerGroups", metavar="NAME=SLOTS,…", help="Further groups that this process serves, each with its slots.")
@option("config", type=click.Path(path_type=Path), help="Our YAML file, or TaskRunner's credentials.json.")
@option("region", help="AWS region; default: the environment's, else us-east-1.")
@option("endpoint", help="Address of the Data Pipeline service; default: the region's.")
@option("taskrunnerId", "--taskrunner-id", help="Name of this worker, unique in the account.")
@option("tasks", type=click.IntRange(1, 256), help="Attempts at the same time. [default: 2]")
@option("output", type=click.Path(path_type=Path), help="Directory of logs, staging and scripts. [default: output]")
@option("logUri", help="s3://… under which attempt logs go when a task names no pipelineLogUri.")
@option("accessId", "--accessID", help="AWS access key id; better: a role.")
@option("secretKey", help="AWS secret key; better: a role, or the environment.")
@option("proxyHost", help="HTTPS proxy.")
@option("proxyPort", type=int, help="Port of the proxy.")
@option("proxyUsername", help="User name for the proxy.")
@option("proxyPassword", help="Password for the proxy.")
@option("proxyDomain", help="Refused: NTLM proxies are not supported.")
@option("proxyWorkstation", help="Refused: NTLM proxies are not supported.")
@click.option("--source", type=click.Choice(["datapipeline"]), default="datapipeline", help="Who hands out the tasks.")
@click.option("--once", is_flag=True, help="Take one task, finish it, exit.")
@click.option("--idle-exit", type=click.FloatRange(min=0), help="Exit after so many SECONDS without a task.")
@click.option(
    "--max-uptime", type=click.FloatRange(min=0, min_open=True), help="Drain, and exit, after so many SECONDS."
)
@click.pass_context
def agent(context: click.Context, /, **flags: Any) -> None:
    """Take tasks of a worker group and run them, in the foreground.

    SIGTERM or SIGINT: drain (running attempts finish). A second one, or SIGQUIT: end them, reported FAILED
    AgentStopped. A third one: exit at once.
    """
    from agent.flags import Flags
    from agent.start import start

    context.exit(start(Flags(**flags), dict(os.environ)))
