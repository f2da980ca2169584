"""The proxy that a task names for itself: ``httpProxy``, of its own or inherited.

Source: Developer Guide, *HttpProxy*. Its command gets it in the variables that programs look at, and the agent uses it
for the task's files in S3; the service is asked as always. The password is in no argument and no log.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from agent.flags import proxy_address
from agent.task import Objects, PipelineObject, Task
from core.errors import TaskMalformed

FIELD = "httpProxy"
_TYPE = "HttpProxy"
#: This machine, and where EC2 and ECS keep the keys of a role: never behind a proxy.
_HERE = ("localhost", "127.0.0.1", "::1", "169.254.169.254", "169.254.170.2", "fd00:ec2::254")
#: Regions of Data Pipeline; buckets of others are found by the agent's own region.
_REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "ap-northeast-1", "ap-southeast-2")
_LONGEST_PORT = 65_535


@dataclass(frozen=True)
class TaskProxy:
    """``address`` holds the password; ``s3_directly`` leaves S3 out of it."""

    address: str = field(repr=False)
    s3_directly: bool

    def variables(self, region: str | None) -> dict[str, str]:
        """Return the environment of a command behind it; what the agent's ``NO_PROXY`` exempts stays so."""
        known = os.environ.get("no_proxy") or os.environ.get("NO_PROXY") or ""
        exempt = [*filter(None, known.split(",")), *_HERE]
        if self.s3_directly:
            exempt += _hosts_of_s3(region)
        bare = ",".join(dict.fromkeys(entry.strip() for entry in exempt))
        both = {"HTTP_PROXY": self.address, "HTTPS_PROXY": self.address, "NO_PROXY": bare}
        return both | {name.lower(): value for name, value in both.items()}


def proxy_of(task: Task, objects: Objects) -> TaskProxy | None:
    """Return the proxy that a task names; ``None``: it goes the way of the agent.

    Raises:
        TaskMalformed: that is no HttpProxy, has no host or no port, or wants NTLM.
    """
    ids = task.attempt.references(FIELD)
    if not ids:
        return None
    (found,) = objects.get(ids[:1])
    if found.type != _TYPE:
        raise TaskMalformed(f"{FIELD} of {task.component} is {found.id}, of type {found.type!r}; it must be {_TYPE}")
    if found.text("windowsDomain") or found.text("windowsWorkgroup"):
        raise TaskMalformed(
            f"the proxy {found.id} has a windowsDomain or windowsWorkgroup: NTLM is not supported; use a local relay"
        )
    host, port = found.text("hostname"), found.text("port") or ""
    if not host or not (port.isdecimal() and 0 < int(port) <= _LONGEST_PORT):
        raise TaskMalformed(f"the proxy {found.id} must have a 'hostname', and a 'port' from 1 to {_LONGEST_PORT}")
    address = proxy_address(host, port, found.text("username"), _password(found))
    return TaskProxy(address, (found.text("s3NoProxy") or "").strip().lower() == "true")


def _password(found: PipelineObject) -> str | None:
    """Return it; services may deliver ``*password`` as ``password``."""
    return found.text("*password") or found.text("password")


def _hosts_of_s3(region: str | None) -> list[str]:
    hosts = ["s3.amazonaws.com"]
    for name in dict.fromkeys((*_REGIONS, *filter(None, [region]))):
        hosts += [f"s3.{name}.amazonaws.com", f"s3-{name}.amazonaws.com"]
    return [entry for host in hosts for entry in (host, f".{host}")]
