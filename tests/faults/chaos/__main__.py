"""``make chaos``: the long form of the fault tests, on real time.

``python -m tests.faults.chaos [--only PART] [--tasks N] [--kill-seconds S] [--stop-seconds S] [--outage-seconds S]
[--seed N]``

soak    20,000 tasks through two agents, every twentieth call of the service fails: nothing lost, memory holds
kills   agents, guards, commands and the service are killed at random, again and again, while tasks run
stop    an agent stands still (SIGSTOP) for ten real minutes while it works on a task, and another one takes over
outage  CloudWatch Logs is away for an hour while a task prints: every line arrives afterwards, memory holds

The seed is printed; the same seed kills in the same order. Ends with 0 when everything held.
"""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from sandbox.parts.moto import MotoPart
from tests.faults.chaos.kills import run_kills
from tests.faults.chaos.outage import run_outage
from tests.faults.chaos.stop import run_stop
from tests.faults.soak.soak import assert_nothing_lost, soak

#: How much an agent may grow between its thousandth task and its last.
GROWTH = 0.10


def main() -> None:
    """Run what was chosen, say what was seen, and stop at the first thing that did not hold."""
    given = _arguments()
    print(f"seed {given.seed}", flush=True)
    with tempfile.TemporaryDirectory(prefix="chaos-") as place:
        aws = MotoPart(Path(place) / "aws")
        aws.start()
        try:
            for name, part in _parts(given, aws).items():
                if given.only in {None, name}:
                    directory = Path(place) / name
                    directory.mkdir()
                    began = time.monotonic()
                    print(f"{name}: {part(directory)} [{time.monotonic() - began:.0f} s]", flush=True)
        finally:
            aws.stop()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.faults.chaos", description=__doc__)
    parser.add_argument("--only", choices=("soak", "kills", "stop", "outage"))
    parser.add_argument("--tasks", type=int, default=20_000, help="tasks of the soak")
    parser.add_argument("--kill-seconds", type=float, default=300.0, help="how long things are killed")
    parser.add_argument("--stop-seconds", type=float, default=600.0, help="how long the agent stands still")
    parser.add_argument("--outage-seconds", type=float, default=3600.0, help="how long CloudWatch Logs is away")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(10**6))
    return parser.parse_args()


def _parts(given: argparse.Namespace, aws: MotoPart) -> dict[str, Callable[[Path], object]]:
    environment = aws.client_environment()

    def soaked(directory: Path) -> str:
        figures = soak(directory, given.tasks, given.seed, environment)
        assert_nothing_lost(figures)
        assert max(figures.growth) <= GROWTH, f"an agent has grown too much: {figures}"
        return str(figures)

    return {
        "soak": soaked,
        "kills": lambda directory: run_kills(directory, given.seed, environment, given.kill_seconds),
        "stop": lambda directory: run_stop(directory, environment, given.stop_seconds),
        "outage": lambda directory: run_outage(directory, environment, given.outage_seconds),
    }


if __name__ == "__main__":
    sys.exit(main())
