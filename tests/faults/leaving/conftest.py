"""The bench of the worker's tests, on a machine that EC2 has notices for."""

from __future__ import annotations

import json
import secrets
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.parts.imds import ImdsPart
from tests.faults.agent.conftest import (  # noqa: F401  # fixtures
    await_condition,
    bench,
    manual_service,
    sleeper,
)
from tests.integration.agent.conftest import AgentProcess, Bench, eventually


class Machine:
    """An EC2 instance: its metadata service, the agents on it, its Auto Scaling group."""

    def __init__(self, part: ImdsPart, served: Bench) -> None:
        import boto3

        self.part = part
        self.bench = served
        self.scaling = boto3.client("autoscaling")
        self.group = f"fleet-{secrets.token_hex(4)}"

    def agent(self, *flags: str, **variables: str) -> AgentProcess:
        """Start an agent on this machine that looks for notices ten times a second."""
        own = {
            "AWS_EC2_METADATA_DISABLED": "false",
            "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.part.endpoint,
            "DUCTRUNNER_AGENT_NOTICE_INTERVAL": "0.1",
            "DUCTRUNNER_AGENT_NOTICE_RESERVE": "0",
            "DUCTRUNNER_AGENT_KILL_GRACE": "1",
        }
        return self.bench.agent(*flags, **{**own, **variables})

    def control(self, name: str, method: str = "POST", **body: Any) -> dict[str, Any]:
        """Ask the metadata service for something that EC2 has no call for."""
        url = f"{self.part.endpoint}/_sandbox/{name}"
        request = urllib.request.Request(url, json.dumps(body).encode() if method == "POST" else None, method=method)
        with urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))

    def launch(self, **hooks: int) -> str:
        """Launch this machine in a group with these hooks (name → heartbeat time-out, seconds); return its id."""
        self.scaling.create_launch_configuration(
            LaunchConfigurationName=self.group, ImageId="ami-12c6146b", InstanceType="m5.large"
        )
        self.scaling.create_auto_scaling_group(
            AutoScalingGroupName=self.group,
            LaunchConfigurationName=self.group,
            MinSize=0,
            MaxSize=1,
            DesiredCapacity=1,
            AvailabilityZones=["us-east-1a"],
        )
        for name, seconds in hooks.items():
            self.scaling.put_lifecycle_hook(
                AutoScalingGroupName=self.group,
                LifecycleHookName=name,
                LifecycleTransition="autoscaling:EC2_INSTANCE_TERMINATING",
                HeartbeatTimeout=seconds,
            )
        [described] = self.scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[self.group])["AutoScalingGroups"]
        instance: str = described["Instances"][0]["InstanceId"]
        self.control("instance", **{"instance-id": instance})
        return instance

    def terminate(self, instance: str) -> None:
        """Let Auto Scaling take the machine."""
        self.scaling.terminate_instance_in_auto_scaling_group(InstanceId=instance, ShouldDecrementDesiredCapacity=True)
        self.control("lifecycle", state="Terminated")

    def state(self, instance: str) -> str | None:
        """The machine as Auto Scaling sees it; ``None`` once it is terminated."""
        found = self.scaling.describe_auto_scaling_instances(InstanceIds=[instance])["AutoScalingInstances"]
        return found[0]["LifecycleState"] if found else None

    def await_gone(self, instance: str) -> None:
        """Wait until nothing holds the termination back."""
        eventually(lambda: self.state(instance) is None, f"the termination of {instance}")


@pytest.fixture
def machine(bench: Bench, tmp_path: Path) -> Iterator[Machine]:  # noqa: F811  # the fixture
    """An EC2 instance that nobody has a notice for."""
    part = ImdsPart(tmp_path / "imds")
    part.start()
    made = Machine(part, bench)
    yield made
    made.scaling.close()
    part.stop()
