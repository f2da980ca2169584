"""The HTTP proxy that the environment names (``HTTPS_PROXY``, ``HTTP_PROXY``, ``NO_PROXY``), as boto3 reads it."""

from __future__ import annotations

import base64
import urllib.request
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit


@dataclass(frozen=True)
class Proxy:
    """Where the proxy is, and the headers that it wants (its credentials)."""

    host: str
    port: int
    headers: tuple[tuple[str, str], ...] = ()


def find_proxy(scheme: str, host: str) -> Proxy | None:
    """The proxy for a host, if there is one."""
    address = urllib.request.getproxies().get(scheme)
    if not address or urllib.request.proxy_bypass(host):
        return None
    parts = urlsplit(address if "//" in address else f"//{address}")
    if not parts.username:
        return Proxy(parts.hostname or "", parts.port or 80)
    user = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    header = ("Proxy-Authorization", "Basic " + base64.b64encode(user.encode()).decode("ascii"))
    return Proxy(parts.hostname or "", parts.port or 80, (header,))
