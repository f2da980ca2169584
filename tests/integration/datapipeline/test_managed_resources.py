"""``runsOn``: what AWS would start a machine for goes to a worker group of the sandbox."""

from __future__ import annotations

from typing import Any

RESOURCE = {"type": "Ec2Resource", "role": "r", "resourceRole": "rr", "region": "eu-west-1"}


def test_what_runs_on_a_resource_is_given_to_the_managed_worker_group(
    service: Any, make_activity: Any, make_object: Any, field_of: Any
) -> None:
    service.run(
        make_activity("A", runsOn=">Machine", workerGroup="ignored", command="in #{runsOn.region}"),
        make_object("Machine", **RESOURCE),
    )
    assert service.poll("ignored") is None
    task = service.take("managed")
    attempt = task["objects"][task["attemptId"]]
    assert field_of(attempt, "command") == "in eu-west-1"
    machine = task["objects"][field_of(attempt, "runsOn")]
    assert field_of(machine, "type") == "Ec2Resource"


def test_the_managed_worker_group_is_an_option(start_service: Any, make_activity: Any, make_object: Any) -> None:
    service = start_service("--managed-worker-group", "mine")
    service.run(make_activity("A", runsOn=">Cluster"), make_object("Cluster", type="EmrCluster"))
    assert service.take("mine")["attemptId"].startswith("@A_")
