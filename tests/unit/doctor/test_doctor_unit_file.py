"""The systemd unit as systemctl tells of it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent.doctor.checks.unit import check_unit
from agent.doctor.patient import Patient
from core.sections.worker import AgentSettings
from core.settings import Settings

PACKAGED = Path(__file__).parents[3] / "packaging" / "ductrunner-agent.service"
PATIENT = Patient(Settings(), AgentSettings(), {})


@pytest.mark.parametrize(
    ("states", "status", "told"),
    [
        ({}, "ok", "enabled and active"),
        ({"LoadState": "not-found"}, "skipped", "is not installed"),
        ({"UnitFileState": "disabled"}, "warning", "systemctl enable"),
        ({"ActiveState": "failed"}, "warning", "journalctl -u"),
        ({"NeedDaemonReload": "yes"}, "warning", "daemon-reload"),
    ],
)
def test_the_unit_is_looked_at_through_systemctl(monkeypatch, tmp_path, states, status, told):
    monkeypatch.setenv("PATH", systemctl(tmp_path, states))
    [finding] = check_unit(PATIENT)
    assert finding.status == status
    assert told in finding.message + finding.advice


def test_a_unit_that_is_not_the_releases_is_told(monkeypatch, tmp_path):
    changed = tmp_path / "ductrunner-agent.service"
    changed.write_text(PACKAGED.read_text() + "Nice=5\n")
    monkeypatch.setenv("PATH", systemctl(tmp_path, {"FragmentPath": str(changed)}))
    found = list(check_unit(PATIENT))
    assert [entry.status for entry in found] == ["ok", "warning"]
    assert f"{changed} differs" in found[1].message


def systemctl(directory, states):
    """A ``systemctl`` that says this; the PATH with it."""
    normal = {
        "LoadState": "loaded",
        "UnitFileState": "enabled",
        "ActiveState": "active",
        "FragmentPath": str(PACKAGED),
        "NeedDaemonReload": "no",
    }
    programs = directory / "bin"
    programs.mkdir()
    lines = "\n".join(f"{name}={value}" for name, value in {**normal, **states}.items())
    (programs / "systemctl").write_text(f"#!/bin/sh\ncat <<'END'\n{lines}\nEND\n")
    (programs / "systemctl").chmod(0o755)
    return f"{programs}:{os.environ['PATH']}"
