"""An agent for which one address is every service."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from tests.integration.agent.conftest import AgentProcess


def start_agent(endpoint: str, place: Path, *flags: str, **variables: str) -> AgentProcess:
    """Start an agent that calls ``endpoint`` alone and as often as it likes; ``place`` is its working directory."""
    environment = {
        "PATH": os.environ["PATH"],
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": "any",
        "AWS_SECRET_ACCESS_KEY": "any-secret-key",
        "AWS_REGION": "us-east-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "DUCTRUNNER_CONFIG": os.devnull,
        "DUCTRUNNER_LOGGING_CLOUDWATCH": "false",
        "DUCTRUNNER_AGENT_LISTEN": "off",
        **{f"DUCTRUNNER_AGENT_MAX_{name}_PER_SECOND": "100000" for name in ("POLLS", "REPORTS", "STATUSES")},
    }
    command = [str(Path(sys.executable).with_name("ductrunner")), "agent", "--workerGroup=any", *flags]
    return AgentProcess(command, {**environment, **variables}, place)
