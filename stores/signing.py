"""Signature Version 4 (SigV4) with the service's time, so that a machine whose clock is wrong can still speak to AWS.

AWS refuses a request whose time is more than 5 (S3: 15) minutes from its own, and says its own in the answer's
``Date``. What a clock that jumps would cost a worker otherwise: every report of its running attempts, and with them the
attempts.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from stores.web import clock_ahead

#: A ``Date`` tells whole seconds and is some seconds old when it is read.
TOLERANCE = 60.0  # seconds


class ServiceTime:
    """How far the service's clock is ahead of this machine's, as far as its refusals have told."""

    def __init__(self) -> None:
        #: Seconds; 0 as long as nobody has refused a request for its time.
        self.offset = 0.0

    def learn(self, date: str | None) -> bool:
        """Take the ``Date`` of an answer that refused our time; ``True`` when it is worth another try."""
        ahead = clock_ahead(date)
        if ahead is None or abs(-ahead - self.offset) < TOLERANCE:
            return False
        self.offset = -ahead
        return True


def sign(kind: Any, request: Any, keys: Any, service: str, region: str, offset: float) -> None:
    """Sign botocore's ``request`` with a signer of this kind (``SigV4Auth``), at our time plus ``offset`` seconds."""
    signer = _shifted(kind)(keys, service, region)
    signer.offset = offset
    signer.add_auth(request)


@cache
def _shifted(kind: Any) -> type[Any]:
    class Shifted(kind):  # type: ignore[misc]
        """Signs as its base does, at another time: everything that is signed is made from ``timestamp``."""

        offset = 0.0

        def _modify_request_before_signing(self, request: Any) -> None:
            if self.offset:
                moment = datetime.now(UTC) + timedelta(seconds=self.offset)
                request.context["timestamp"] = moment.strftime("%Y%m%dT%H%M%SZ")
            super()._modify_request_before_signing(request)

    return Shifted
