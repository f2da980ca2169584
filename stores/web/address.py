"""Where a server is and which way leads there: an ``http(s)`` address and the proxy that the environment names.

Proxies as boto3 finds them (``HTTPS_PROXY``, ``HTTP_PROXY``, ``NO_PROXY``, either in small letters), except that this
machine's own addresses are never asked for through one: a proxy would look for them on its own machine.
"""

from __future__ import annotations

import base64
import ipaddress
import urllib.request
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from core.errors import SettingsError
from core.redaction import REDACTOR

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Proxy:
    """Where the proxy is, and the header that lets us through (empty without a user name)."""

    host: str
    port: int
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)

    @property
    def authority(self) -> str:
        """Host and port, for messages."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class Address:
    """A server; ``host`` is bare (``::1``), ``authority`` is what the ``Host`` header says (``[::1]:8443``)."""

    scheme: str
    host: str
    port: int
    authority: str
    proxy: Proxy | None

    @property
    def url(self) -> str:
        """Scheme, host and port."""
        return f"{self.scheme}://{self.authority}"

    @property
    def forwarded(self) -> bool:
        """Whether a proxy reads and forwards the requests, in place of tunnelling them."""
        return self.proxy is not None and self.scheme == "http"

    def request_target(self, path: str) -> str:
        """What stands in the request line: the path, or the whole URL when a proxy forwards plain HTTP."""
        return self.url + path if self.forwarded else path

    def forwarding_headers(self) -> dict[str, str]:
        """Headers for a proxy that forwards plain HTTP; under TLS it gets them with CONNECT."""
        return dict(self.proxy.headers) if self.proxy and self.forwarded else {}


def find_address(url: str, what: str, proxy: str | None = None) -> tuple[Address, str]:
    """Return the server of a URL and the URL's path; ``what`` names the URL in errors (``the S3 endpoint``).

    ``proxy`` (``http://login@host:port``) is used in place of the environment's.

    Raises:
        SettingsError: the URL, or that of the proxy on the way there, is not an address.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise SettingsError(f"{what} {url!r} is not an address; write https://host[:port]")
    authority = parts.netloc.rpartition("@")[2]
    named = proxy or urllib.request.getproxies().get(parts.scheme)
    way = _find_proxy(named, parts.scheme, parts.hostname, authority)
    return Address(parts.scheme, parts.hostname, port or _PORTS[parts.scheme], authority, way), parts.path


def _find_proxy(named: str | None, scheme: str, host: str, authority: str) -> Proxy | None:
    if not named or _is_here(host) or urllib.request.proxy_bypass(authority):
        return None
    try:
        parts = urlsplit(named if "//" in named else f"//{named}")
        place = Proxy(parts.hostname or "", parts.port or 80)
    except ValueError:
        raise SettingsError(f"the port in {scheme.upper()}_PROXY is not a number; write http://host:port") from None
    if parts.scheme not in {"", "http"} or not place.host:
        raise SettingsError(
            f"{scheme.upper()}_PROXY must be http://host:port; {parts.scheme}:// is not supported there"
        )
    if not parts.username:
        return place
    REDACTOR.register(unquote(parts.password or ""))
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    header = ("Proxy-Authorization", "Basic " + base64.b64encode(login.encode()).decode("ascii"))
    return Proxy(place.host, place.port, (header,))


def _is_here(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
