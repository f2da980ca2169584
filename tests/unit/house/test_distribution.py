from __future__ import annotations

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[3]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def listed(name: str) -> set[str]:
    lines = (ROOT / "requirements" / name).read_text(encoding="utf-8").splitlines()
    return {line.strip() for line in lines if line.strip() and not line.startswith(("#", "-r"))}


def test_the_locked_core_is_what_the_distribution_declares() -> None:
    assert listed("core.in") == set(PROJECT["dependencies"])


def test_the_sandbox_extra_is_what_is_locked_for_it() -> None:
    assert listed("sandbox.in") == set(PROJECT["optional-dependencies"]["sandbox"])


def test_the_other_extras_are_what_is_locked_for_them() -> None:
    extras = PROJECT["optional-dependencies"]
    assert listed("extras.in") == {entry for name in extras if name != "sandbox" for entry in extras[name]}


def test_whatever_is_declared_has_a_lowest_version() -> None:
    declared = [
        *PROJECT["dependencies"],
        *(entry for extra in PROJECT["optional-dependencies"].values() for entry in extra),
    ]
    assert [entry for entry in declared if ">=" not in entry] == []


def test_every_locked_requirement_has_a_version_and_hashes() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        text = lock.read_text(encoding="utf-8").replace("\\\n", " ")
        entries = [line for line in text.splitlines() if re.match(r"^[a-z0-9]", line, re.IGNORECASE)]
        assert entries, lock.name
        assert [entry for entry in entries if "==" not in entry or "--hash=sha256:" not in entry] == [], lock.name


def test_no_committed_lock_names_a_registry() -> None:
    for lock in (ROOT / "requirements").glob("*.txt"):
        assert not re.search(r"https?://|--index-url|--find-links", lock.read_text(encoding="utf-8")), lock.name
