"""Names in CloudWatch Logs: groups and streams.

A group is named by letters, digits and ``. - _ / #``; a stream by anything but ``:`` and ``*``; both by at most 512
characters (API Reference, CreateLogGroup and CreateLogStream). Other characters become ``_`` in a group and ``-`` in a
stream. A name that is too long ends with a digest, so that two of them never become one.
"""

from __future__ import annotations

import hashlib
import re
import socket

LIMIT = 512
_DIGEST = 16
_NOT_IN_GROUPS = re.compile(r"[^A-Za-z0-9._/#-]")
#: Control characters are not allowed in practice either.
_NOT_IN_STREAMS = re.compile(r"[:*\x00-\x1f\x7f]")


def group_name(worker_group: str, configured: str | None = None) -> str:
    """Return the log group of a worker group; ``configured`` (``logging.cloudwatch_group``) wins."""
    return _fitting(_NOT_IN_GROUPS.sub("_", configured or f"/ductrunner/{worker_group}"))


def task_stream(pipeline_id: str, component: str, attempt_id: str) -> str:
    """Return the stream of an attempt: ``tasks/<pipelineId>/<component>/<attempt>``."""
    return _fitting(_NOT_IN_STREAMS.sub("-", f"tasks/{pipeline_id}/{component}/{attempt_id}"))


def agent_stream(host: str | None = None) -> str:
    """Return the stream of the agent's own lines on this machine: ``agent/<host>``."""
    return _fitting(_NOT_IN_STREAMS.sub("-", f"agent/{host or socket.gethostname()}"))


def _fitting(name: str) -> str:
    if len(name) <= LIMIT:
        return name
    return f"{name[: LIMIT - _DIGEST - 1]}_{hashlib.sha256(name.encode()).hexdigest()[:_DIGEST]}"
