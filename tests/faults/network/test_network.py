"""The network to each endpoint breaks, stalls or lies: the outcome is true and told once, and the load is whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

import pytest

from tests.faults.matrix.case import ACKNOWLEDGEMENT_WINDOW, PATIENCE, Case
from tests.faults.matrix.lane import Lane, SideBySide, World, chosen_cases, open_lanes
from tests.faults.network.relay import DatabaseRelay, Relay, Trouble
from tests.integration.agent.conftest import eventually

#: Cases at the same time; most of them wait out a delay.
CASES = 12
#: What an attempt may fail with because of the network; the service then tries again.
OF_THE_NETWORK = {"StoreUnreachable", "Throttled", "StoreError", "StagingFailed"}
DATABASE_TROUBLES = (Trouble.DROPPED, Trouble.DELAYED, Trouble.HALF)


@dataclass(frozen=True)
class Disturbed:
    """Which endpoint is in which trouble."""

    endpoint: str
    trouble: Trouble
    #: The one operation or method that meets it; ``None``: the first of each.
    kind: str | None = None

    def __str__(self) -> str:
        return f"{self.endpoint} {self.trouble.value}{f', {self.kind}' if self.kind else ''}"


#: What is delayed: one kind of request in each case, so that the delays pass side by side.
SLOW = (("Data Pipeline", "PollForTask"), ("Data Pipeline", "ReportTaskProgress"), ("Data Pipeline", "SetTaskStatus"))
SLOW += (("S3", "GET"), ("S3", "HEAD"), ("S3", "PUT"), ("CloudWatch Logs", "PutLogEvents"), ("SNS", "POST"))
DISTURBED = [Disturbed(name, Trouble.DELAYED, kind) for name, kind in SLOW]
DISTURBED += [
    Disturbed(name, trouble)
    for name in ("Data Pipeline", "S3", "CloudWatch Logs", "SNS")
    for trouble in Trouble
    if trouble is not Trouble.DELAYED
]
DISTURBED += [Disturbed("warehouse", trouble) for trouble in DATABASE_TROUBLES]


@pytest.fixture(scope="module")
def disturbances(request: pytest.FixtureRequest, world: World) -> Iterator[SideBySide]:
    """The cases of this session, under way."""
    variants = ((), ("--redelivery=same-task", "--timeout-answer=task-not-found"))
    with open_lanes(world, variants * (CASES // 2)) as lanes, closing(SideBySide(lanes, CASES)) as running:
        slow_first = sorted(chosen_cases(request, "disturbed"), key=lambda case: case.trouble is not Trouble.DELAYED)
        running.start(slow_first, run)
        yield running


@pytest.mark.parametrize("disturbed", DISTURBED, ids=str)
def test_a_task_is_reported_once_and_its_table_is_right_whatever_the_network_does(disturbances, disturbed):
    disturbances.result(disturbed)


def run(lane: Lane, disturbed: Disturbed) -> None:
    """Put the relay between, let the task be done, and look at everything."""
    with ExitStack() as stack:
        case = stack.enter_context(closing(Case(lane, str(disturbed))))
        variables, relay = _between(case, disturbed)
        stack.callback(relay.stop)
        alerting = disturbed.endpoint == "SNS"
        if alerting:
            case.remove_input()
        pipeline = case.activate(retries=0 if alerting else 2)
        agent = case.agent(**variables)
        told = case.await_end(pipeline, on_the_way=lambda: _hand_out_again(case, pipeline))
        if isinstance(relay, Relay):
            eventually(lambda: relay.met, "the endpoint to be asked")
        if disturbed.endpoint == "CloudWatch Logs":
            eventually(lambda: not case.unsent_logs(), "every line to be sent", PATIENCE)
        case.retire(agent)
        if alerting:
            assert [(attempt["errorId"], attempt["statuses"]) for attempt in told] == [("NotFound", ["FAILED"])]
        else:
            assert told[-1]["status"] == "FINISHED", told
            for attempt in told:
                assert_true(attempt)
            case.check_load()
        case.check_what_is_left()


def _hand_out_again(case: Case, pipeline: str) -> None:
    """Let the time pass after which a task is handed out again whose poll's answer was lost."""
    [*_, last] = case.lane.attempts(pipeline)
    lost = case.bench.worker.events("poll_failed") and not case.bench.worker.events("task_started")
    if lost and last["status"] == "WAITING_FOR_RUNNER" and last["deliveries"] == 1:
        case.lane.control("clock", advance=ACKNOWLEDGEMENT_WINDOW)


def _between(case: Case, disturbed: Disturbed) -> tuple[dict[str, str], Relay | DatabaseRelay]:
    """Start the relay; return what the agent's environment has to say of it."""
    lane, trouble = case.lane, disturbed.trouble
    if disturbed.endpoint == "warehouse":
        between = DatabaseRelay(lane.database.port, trouble)
        path = lane.write_configuration(case.directory / "disturbed.yaml", port=between.port)
        return {"DUCTRUNNER_CONFIG": str(path)}, between
    port, name = {
        "Data Pipeline": (lane.service.port, "DATA_PIPELINE"),
        "S3": (lane.world.aws.port, "S3"),
        "CloudWatch Logs": (lane.world.aws.port, "CLOUDWATCH_LOGS"),
        "SNS": (lane.world.aws.port, "SNS"),
    }[disturbed.endpoint]
    relay = Relay(port, trouble, disturbed.kind)
    topic = "arn:aws:sns:us-east-1:123456789012:failures"
    return {f"AWS_ENDPOINT_URL_{name}": relay.endpoint, "DUCTRUNNER_ALERTS_TOPIC": topic}, relay


def assert_true(attempt: dict[str, Any]) -> None:
    """Told as one outcome, perhaps more than once since an answer may have been lost; failed by the network only."""
    assert set(attempt["statuses"]) == {attempt["status"]}
    assert attempt["status"] == "FINISHED" or attempt["errorId"] in OF_THE_NETWORK, attempt
