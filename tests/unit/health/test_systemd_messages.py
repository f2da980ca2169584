"""What systemd is told, read from a real socket of its kind."""

from __future__ import annotations

import os
import socket
import threading

import pytest

from agent.health.systemd import Manager, Systemd, find_manager
from core.errors import StoreUnreachable
from tests.integration.agent.conftest import eventually


class Mailbox:
    """The manager's end."""

    def __init__(self, path) -> None:
        self.path = str(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(self.path)
        self._socket.setblocking(False)
        self.lines: list[str] = []

    def has(self, text: str, after: int = 0) -> bool:
        try:
            while True:
                self.lines += self._socket.recv(65536).decode().split("\n")
        except BlockingIOError:
            return any(text in line for line in self.lines[after:])

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def mailbox(tmp_path):
    made = Mailbox(tmp_path / "notify")
    yield made
    made.close()


@pytest.fixture
def told(observed, mailbox):
    """``told(watchdog)`` starts the loop."""
    started = []

    def start(watchdog=None):
        side = Systemd(Manager(mailbox.path, watchdog), observed.readiness, observed.watcher)
        observed.watcher.turned = lambda within: None
        thread = threading.Thread(target=side.run)
        thread.start()
        started.append((side, thread))
        return side

    yield start
    for side, thread in started:
        side.close()
        thread.join(10)
        assert not thread.is_alive()


def test_ready_is_said_when_the_first_poll_is_open_and_not_before(observed, mailbox, told):
    told()
    eventually(
        lambda: mailbox.has("STATUS=starting: 0 of 3 slots busy; the service has not been reached yet"), "status"
    )
    assert not mailbox.has("READY=1")
    observed.contact.sent()
    eventually(lambda: mailbox.has("READY=1"), "ready")
    eventually(lambda: mailbox.has("STATUS=idle: 0 of 3 slots busy"), "the new status")


def test_a_drain_is_told_at_once_and_prolonged_while_attempts_run(observed, mailbox, told):
    side = told()
    observed.contact.answered("PollForTask")
    eventually(lambda: mailbox.has("READY=1"), "ready")
    observed.watcher.occupied("etl", 1, 2)
    observed.watcher.draining("signal")
    side.draining("signal")
    eventually(lambda: mailbox.has("STOPPING=1"), "stopping")
    eventually(lambda: mailbox.has("EXTEND_TIMEOUT_USEC=60000000"), "more time")
    eventually(lambda: mailbox.has("STATUS=draining: 1 of 3 slots busy"), "the new status")


def test_an_end_without_a_drain_is_told_too(mailbox, told):
    told().close()
    eventually(lambda: mailbox.has("STOPPING=1"), "stopping")
    assert not mailbox.has("EXTEND_TIMEOUT_USEC")


def test_the_watchdog_is_fed_while_the_service_is_reached(observed, mailbox, told):
    observed.contact.sent()
    told(watchdog=0.4)
    eventually(lambda: mailbox.has("WATCHDOG=1") and mailbox.lines.count("WATCHDOG=1") >= 3, "three meals")


def starved(mailbox):
    """Wait until it is no longer fed: nothing comes in the time of several meals."""
    quiet = threading.Event()

    def nothing_new():
        mailbox.has("")
        before = len(mailbox.lines)
        quiet.wait(0.5)
        return not mailbox.has("WATCHDOG=1", after=before)

    eventually(nothing_new, "an unfed watchdog")


def test_the_watchdog_starves_when_the_service_is_gone(observed, mailbox, told):
    observed.contact.sent()
    told(watchdog=0.4)
    eventually(lambda: mailbox.has("WATCHDOG=1"), "a meal")
    with observed.contact._lock:
        observed.contact._open.clear()
    observed.contact.failed("PollForTask", StoreUnreachable("gone"))
    starved(mailbox)


def test_the_watchdog_starves_when_a_loop_is_stuck(observed, mailbox, told):
    observed.contact.sent()
    told(watchdog=0.4)
    eventually(lambda: mailbox.has("WATCHDOG=1"), "a meal")
    observed.turns.mark(-1.0)
    starved(mailbox)
    observed.turns.mark(None)
    before = len(mailbox.lines)
    eventually(lambda: mailbox.has("WATCHDOG=1", after=before), "a meal again")


def test_a_manager_that_is_gone_disturbs_nobody(tmp_path):
    Manager(str(tmp_path / "nobody"), None).tell("READY=1")


def test_an_abstract_address_is_understood():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
        sock.bind(f"\0ductrunner-test-{os.getpid()}")
        Manager(f"@ductrunner-test-{os.getpid()}", None).tell("READY=1", "STATUS=x")
        assert sock.recv(100) == b"READY=1\nSTATUS=x"


def test_the_variables_are_taken_away_from_the_attempts():
    environment = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "600000000", "WATCHDOG_PID": str(os.getpid()), "A": "b"}
    assert find_manager(environment) == Manager("/run/x", 600.0)
    assert environment == {"A": "b"}


def test_a_watchdog_of_another_process_is_not_ours():
    environment = {"NOTIFY_SOCKET": "/run/x", "WATCHDOG_USEC": "600000000", "WATCHDOG_PID": "1"}
    assert find_manager(environment) == Manager("/run/x", None)


def test_without_systemd_there_is_no_manager():
    assert find_manager({"WATCHDOG_USEC": "1"}) is None
