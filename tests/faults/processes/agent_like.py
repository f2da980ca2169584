"""``python agent_like.py OUTPUT KIND SCRIPT``: what an agent does with one command, in a process that can be killed."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from agent.logs.output import OutputFile
from agent.processes.child import Child, Command
from agent.processes.guard import AGENT_VARIABLE, Guard
from agent.stop import StopSignal
from core.redaction import REDACTOR
from tests.faults.processes.conftest import GRACE, cgroups


def main(output: Path, kind: str, script: str) -> None:
    guard = Guard(GRACE, output, cgroups=cgroups(kind))
    files = [OutputFile(output / name, REDACTOR.matcher()) for name in ("out", "err")]
    environment = {"PATH": os.environ["PATH"], AGENT_VARIABLE: guard.token}
    child = Child(guard, Command(("bash", "-c", script), environment, output), *files)
    sys.stdout.write(f"{guard.token}\n")
    sys.stdout.flush()
    child.wait(StopSignal(), GRACE)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], sys.argv[3])
