"""The machine's clock beside the service's: signatures are refused when it is some minutes wrong."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

from agent.doctor.finding import Finding, failed, ok, skipped, warning
from agent.doctor.patient import CALL_TIMEOUT, Patient
from stores.web import Connections, Interruption, clock_ahead, unreachable

NAME = "clock"
#: Seconds: what AWS refuses, and what should make somebody look.
REFUSED = 300.0
NOTICED = 30.0
_ADVICE = "set the clock: chronyc makestep, or timedatectl set-ntp true"


def check_clock(patient: Patient) -> Iterator[Finding]:
    """Ask the service for its time, in the ``Date`` of any answer."""
    ahead = _ahead(patient)
    if ahead is None:
        yield skipped(NAME, "the service did not say its time")
        return
    text = f"{abs(ahead):.0f} s {'ahead of' if ahead > 0 else 'behind'} the service's"
    if abs(ahead) > REFUSED:
        yield failed(NAME, text, _ADVICE)
    elif abs(ahead) > NOTICED:
        yield warning(NAME, text, _ADVICE)
    else:
        yield ok(NAME, f"{abs(ahead):.0f} s from the service's")


def _ahead(patient: Patient) -> float | None:
    """Return how many seconds this machine is ahead; the header tells whole seconds."""
    endpoint = patient.endpoint
    address = endpoint.address
    connections = Connections(lambda: endpoint.identity.certificates, CALL_TIMEOUT)
    connection, _ = connections.take(address)
    try:
        connections.open(connection, Interruption())
        connection.request("GET", address.request_target(endpoint.path or "/"), headers=address.forwarding_headers())
        date = connection.getresponse().headers.get("Date")
    except (OSError, http.client.HTTPException) as error:
        raise unreachable(address, "when asked for its time", error) from None
    finally:
        connection.close()
    return clock_ahead(date)
