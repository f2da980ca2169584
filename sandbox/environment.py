"""What a client sets in its environment to use the sandbox and nothing else."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping

from core.configuration_file import ENVIRONMENT_VARIABLE
from core.errors import PartMissing
from sandbox.engines.home import STATE_VARIABLE, Engines
from sandbox.supervisor import Supervisor

#: Variables that would give an AWS client other credentials than the sandbox's.
_MISLEADING = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN")


def client_environment(sandbox: Supervisor) -> dict[str, str]:
    """Return the variables with which boto3, the ``aws`` CLI, the agent and the steps use the sandbox."""
    return {
        **sandbox.aws.client_environment(),
        "AWS_ENDPOINT_URL_DATA_PIPELINE": sandbox.datapipeline.endpoint,
        # The agent is on an instance of the sandbox, then. Clients that look for credentials there find none.
        "AWS_EC2_METADATA_DISABLED": "false",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": sandbox.imds.endpoint,
        ENVIRONMENT_VARIABLE: str(sandbox.state.configuration),
        **engines_environment(sandbox),
    }


def engines_environment(sandbox: Supervisor, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the PATH that begins with Hadoop, Pig and Hive of this machine, and where Hive keeps its tables.

    Empty where they are not installed: a cluster's own commands, if any, stay what is found.
    """
    try:
        commands = str(Engines.of_machine(environment).commands())
    except PartMissing:
        return {}
    others = [place for place in environment.get("PATH", os.defpath).split(os.pathsep) if place != commands]
    return {"PATH": os.pathsep.join([commands, *others]), STATE_VARIABLE: str(sandbox.state.path / "engines")}


def shell_lines(variables: Mapping[str, str], environment: Mapping[str, str] = os.environ) -> list[str]:
    """Return ``export`` lines, after ``unset`` lines for what is set now and would lead clients elsewhere."""
    endpoints = [name for name in environment if name.startswith("AWS_ENDPOINT_URL_") and name not in variables]
    unset = sorted([*endpoints, *(name for name in _MISLEADING if name in environment)])
    exported = [f"export {name}={shlex.quote(value)}" for name, value in variables.items()]
    return [f"unset {name}" for name in unset] + exported
