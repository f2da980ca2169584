"""When the service counts as reached."""

from __future__ import annotations

import threading
import time

import pytest

from agent import contact as module
from agent.contact import Contact
from core.errors import AccessDenied, OwnershipLost, RequestRefused, StoreUnreachable, Throttled


@pytest.fixture
def contact():
    return Contact()


def reached(contact):
    last = contact.last()
    return last is not None and time.monotonic() - last < 1


def test_nobody_was_reached_before_the_first_call(contact):
    assert contact.last() is None


def test_an_open_poll_counts(contact):
    contact.sent()
    assert reached(contact)


def test_an_open_poll_that_is_older_than_a_poll_may_be_does_not_count(contact, monkeypatch):
    monkeypatch.setattr(module, "LONGEST", -1.0)
    contact.sent()
    assert not reached(contact)


def test_a_connection_that_was_refused_is_no_contact_but_the_next_open_poll_is(contact):
    contact.failed("PollForTask", StoreUnreachable("refused"))
    assert not reached(contact)
    contact.sent()
    assert reached(contact)


def test_after_an_open_poll_that_broke_only_an_answer_counts(contact):
    contact.sent()
    contact.failed("PollForTask", StoreUnreachable("timed out"))
    contact.sent()
    assert not reached(contact)
    contact.answered("PollForTask")
    contact.sent()
    assert reached(contact)


@pytest.mark.parametrize("error", [OwnershipLost("x"), RequestRefused("x"), Throttled("x")])
def test_a_refusal_that_only_the_service_gives_counts(contact, error):
    contact.sent()
    contact.failed("ReportTaskProgress", error)
    assert reached(contact)


@pytest.mark.parametrize("error", [AccessDenied("x"), StoreUnreachable("x")])
def test_keys_that_are_refused_and_a_broken_service_do_not_count(contact, error):
    contact.sent()
    contact.failed("PollForTask", error)
    assert not reached(contact)


def test_a_call_of_one_thread_does_not_end_the_poll_of_another(contact):
    contact.sent()
    other = threading.Thread(target=lambda: (contact.sent(), contact.answered("ReportTaskProgress")))
    other.start()
    other.join()
    assert reached(contact)


def test_calls_are_counted_by_operation_and_outcome(contact):
    contact.answered("PollForTask")
    contact.answered("PollForTask")
    contact.failed("SetTaskStatus", Throttled("x"))
    assert contact.calls() == {("PollForTask", "ok"): 2, ("SetTaskStatus", "Throttled"): 1}


def test_the_clock_is_compared_with_the_services_date(contact):
    contact.dated("not a date")
    assert contact.clock_ahead is None
    contact.dated("Thu, 01 Jan 2026 00:00:00 GMT")
    assert contact.clock_ahead == pytest.approx(time.time() - 1_767_225_600, abs=2)
