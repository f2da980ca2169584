from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

MASK = b"[redacted]"
Search = Callable[[Mapping[str, str], Mapping[str, bytes]], list[str]]


def test_the_pipeline_really_used_the_passwords(told: Any) -> None:
    finished = {"Extract", "Upsert", "Teardown"}
    failed = {"WrongMySql", "WrongWarehouse", "Talkative", "TalkativeToo"}
    expected = dict.fromkeys(finished, "FINISHED") | dict.fromkeys(failed, "FAILED")
    assert told.statuses == expected, told.errors


@pytest.mark.parametrize(
    "kind",
    [
        "command lines",
        "result files",
        "the agent's folder",
        "S3",
        "the service's fields",
        "SNS",
        "logs of the sandbox",
    ],
)
def test_no_password_is_in(told: Any, search: Search, kind: str) -> None:
    assert search(told.known, told.of(kind)) == []


def test_no_password_is_in_the_environment_of_another_users_process(told: Any, search: Search) -> None:
    assert search(told.known, told.places["environments of other users"]) == []


def test_the_command_lines_of_the_steps_were_among_those_searched(told: Any) -> None:
    lines = b"\n".join(told.of("command lines").values())
    for step in (b"extract-rds", b"upsert", b"primary-key-check", b"teardown"):
        assert b"step\0" + step in lines


def test_a_command_that_tells_a_password_is_redacted_in_both_streams_on_disk_and_in_s3(told: Any) -> None:
    for kind in ("the agent's folder", "S3"):
        for stream in ("StdOutput", "StdError"):
            logs = [text for place, text in told.of(kind).items() if "/Talkative/" in place and place.endswith(stream)]
            assert [b"told: " + MASK in text for text in logs] == [True], (kind, stream)


def test_the_configuration_and_the_environment_told_by_a_command_are_redacted_in_the_logs(told: Any) -> None:
    [text] = [text for place, text in told.of("S3").items() if "/TalkativeToo/" in place and place.endswith("StdError")]
    assert b"AWS_SECRET_ACCESS_KEY=" + MASK in text
    assert b"password: " + MASK in text


def test_the_error_message_of_a_command_that_tells_a_password_is_redacted(told: Any) -> None:
    assert "told: " + MASK.decode() in told.errors["Talkative"]


def test_a_refused_password_is_reported_without_it(told: Any) -> None:
    assert "source" in told.errors["WrongMySql"]
    assert "warehouse" in told.errors["WrongWarehouse"]
    assert "AccessDenied" in told.errors["WrongMySql"]
    assert "AccessDenied" in told.errors["WrongWarehouse"]


def test_the_scripts_of_the_attempts_are_gone(told: Any) -> None:
    assert [place for place in told.of("the agent's folder") if Path(place).name.endswith("_command.sh")] == []


@pytest.mark.parametrize(
    "written",
    [
        lambda secret: secret.encode(),
        lambda secret: json.dumps({"message": f"no {secret}"}).encode(),
        lambda secret: f"mysql://root:{quote(secret, safe='')}@host/".encode(),
        lambda secret: base64.b64encode(secret.encode()),
    ],
)
def test_the_search_finds_a_planted_password(search: Search, written: Callable[[str], bytes]) -> None:
    known = {"planted": 'p"lä/nted', "another": "not there at all"}
    assert search(known, {"a log": b"before " + written(known["planted"]) + b" after"}) == ["planted in a log"]
