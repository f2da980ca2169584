"""Steps that wait and tell: run twice, ended in the middle, run again."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path

import pytest

from core.errors import StoreUnreachable
from stores.s3 import S3Store
from tests.acceptance.compute.conftest import Place
from tests.integration.agent.conftest import eventually
from tests.integration.control.conftest import Looks, Pipelines, Topic, run_step

SIGNALS = [signal.SIGTERM, signal.SIGKILL]


def end_while_it_waits(process: subprocess.Popen[str], place: Place, number: signal.Signals) -> None:
    """End a step that has looked once; it says so if it can, and leaves nothing behind."""
    eventually(lambda: place.result.exists() and place.told()["status"] == "running", "its first look")
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode == (143 if number == signal.SIGTERM else -9)
    if number == signal.SIGTERM:
        assert place.told()["errorId"] == "Interrupted"
    assert [path.name for path in place.result.parent.iterdir()] == ["result.json"]
    place.result.unlink()


@pytest.mark.parametrize("number", SIGNALS)
def test_waiting_for_data_is_ended_and_goes_on_with_the_next_run(place: Place, number: signal.Signals) -> None:
    words = ["--s3-uri", place.uri("done/"), place.uri("day/_SUCCESS"), "--refresh-rate", "3600"]
    end_while_it_waits(place.start("wait-for-data", *words), place, number)
    place.put("done/part-0")
    place.put("day/_SUCCESS")
    for _ in range(2):
        status, _, err = place.command("wait-for-data", *words)
        assert status == 0, err


def test_a_store_that_is_away_for_a_while_counts_as_not_yet_but_not_at_the_first_look(
    place: Place, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks, answer = [0], S3Store.exists

    def exists(store: S3Store, uri: str) -> bool:
        looks[0] += 1
        if looks[0] == away:
            raise StoreUnreachable(f"{uri} cannot be reached")
        return answer(store, uri)

    monkeypatch.setattr(S3Store, "exists", exists)
    then = Looks(lambda number: place.put("day/_SUCCESS") and None if number == 2 else None)
    away = 2
    result = run_step("wait-for-data", then, s3_uri=(place.uri("day/_SUCCESS"),), refresh_rate=0.01)
    assert result.details["looks"] == 3
    assert "counts as not there yet" in capsys.readouterr().err
    looks[0], away = 0, 1
    with pytest.raises(StoreUnreachable):
        run_step("wait-for-data", s3_uri=(place.uri("day/_SUCCESS"),), refresh_rate=0.01)


@pytest.mark.parametrize("number", SIGNALS)
def test_waiting_for_pipelines_is_ended_and_goes_on_with_the_next_run(
    pipelines: Pipelines, place: Place, topic: Topic, number: signal.Signals
) -> None:
    strict, lenient = (pipelines.make()[0] for _ in range(2))
    pipelines.end(lenient, "FAILED")
    words = ["--dependencies", strict, "--dependencies-ok-to-fail", lenient, "--sns-topic-arn", topic.arn]
    end_while_it_waits(place.start("pipeline-dependencies", *words), place, number)
    assert topic.messages() == [], "what failed is told at the end, once"
    pipelines.end(strict, "FINISHED")
    for _ in range(2):
        status, _, err = place.command("pipeline-dependencies", *words)
        assert status == 0, err
        assert len(topic.messages()) == 1


@pytest.mark.parametrize("number", SIGNALS)
def test_teardown_is_ended_while_it_waits_and_tells_with_the_next_run(
    pipelines: Pipelines, place: Place, topic: Topic, number: signal.Signals
) -> None:
    name, pipeline = pipelines.make()
    words = ["--pipeline-id", pipeline, "--sns-topic-arn", topic.arn]
    end_while_it_waits(place.start("teardown", *words), place, number)
    assert topic.messages() == []
    pipelines.end(name, "FAILED")
    for _ in range(2):
        status, _, err = place.command("teardown", *words)
        assert status == 0, err
        [message] = topic.messages()
        assert message["Subject"] == f"Failure on {name}"


def test_a_message_is_published_once_for_each_run_and_its_subject_fits(topic: Topic, tmp_path: Path) -> None:
    for _ in range(2):
        run_step("notify", message="m" * 1000, subject="Ü" + "s" * 200, sns_topic_arn=topic.arn)
        [message] = topic.messages()
        assert len(message["Subject"]) <= 100
        assert message["Subject"].isascii()
