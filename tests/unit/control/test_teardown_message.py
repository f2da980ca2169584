from __future__ import annotations

from core.redaction import REDACTOR
from steps_impl.control.teardown import message, same_run
from stores.datapipeline import Instance


def instance(name: str, start: str = "2026-01-01T00:00:00", status: str = "FINISHED", **rest: str) -> Instance:
    return Instance(f"@{name}_{start}", name, "ShellCommandActivity", status, start, **rest)  # type: ignore[arg-type]


def test_only_the_other_steps_of_the_own_run_are_looked_at() -> None:
    mine, sibling = instance("Teardown"), instance("Load")
    former = instance("Load", start="2025-12-31T00:00:00", status="FAILED")
    assert same_run([mine, sibling, former], f"{mine.id}_Attempt=2") == [sibling]


def test_called_by_hand_it_looks_at_the_newest_run() -> None:
    newest, former = instance("Load"), instance("Load", start="2025-12-31T00:00:00")
    assert same_run([former, newest], "") == [newest]


def test_the_message_names_each_failed_step_with_its_error_and_no_secret() -> None:
    REDACTOR.register("hunter2-very-secret")
    failed = instance("Load", status="FAILED", error_id="LoadRejected", error_message="pw hunter2-very-secret refused")
    text = message("nightly", "df-1", [failed, instance("Extract")], [failed])
    assert "1 of 2 steps did not finish" in text
    assert "Load: FAILED" in text
    assert "LoadRejected: pw [redacted] refused" in text
    assert "Extract" not in text
