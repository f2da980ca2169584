from __future__ import annotations

import json
from pathlib import Path

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
