"""S3, DynamoDB, SNS, CloudWatch Logs, Secrets Manager, SSM and STS: moto, run by ``python -m sandbox.aws``."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from sandbox.parts.python_service import HttpService

REGION = "us-east-1"
_PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")


class MotoPart(HttpService):
    """The AWS services that moto stands in for, all on one port."""

    name: ClassVar[str] = "aws"
    title: ClassVar[str] = "S3, DynamoDB, SNS, Logs, Secrets Manager, SSM, STS (moto)"
    module: ClassVar[str] = "sandbox.aws"

    def client_environment(self, environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Return the variables with which an AWS client talks to this server and to nothing else.

        The credentials are made up: moto accepts any. Where ``environment`` names a proxy, the loopback interface is
        exempted from it.
        """
        return {
            "AWS_ENDPOINT_URL": self.endpoint,
            "AWS_ACCESS_KEY_ID": "AKIASANDBOXSANDBOX00",
            "AWS_SECRET_ACCESS_KEY": "sandbox-secret-access-key",
            "AWS_DEFAULT_REGION": REGION,
            "AWS_REGION": REGION,
            "AWS_EC2_METADATA_DISABLED": "true",
            **_past_proxies(environment),
        }

    def options(self) -> Sequence[str | Path]:
        """Return where the state is kept."""
        return ["--state", self.directory / "state", *self.flags]


def _past_proxies(environment: Mapping[str, str]) -> dict[str, str]:
    if not any(environment.get(name) for name in _PROXIES):
        return {}
    kept = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    hosts = ",".join(filter(None, [kept, "127.0.0.1", "localhost"]))
    return {"NO_PROXY": hosts, "no_proxy": hosts}
