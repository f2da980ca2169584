"""Many logs wait at once: memory holds some, the disk all; what a dead agent has left is sent, a living one's not."""

from __future__ import annotations

import threading

import pytest

from agent.logs.backlog import MOST
from agent.logs.cloudwatch import CloudWatch
from agent.logs.notes import Notes
from agent.logs.shipper import Shipper
from agent.logs.steady_time import SteadyTime
from agent.logs.tail import Target
from stores.endpoint import service_endpoint
from stores.identity import Identity
from tests.integration.agent.conftest import eventually

GROUP = "/ductrunner/backlog"


class Running:
    """A shipper in a thread of its own, as in an agent."""

    def __init__(self, output, logs, limit=1 << 40):
        self.steady = SteadyTime()
        self.output = output
        endpoint = service_endpoint("logs", Identity("id", "key"), url=logs.endpoint)
        self.cloudwatch = CloudWatch(lambda: endpoint, self.steady)
        self.notes = Notes(output, self.steady)
        self.shipper = Shipper(self.cloudwatch, self.notes, self.steady, 0.05, limit)
        self.thread = threading.Thread(target=self.shipper.run)

    def start(self):
        self.thread.start()
        return self

    def log(self, number, text):
        """A log that is complete."""
        path = self.output / "logs" / str(number)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        tail = self.shipper.open(Target(GROUP, f"tasks/{number}"), [path])
        tail.wrote(0, len(text))
        tail.end()
        return tail

    def stop(self):
        self.shipper.close()
        self.thread.join(30)
        assert not self.thread.is_alive()
        self.shipper.finish()


@pytest.fixture
def start(tmp_path, logs):
    made = []

    def begin(**options):
        made.append(Running(tmp_path, logs, **options).start())
        return made[-1]

    yield begin
    for running in made:
        running.stop()


def test_logs_beyond_what_memory_holds_wait_as_notes_and_are_all_sent(start, logs, tmp_path):
    logs.mood = lambda _: "drop"
    running = start()
    count = MOST + 200
    for number in range(count):
        running.log(number, f"log {number}\n")
    eventually(lambda: len([*tmp_path.glob("shipping/*/*.aside")]) >= 200, "the notes")
    logs.mood = lambda _: None
    eventually(lambda: len(logs.messages()) == count, "all logs")
    assert set(logs.messages()) == {f"log {number}" for number in range(count)}
    eventually(lambda: not [*tmp_path.glob("shipping/*/*.[ja]*")], "the notes to go")


def test_what_a_living_agent_has_waiting_is_left_to_it(start, logs, tmp_path):
    logs.mood = lambda _: "drop"
    first = start()
    first.log(1, "of the first\n")
    eventually(lambda: logs.calls, "a try")
    start().log(2, "of the second\n")
    eventually(lambda: len([*tmp_path.glob("shipping/*/*.json")]) == 2, "both notes")
    logs.mood = lambda _: None
    eventually(lambda: sorted(logs.messages()) == ["of the first", "of the second"], "both logs, once each")


def test_a_note_that_leads_out_of_the_logs_is_not_followed(start, logs, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("not a log\n")
    left = tmp_path / "shipping" / "0123456789abcdef"
    left.mkdir(parents=True)
    (left / "0.json").write_text(
        '{"group": "/g", "stream": "tasks/x", "files": ["secret"], "positions": [0], "times": []}'
    )
    (left / "1.json").write_text("{nonsense")
    start().log(1, "a log\n")
    eventually(lambda: logs.messages() == ["a log"], "the log")
    assert not left.exists()
