"""The unit under a real systemd: ready, restarted after a kill and a hang, stopped in good order.

A ``systemd --user`` in namespaces of its own runs the unit of ``packaging/``, with a drop-in for what such a manager
cannot do (another user) and for a watchdog that a test can await. It needs root and takes some 15 s: it runs where
``DUCTRUNNER_TEST_SYSTEMD`` is set.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import skip_or_fail
from tests.integration.agent.conftest import eventually

UNIT = Path(__file__).parents[3] / "packaging" / "ductrunner-agent.service"
SYSTEMD = Path("/lib/systemd/systemd")
#: What a user manager wants to find beside the unit.
TARGETS = ("basic", "default", "shutdown", "exit", "sockets", "timers", "paths")
INSIDE = r"""
mount -t tmpfs tmpfs /run && mkdir -p /run/systemd/system /run/user/0
for place in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do
  [ -e $place/cgroup.procs ] && mkdir -p $place/$CGROUP && echo $$ > $place/$CGROUP/cgroup.procs
done
"$SYSTEMD" --user --log-target=console &
wait  # a manager of a user will not be the first process
"""
pytestmark = pytest.mark.skipif(
    "DUCTRUNNER_TEST_SYSTEMD" not in os.environ, reason="set DUCTRUNNER_TEST_SYSTEMD to run the unit under systemd"
)


class Manager:
    """The systemd of the test."""

    def __init__(self, units: Path) -> None:
        self._cgroup = f"ductrunner-test-{os.getpid()}"
        environment = {**os.environ, "XDG_RUNTIME_DIR": "/run/user/0", "SYSTEMD_UNIT_PATH": str(units)}
        environment |= {"CGROUP": self._cgroup, "SYSTEMD": str(SYSTEMD)}
        command = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child", "bash", "-c", INSIDE]
        with (units / "systemd.log").open("wb") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def wait(self) -> None:
        """Wait until it answers."""
        up = {"running", "degraded"}
        eventually(lambda: self.systemctl("is-system-running").stdout.strip() in up, "a running systemd")

    def systemctl(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Ask the manager, from inside its namespaces."""
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        if not children:
            return subprocess.CompletedProcess(words, 1, "", "not there yet")
        inside = ["nsenter", "--target", children[0], "--mount", "--pid", "systemctl", "--user", *words]
        environment = {**os.environ, "XDG_RUNTIME_DIR": "/run/user/0"}
        return subprocess.run(inside, env=environment, capture_output=True, text=True, check=False)

    def show(self, name: str) -> str:
        """A property of the unit."""
        return self.systemctl("show", UNIT.stem, "--property", name, "--value").stdout.strip()

    def kill(self, signal: str) -> None:
        """Send a signal to the agent alone."""
        done = self.systemctl("kill", "--kill-whom=main", f"--signal={signal}", UNIT.stem)
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        """End it with everything it runs."""
        self._process.kill()
        self._process.wait()
        for place in (Path("/sys/fs/cgroup", name, self._cgroup) for name in ("", "systemd", "unified")):
            for inner, _, _ in os.walk(place, topdown=False):
                eventually(lambda inner=inner: _removed(Path(inner)), f"an empty {inner}")


def _removed(cgroup: Path) -> bool:
    try:
        cgroup.rmdir()
    except OSError:
        return not cgroup.exists()
    return True


@pytest.fixture
def manager(bench, tmp_path):
    if os.geteuid() or not SYSTEMD.exists() or shutil.which("unshare") is None:
        skip_or_fail("systemd, unshare and root are needed to run the unit")
    units = tmp_path / "units"
    drop_in = units / f"{UNIT.name}.d" / "test.conf"
    drop_in.parent.mkdir(parents=True)
    for name in TARGETS:
        (units / f"{name}.target").write_text("[Unit]\nDescription=of a test\n")
    shutil.copy(UNIT, units)
    program = Path(sys.executable).with_name("ductrunner")
    variables = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    variables |= {"AWS_ENDPOINT_URL_DATA_PIPELINE": bench.endpoint, "DUCTRUNNER_AGENT_LISTEN": "127.0.0.1:0"}
    lines = ["[Service]", "User=", f"WorkingDirectory={tmp_path}", "WatchdogSec=2s", "RestartSec=100ms", "ExecStart="]
    lines += [f"ExecStart={program} agent --workerGroup={bench.group} --output={tmp_path / 'output'}"]
    lines += [f'Environment="{name}={value}"' for name, value in variables.items()]
    lines += ["Environment=DUCTRUNNER_CONFIG=/dev/null", "ProtectSystem=no", "ProtectHome=no"]
    drop_in.write_text("\n".join(lines) + "\n")
    made = Manager(units)
    try:
        made.wait()
        yield made
    finally:
        made.stop()


def test_systemd_starts_watches_restarts_and_stops_the_agent(manager, bench):
    started = manager.systemctl("start", UNIT.stem)
    assert started.returncode == 0, started.stderr
    assert manager.show("ActiveState") == "active"
    eventually(lambda: manager.show("StatusText").startswith("idle: 0 of 2 slots busy"), "the status line")
    assert bench.ended(bench.shell("true"))["@status"] == "FINISHED"
    manager.kill("KILL")
    eventually(lambda: manager.show("NRestarts") == "1" and manager.show("ActiveState") == "active", "a restart")
    manager.kill("STOP")
    eventually(lambda: manager.show("NRestarts") == "2" and manager.show("ActiveState") == "active", "another")
    assert bench.ended(bench.shell("true"))["@status"] == "FINISHED"
    assert manager.systemctl("stop", UNIT.stem).returncode == 0
    assert manager.show("ActiveState") == "inactive"
    assert manager.show("Result") == "success"
