"""Calls of DynamoDB: made again while it throttles or is away, broken off when cancelled.

Items stay in the form of the wire, ``{"id": {"S": "x"}, "photo": {"B": "<base64>"}}``: numbers and binary values are
text on their way from table to file and back, so that no digit and no byte is touched.
"""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from core.errors import DuctrunnerError, NotFound, RequestRefused, StoreUnreachable, Throttled
from stores.dynamodb.table import Table, described
from stores.endpoint import service_endpoint
from stores.identity import Identity
from stores.json_client import JsonClient

#: Seconds for one answer; a page of a scan has 1 MB.
TIMEOUT = 60.0
#: Seconds for which a throttled call is made again (AWS's own export tool: 10 minutes), and one without an answer.
PATIENCE, UNREACHED_PATIENCE = 600.0, 60.0
#: Seconds between two tries: doubled from the first up to the last, and random below that.
FIRST_WAIT, LONGEST_WAIT = 0.05, 10.0
#: DynamoDB's codes (API Reference, Common Errors) that our client of JSON services does not know.
_ERRORS: Mapping[str, type[DuctrunnerError]] = {
    "InternalServerError": StoreUnreachable,
    "ItemCollectionSizeLimitExceededException": RequestRefused,
    "LimitExceededException": Throttled,
    "ProvisionedThroughputExceededException": Throttled,
    "ResourceNotFoundException": NotFound,
    "ServiceUnavailable": StoreUnreachable,
}


class DynamoDB:
    """The tables of one region; safe to use from several threads; a context manager that cancels at its end.

    Every call may raise ``StoreError`` (by kind), and ``InterruptedError`` after ``cancel``.
    """

    def __init__(self, region: str | None = None, monotonic: Callable[[], float] = time.monotonic) -> None:
        endpoint = service_endpoint("dynamodb", Identity(), region=region)
        self.region = endpoint.region
        self.monotonic = monotonic
        self._cancelled = threading.Event()
        self._client = JsonClient(
            endpoint,
            target="DynamoDB_20120810",
            service="dynamodb",
            timeout=TIMEOUT,
            errors=_ERRORS,
            version="1.0",
        )

    def __enter__(self) -> DynamoDB:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()

    def cancel(self) -> None:
        """Break off every open call and refuse new ones."""
        self._cancelled.set()
        self._client.close()

    def describe(self, name: str) -> Table:
        """Return what there is to know about a table.

        Raises:
            NotFound: it is not there.
        """
        try:
            answer = self.call("DescribeTable", {"TableName": name})
        except NotFound:
            raise NotFound(
                f"there is no DynamoDB table {name!r} in {self.region}; check the name and the region"
            ) from None
        try:
            return described(answer["Table"])
        except (KeyError, TypeError, ValueError):
            raise StoreUnreachable(
                "DescribeTable was answered by something else; check the endpoint and the proxy"
            ) from None

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Do one call, and do it again while DynamoDB throttles it, is away or fails for a while."""
        begun, wait = self.monotonic(), FIRST_WAIT
        while True:
            try:
                return self._client.call(operation, arguments)
            except (Throttled, StoreUnreachable) as error:
                self._stop_when_cancelled()
                patience = PATIENCE if isinstance(error, Throttled) else UNREACHED_PATIENCE
                if self.monotonic() - begun > patience:
                    raise type(error)(f"{error} (for {patience:.0f} s)") from None
            self.sleep(random.uniform(0, wait))  # noqa: S311  # jitter, not a secret
            wait = min(2 * wait, LONGEST_WAIT)

    def sleep(self, seconds: float) -> None:
        """Wait, but not longer than until ``cancel``; then raise ``InterruptedError``."""
        self._cancelled.wait(seconds)
        self._stop_when_cancelled()

    def _stop_when_cancelled(self) -> None:
        if self._cancelled.is_set():
            raise InterruptedError("the work on DynamoDB was cancelled")
