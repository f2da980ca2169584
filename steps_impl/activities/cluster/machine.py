"""Whether this machine is the primary node of an EMR cluster, as EMR's own files say it.

Source: AWS's bootstrap actions (*run-if*): ``job-flow.json`` holds ``jobFlowId``, ``instance.json`` holds ``isMaster``.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

INFO = Path("/mnt/var/lib/info")


def cluster_id(info: Path = INFO) -> str | None:
    """Return the id of the cluster that this machine belongs to (``j-…``); ``None`` when it belongs to none."""
    found = _read(info / "job-flow.json").get("jobFlowId")
    return str(found) if found else None


def describe(info: Path = INFO) -> str:
    """Return what this machine is, to go on after ``this machine is``."""
    cluster = cluster_id(info)
    if cluster is None:
        return "no node of an EMR cluster"
    primary = _read(info / "instance.json").get("isMaster") is True
    return f"{'the primary' if primary else 'a core or task'} node of the cluster {cluster}"


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}
