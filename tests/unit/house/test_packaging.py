from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from agent.hooks.directory import NAMES, Hooks
from core.settings import load_settings

PACKAGING = Path(__file__).parents[3] / "packaging"


def test_the_sample_configuration_is_a_configuration() -> None:
    settings = load_settings(PACKAGING / "ductrunner.sample.yaml", {})
    assert settings.agent.worker_group == "etl"
    assert settings.mysql["learning"].password.get_secret_value().startswith("secretsmanager:")


def test_the_policy_lets_the_worker_make_every_call_of_its_protocol() -> None:
    policy = json.loads((PACKAGING / "iam-policy.json").read_text(encoding="utf-8"))
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    protocol = {"PollForTask", "ReportTaskProgress", "SetTaskStatus", "ReportTaskRunnerHeartbeat", "DescribeObjects"}
    assert {f"datapipeline:{operation}" for operation in protocol} <= actions


def test_the_policy_lets_the_worker_hold_a_termination_back_and_complete_it() -> None:
    policy = json.loads((PACKAGING / "iam-policy.json").read_text(encoding="utf-8"))
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    asked = {"DescribeAutoScalingInstances", "DescribeLifecycleHooks"}
    told = {"RecordLifecycleActionHeartbeat", "CompleteLifecycleAction"}
    assert {f"autoscaling:{operation}" for operation in asked | told} <= actions


@pytest.mark.parametrize("name", NAMES)
def test_each_hook_has_a_sample_that_bash_can_read_and_that_is_no_hook_itself(name: str) -> None:
    sample = PACKAGING / "hooks" / f"{name}.sample"
    assert subprocess.run(["bash", "-n", sample], check=False).returncode == 0
    assert Hooks(PACKAGING / "hooks", timeout=1.0).find() == {}


def test_the_policy_lets_the_worker_read_and_write_tables() -> None:
    policy = json.loads((PACKAGING / "iam-policy.json").read_text(encoding="utf-8"))
    actions = {action for statement in policy["Statement"] for action in statement["Action"]}
    assert {f"dynamodb:{operation}" for operation in ("BatchWriteItem", "DescribeTable", "Scan")} <= actions
