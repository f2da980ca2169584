"""The machine itself: disk, hooks, systemd, the agent that runs there, the proxy."""

from __future__ import annotations


def test_a_small_disk_and_a_full_one_are_told(doctor, mount_disk):
    tiny_disk = mount_disk(doctor.directory / "disk", "size=1m")
    finding = doctor.examine(f"--output={tiny_disk}").one("disk")
    assert (finding["status"], "no task is taken" in finding["advice"]) == ("failed", True)
    (tiny_disk / "filler").write_bytes(b"x" * (1024 * 1024 - 8192))
    finding = doctor.examine(f"--output={tiny_disk}").one("disk")
    assert finding["status"] == "failed"
    assert "cannot be written: No space left on device" in finding["message"]


def test_a_hook_that_cannot_run_is_told(doctor):
    hooks = doctor.directory / "hooks"
    hooks.mkdir()
    (hooks / "pre-task").write_text("true\n")
    finding = doctor.examine().one("hooks")
    assert finding["status"] == "failed"
    assert f"chmod 755 {hooks}/pre-task" in finding["message"]


def test_the_agent_that_runs_here_is_found(doctor, bench):
    agent = bench.agent("--tasks=3")
    agent.wait_for("agent_started")
    doctor.endpoint = bench.endpoint
    report = doctor.examine(f"--output={agent.output}")
    [finding] = [entry for entry in report.of("agent") if f"pid {agent.process.pid} " in entry["message"]]
    assert f"serves {bench.group}, 0 of 3 slots busy" in finding["message"]


def test_a_proxy_that_would_be_asked_for_the_machines_role_is_warned_of(doctor):
    finding = doctor.examine(HTTPS_PROXY="http://user:pass-of-proxy@proxy.example:3128").one("proxy")
    assert finding["status"] == "warning"
    assert "proxy.example:3128 with a login" in finding["message"]
    assert "169.254.169.254 to NO_PROXY" in finding["advice"]
    assert "pass-of-proxy" not in str(finding)
