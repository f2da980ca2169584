"""The machine's own clock: windows close by themselves, without any call."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any


def test_a_window_that_closes_wakes_a_waiting_poll(start_service: Any, make_activity: Any) -> None:
    service = start_service("--clock", "system", "--ack-window", "0.3", "--poll-hold", "30")
    service.run(make_activity("A"))
    first = service.take()
    second = service.take()
    assert second["attemptId"] == first["attemptId"]
    assert second["taskId"] != first["taskId"]


def test_a_retry_comes_when_its_delay_is_over(start_service: Any, make_activity: Any) -> None:
    service = start_service("--clock", "system", "--retry-delay-minimum", "0", "--poll-hold", "30")
    service.run(make_activity("A", retryDelay="1 second"))
    service.finish(service.take(), "FAILED")
    assert service.take()["attemptId"].endswith("_Attempt=2")


def test_the_system_clock_cannot_be_moved(start_service: Any) -> None:
    service = start_service("--clock", "system")
    status, answer, _ = service.raw("POST", "/_sandbox/clock", b'{"advance": 1}')
    assert status == 400
    assert "--clock manual" in answer["message"]
    assert service.control("GET", "clock")["manual"] is False


def test_the_service_ends_cleanly_while_a_poll_waits(start_service: Any) -> None:
    service = start_service("--poll-hold", "60")
    client = service.new_client(read_timeout=90)
    with ThreadPoolExecutor(1) as pool:
        poll = pool.submit(client.poll_for_task, workerGroup="group")
        while not service.control("GET", "health")["polls"]:
            assert not poll.done()
        assert service.stop() == 0
        poll.exception(timeout=10)
    client.close()


def test_a_recurring_schedule_goes_on_by_itself(start_service: Any, make_activity: Any, make_object: Any) -> None:
    service = start_service("--clock", "system", "--instance-interval", "1", "--poll-hold", "30")
    begin = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=45) + timedelta(seconds=2)
    every = make_object("Every", type="Schedule", period="15 minutes", startDateTime=f"{begin:%Y-%m-%dT%H:%M:%S}")
    service.run(every, make_activity("A"), default={"scheduleType": "cron", "schedule": ">Every"})
    starts = []
    for _ in range(4):
        task = service.take()
        service.finish(task)
        starts.append(task["attemptId"].split("_")[1])
    expected = [begin + timedelta(minutes=15) * number for number in range(4)]
    assert starts == [f"{moment:%Y-%m-%dT%H:%M:%S}" for moment in expected]
    assert datetime.now(UTC) >= expected[-1]
