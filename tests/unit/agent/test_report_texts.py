"""Error texts as the service takes them."""

from __future__ import annotations

import pytest

from agent import report
from agent.group import Group
from agent.running import Held
from agent.source import ERROR_MESSAGE_LIMIT, STACK_TRACE_LIMIT
from core.errors import CommandFailed, OwnershipLost, RequestRefused, StoreUnreachable
from core.redaction import REDACTOR


def test_characters_that_the_api_refuses_are_removed():
    dirty = "a\x00b\x1b[31mred\x1b[0m\x07\tc\r\nd\ufffe\udc80\U0001f600\x1b]0;title\x07e"
    assert report.clean(dirty) == "abred\tc\r\nd\U0001f600e"


def test_a_long_stderr_is_cut_in_front_and_the_place_of_the_logs_stays():
    verdict = report.failed(CommandFailed("it broke"), "ü" * 9000 + "\nthe last line", "s3://b/logs")
    assert len(verdict.error_message.encode()) <= ERROR_MESSAGE_LIMIT
    assert verdict.error_message.startswith("it broke\nlast lines of stderr:\n")
    assert verdict.error_message.endswith("the last line\nlogs: s3://b/logs")


def test_an_endless_message_is_cut():
    assert len(report.failed(CommandFailed("x" * 9000), "err", "place").error_message.encode()) <= ERROR_MESSAGE_LIMIT


def test_an_unexpected_error_has_a_short_trace_and_no_secret():
    REDACTOR.register("topsecret-value")
    with pytest.raises(RuntimeError) as caught:
        raise RuntimeError("topsecret-value " * 500)
    verdict = report.failed(caught.value)
    assert verdict.error_id == "InternalError"
    assert 0 < len(verdict.stack_trace) <= STACK_TRACE_LIMIT
    assert "topsecret" not in verdict.error_message + verdict.stack_trace


@pytest.mark.parametrize(
    ("status", "error_id", "words"),
    [
        (3, "CommandFailed", "exit status 3"),
        (137, "CommandFailed", "SIGKILL"),
        (255, "CommandFailed", "exit status 255"),
        (-9, "CommandKilled", "SIGKILL"),
    ],
)
def test_an_exit_status_is_explained(status, error_id, words):
    error = report.exit_error(status)
    assert error.error_id == error_id
    assert words in str(error)


@pytest.mark.parametrize("error_id", ["Service_Thing", "", None, 7])
def test_an_error_id_that_the_api_refuses_is_not_taken_over(error_id):
    verdict = report.failed(CommandFailed("x"))
    assert report.renamed(verdict, error_id).error_id == "CommandFailed"


class Answers:
    """Answers SetTaskStatus with these, one after the other; ``None`` takes the status."""

    def __init__(self, *answers):
        self.answers = list(answers)
        self.sent = []

    def set_status(self, task_id, verdict):
        self.sent.append(verdict)
        if (answer := self.answers.pop(0)) is not None:
            raise answer


@pytest.fixture
def held_from():
    """A maker of held tasks: ``held_from(source)``."""
    made = []

    def make(source):
        made.append(Held(Group("etl", source, 1), "task", ("df-1", "@A"), 60.0))
        return made[-1]

    yield make
    for held in made:
        held.stop.close()


def test_a_status_that_is_refused_goes_out_again_without_its_texts(held_from):
    source = Answers(RequestRefused("too long"), None)
    assert report.send(held_from(source), report.failed(CommandFailed("x"), "err"), window=5)
    assert source.sent[1].error_id == "CommandFailed"
    assert source.sent[1].error_message == ""


def test_a_status_is_sent_until_the_service_is_back(held_from):
    source = Answers(StoreUnreachable("down"), StoreUnreachable("down"), None)
    assert report.send(held_from(source), report.failed(CommandFailed("x")), window=60)
    assert len(source.sent) == 3


def test_a_status_is_given_up_when_the_task_is_not_ours(held_from):
    assert not report.send(held_from(Answers(OwnershipLost("gone"))), report.failed(CommandFailed("x")), window=60)
