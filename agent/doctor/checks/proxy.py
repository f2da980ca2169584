"""The proxy of the environment, and what must not go through it."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from agent.doctor.finding import Finding, ok, warning
from agent.doctor.patient import Patient

NAME = "proxy"
#: Where EC2's role credentials and notices come from: never through a proxy.
METADATA = "169.254.169.254"


def check_proxy(patient: Patient) -> Iterator[Finding]:
    """Look at ``HTTPS_PROXY`` and ``NO_PROXY``."""
    environment = patient.environment
    proxy = environment.get("https_proxy") or environment.get("HTTPS_PROXY")
    if not proxy:
        yield ok(NAME, "none")
        return
    parts = urlsplit(proxy if "//" in proxy else f"//{proxy}")
    where = f"{parts.hostname}:{parts.port or 80}" + (" with a login" if parts.username else "")
    exempt = environment.get("no_proxy") or environment.get("NO_PROXY") or ""
    if METADATA not in exempt and exempt.strip() != "*":
        advice = f"the machine's role would be asked for through it: add {METADATA} to NO_PROXY"
        yield warning(NAME, f"{where}, for every host but {exempt or 'none'}", advice)
    else:
        yield ok(NAME, f"{where}, not for {exempt}")
