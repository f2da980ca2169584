"""A real agent and a real notification socket; the unit file."""

from __future__ import annotations

import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from sandbox.parts.datapipeline import DataPipelinePart
from tests.conftest import skip_or_fail
from tests.integration.agent.conftest import FLAGS, Bench, eventually
from tests.integration.health.conftest import Asked

UNIT = Path(__file__).parents[3] / "packaging" / "ductrunner-agent.service"


@pytest.fixture
def heard(tmp_path):
    """``heard()`` gives everything that systemd was told so far."""
    path = tmp_path / "notify"
    lines: list[str] = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(str(path))
        sock.setblocking(False)

        def read() -> list[str]:
            try:
                while True:
                    lines.extend(sock.recv(65536).decode().split("\n"))
            except BlockingIOError:
                return lines

        read.path = str(path)
        yield read


@pytest.fixture
def own_service(aws_environment, tmp_path):
    """A service that the test may end."""
    part = DataPipelinePart(tmp_path / "own", FLAGS)
    part.start()
    made = Bench(part, tmp_path)
    yield part, made
    for agent in made.agents:
        agent.stop()
    made.client.close()
    part.stop()


def test_an_agent_tells_systemd_of_its_whole_life(bench, heard):
    gate = bench.directory / "gate"
    agent = bench.agent(NOTIFY_SOCKET=heard.path)
    eventually(lambda: "READY=1" in heard(), "ready")
    pipeline = bench.shell(f"env; while [ ! -e {gate} ]; do sleep 0.05; done")
    eventually(lambda: Asked(agent).status()["running"], "a running attempt")
    agent.process.terminate()
    eventually(lambda: "STOPPING=1" in heard(), "stopping")
    eventually(lambda: "EXTEND_TIMEOUT_USEC=60000000" in heard(), "more time")
    eventually(lambda: any(line.startswith("STATUS=draining: 1 of 2 slots busy") for line in heard()), "the status")
    gate.touch()
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    assert agent.wait() == 0
    assert "NOTIFY_SOCKET" not in bench.log_of(pipeline)


def test_an_agent_without_its_service_is_not_ready_and_starves_the_watchdog(own_service, heard):
    part, bench = own_service
    agent = bench.agent(NOTIFY_SOCKET=heard.path, WATCHDOG_USEC="1000000")
    asked = Asked(agent)
    eventually(lambda: "WATCHDOG=1" in heard(), "a meal")
    asked.await_ready()
    part.stop()
    agent.wait_for("watchdog_not_fed")
    meals = heard().count("WATCHDOG=1")
    code, body, _ = eventually(lambda: answer if (answer := asked.get("/readyz"))[0] == 503 else None, "not ready")
    assert code == 503
    assert body.startswith(f"no poll for {bench.group} was answered since ")
    assert "StoreUnreachable" in body
    assert asked.get("/healthz")[0] == 200
    assert asked.status()["state"] == "unreachable"
    assert heard().count("WATCHDOG=1") == meals
    part.start()
    asked.await_ready()
    eventually(lambda: heard().count("WATCHDOG=1") > meals, "a meal again")


def test_the_unit_is_one_that_systemd_takes(tmp_path):
    if shutil.which("systemd-analyze") is None:
        skip_or_fail("systemd-analyze is not installed")
    program = tmp_path / "ductrunner"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/ductrunner/current/bin/ductrunner", str(program)))
    done = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    ours = [line for line in done.stderr.splitlines() if UNIT.name in line]  # other units of the machine are not ours
    assert (done.returncode, ours) == (0, [])


def test_the_unit_waits_longer_than_the_service_before_it_gives_an_agent_up():
    """The service hands the tasks of a silent worker out again after 5 minutes: no lease may be cut short."""
    settings = dict(line.split("=", 1) for line in UNIT.read_text().splitlines() if "=" in line and line[0] != "#")
    assert settings["Type"] == "notify"
    assert settings["NotifyAccess"] == "main"
    minutes = int(settings["WatchdogSec"].removesuffix("min"))
    assert minutes > 5
    assert settings["RuntimeDirectory"] == "ductrunner"
