"""What is examined: the configuration as the agent would see it, and who we are for AWS."""

from __future__ import annotations

import functools
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent.credentials import read_credentials, use_credentials
from agent.flags import Flags, with_flags
from agent.sources.datapipeline import LOST
from agent.sources.endpoint import find_endpoint
from core.errors import OwnershipLost, SettingsError
from core.sections.worker import AgentSettings
from core.settings import Settings, load_settings
from stores import aws
from stores.endpoint import Endpoint
from stores.identity import Identity
from stores.json_client import JsonClient

#: Seconds that one call may take; a check makes several.
CALL_TIMEOUT = 6.0


@dataclass(frozen=True)
class Patient:
    """Looked at by several checks at the same time."""

    settings: Settings
    agent: AgentSettings
    environment: Mapping[str, str]
    #: Why the configuration could not be read; empty when it could.
    problem: str = ""
    #: A ``credentials.json`` that was named.
    credentials: Path | None = None
    send_test: bool = False

    @property
    def group(self) -> str:
        """The worker group; empty when none is named."""
        return self.agent.worker_group or ""

    @property
    def host(self) -> str:
        """This machine's name."""
        return socket.gethostname()

    @functools.cached_property
    def identity(self) -> Identity:
        """Where keys and region come from."""
        return Identity()

    @functools.cached_property
    def region(self) -> str:
        """The region of the worker's service."""
        return self.agent.region or self.identity.region

    @functools.cached_property
    def endpoint(self) -> Endpoint:
        """The Data Pipeline service.

        Raises:
            AccessDenied: there are no keys.
            SettingsError: the endpoint is no address.
        """
        return find_endpoint(self.agent.endpoint, self.agent.region, None, None)

    @functools.cached_property
    def service(self) -> JsonClient:
        """A client of it that gives up soon. Raises as ``endpoint`` does."""
        return JsonClient(
            self.endpoint,
            target="DataPipeline",
            service="datapipeline",
            timeout=CALL_TIMEOUT,
            errors=dict.fromkeys(LOST, OwnershipLost),
        )

    @functools.cached_property
    def caller(self) -> Mapping[str, str]:
        """``Arn`` and ``Account`` of whoever the keys belong to.

        Raises:
            StoreError: STS was not reached or refuses the keys.
        """
        with aws.calling("ask STS who we are"):
            answer: Mapping[str, str] = self.client("sts").get_caller_identity()
        return answer

    def client(self, service: str, region: str | None = None) -> Any:
        """Return a boto3 client that gives up soon."""
        return aws.client(
            service,
            region=region or self.region,
            connect_timeout=CALL_TIMEOUT,
            read_timeout=CALL_TIMEOUT,
            retries={"mode": "standard", "total_max_attempts": 2},
        )


def make_patient(flags: Flags, *, send_test: bool) -> Patient:
    """Read the configuration as the agent would; one that cannot be read is a finding, not an error."""
    settings, problem, file = Settings(), "", None
    config = flags.config.expanduser() if flags.config else None
    try:
        file = read_credentials(config)
        settings = load_settings(None if file else config)
        if file:
            use_credentials(file.access_id, file.secret_key)
    except SettingsError as error:
        problem = str(error)
    agent = with_flags(settings, flags)
    return Patient(settings, agent, os.environ, problem, config if file else None, send_test)
