"""S3, DynamoDB and SNS as the service itself calls them: at the configured endpoint and nowhere else.

The service stands in for AWS on one machine, so a call that no endpoint is configured for is refused instead of being
sent to AWS. The endpoint is ``--aws-endpoint``, else ``AWS_ENDPOINT_URL_<SERVICE>`` or ``AWS_ENDPOINT_URL``.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Any, TypeVar, cast

from core.errors import SettingsError
from stores import aws
from stores.identity import Identity
from stores.notifications import Topic
from stores.s3 import S3Store

Client = TypeVar("Client")
#: Seconds and tries of one call; the service asks again at its own intervals.
_LIMITS: dict[str, Any] = {"connect_timeout": 5, "read_timeout": 20, "retries": {"total_max_attempts": 2}}
#: How many clients are kept: one of boto3 takes megabytes, and definitions name any number of topics.
_MOST_CLIENTS = 8
#: Made-up keys for a service that was started without any: what it calls checks none.
_ANY_KEYS = {"AWS_ACCESS_KEY_ID": "AKIASANDBOXSANDBOX00", "AWS_SECRET_ACCESS_KEY": "sandbox-secret-access-key"}


def prepare_environment(endpoint: str | None) -> None:
    """Bring this process's environment into a state in which AWS clients call ``endpoint`` and nothing else."""
    if endpoint is not None:
        for name in [name for name in os.environ if name.startswith("AWS_ENDPOINT_URL")]:
            del os.environ[name]
        os.environ["AWS_ENDPOINT_URL"] = endpoint
    os.environ["AWS_EC2_METADATA_DISABLED"] = "true"
    if not _ANY_KEYS.keys() & os.environ.keys() and "AWS_PROFILE" not in os.environ:
        os.environ.update(_ANY_KEYS)


class Outside:
    """Clients of the services beside this one, made when they are first needed; safe to use from several threads."""

    def __init__(self) -> None:
        self._identity = Identity()
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str | None], Any] = {}

    def s3(self) -> S3Store:
        """Return the S3 of the sandbox.

        Raises:
            SettingsError: no endpoint is configured.
        """
        endpoint = self._endpoint("s3")
        return self._kept("s3", None, lambda: S3Store(endpoint=endpoint))

    def dynamodb(self, region: str | None) -> Any:
        """Return a boto3 client of the sandbox's DynamoDB. Raises as ``s3`` does."""
        endpoint = self._endpoint("dynamodb")
        return self._kept("dynamodb", region, lambda: _client("dynamodb", region, endpoint))

    def topic(self, arn: str) -> Topic:
        """Return a topic of the sandbox's SNS; what may have been sent is not sent again. Raises as ``s3`` does."""
        self._endpoint("sns")
        return self._kept("sns", arn, lambda: Topic(arn, **_LIMITS | {"retries": {"total_max_attempts": 1}}))

    def _endpoint(self, service: str) -> str:
        if found := self._identity.endpoint(service):
            return found
        raise SettingsError(
            f"the Data Pipeline service has no endpoint for {service}; start it with --aws-endpoint or AWS_ENDPOINT_URL"
        )

    def _kept(self, service: str, place: str | None, make: Callable[[], Client]) -> Client:
        with self._lock:
            if (service, place) not in self._clients:
                if len(self._clients) == _MOST_CLIENTS:
                    del self._clients[next(iter(self._clients))]
                self._clients[service, place] = make()
            return cast(Client, self._clients[service, place])


def _client(service: str, region: str | None, endpoint: str) -> Any:
    return aws.client(service, region=region, endpoint=endpoint, **_LIMITS)
