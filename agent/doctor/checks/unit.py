"""The systemd unit: installed, enabled, running, and whether it is the one that this release brings."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

from agent.doctor.finding import Finding, ok, skipped, warning
from agent.doctor.patient import Patient

NAME = "systemd"
UNIT = "ductrunner-agent.service"
#: The unit that this release brings: ``packaging/ductrunner-agent.service``.
PACKAGED = Path(__file__).parents[1] / UNIT
TIMEOUT = 5.0  # seconds
_PROPERTIES = ("LoadState", "UnitFileState", "ActiveState", "FragmentPath", "NeedDaemonReload")


def check_unit(patient: Patient) -> Iterator[Finding]:  # noqa: ARG001  # every check is asked the same way
    """Ask systemctl."""
    shown = _shown()
    if shown is None:
        yield skipped(NAME, "systemd does not run here")
    elif shown.get("LoadState") != "loaded":
        yield skipped(NAME, f"{UNIT} is not installed; packaging/ has it")
    else:
        yield from _states(shown)


def _states(shown: dict[str, str]) -> Iterator[Finding]:
    enabled, active = shown.get("UnitFileState", ""), shown.get("ActiveState", "")
    text = f"{UNIT} is {enabled or 'not enabled'} and {active}"
    if enabled not in {"enabled", "enabled-runtime", "static"}:
        yield warning(NAME, text, f"it does not come back after a restart: systemctl enable {UNIT}")
    elif active != "active":
        yield warning(NAME, text, f"start it: systemctl start {UNIT}; journalctl -u {UNIT} says why it ended")
    elif shown.get("NeedDaemonReload") == "yes":
        yield warning(NAME, f"{text}, but its file was changed since", "run: systemctl daemon-reload")
    else:
        yield ok(NAME, text)
    fragment = Path(shown.get("FragmentPath") or "/nowhere")
    if fragment.exists() and fragment.read_bytes() != PACKAGED.read_bytes():
        yield warning(NAME, f"{fragment} differs from this release's unit", f"compare it: diff {fragment} {PACKAGED}")


def _shown() -> dict[str, str] | None:
    command = ["systemctl", "show", UNIT, f"--property={','.join(_PROPERTIES)}"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return dict(line.split("=", 1) for line in answer.stdout.splitlines() if "=" in line)
