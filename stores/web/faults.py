"""Says what went wrong on the way to a server, and what an operator does about it."""

from __future__ import annotations

import email.utils
import http.client
import re
import socket
import ssl
import time

from core.errors import StoreUnreachable
from stores.web.address import Address

_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})")
#: OpenSSL's X509_V_ERR_…: not yet valid, expired; and the two of a certificate for somebody else.
_OUT_OF_TIME = {9, 10}
_OTHER_NAME = {62, 64}


def unreachable(address: Address, what: str, error: BaseException) -> StoreUnreachable:
    """The error for a connection that could not be made or broke; ``what`` continues ``no answer from …``."""
    reason, advice = _explained(address, error)
    return StoreUnreachable(f"no answer from {address.url} {what} ({reason}); {advice}")


def clock_error(date: str | None, tolerance: float) -> str | None:
    """What is to be said when this machine's clock is more than ``tolerance`` seconds from a server's ``Date``."""
    ahead = clock_ahead(date)
    if ahead is None or abs(ahead) < tolerance:
        return None
    where = "ahead of" if ahead > 0 else "behind"
    return f"the clock of this machine is {abs(ahead):.0f} s {where} the service's; set it (chrony, NTP)"


def clock_ahead(date: str | None) -> float | None:
    """Seconds that this machine's clock is ahead of a server's ``Date`` (negative: behind); ``None``: no date."""
    try:
        return time.time() - email.utils.parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return None


def _explained(address: Address, error: BaseException) -> tuple[str, str]:
    """Reason and advice."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return _of_certificate(address, error)
    if tunnel := _TUNNEL.match(str(error)):
        return _of_proxy(address, tunnel[1], str(error))
    proxy = f"; the way leads through the proxy {address.proxy.authority}" if address.proxy else ""
    if isinstance(error, socket.gaierror):
        name = address.proxy.host if address.proxy else address.host
        return f"the name {name} is not known{proxy}", "check the region, the endpoint and this machine's DNS"
    if isinstance(error, ssl.SSLError) and getattr(error, "reason", None) in {"WRONG_VERSION_NUMBER", "HTTP_REQUEST"}:
        return f"{error.reason}{proxy}", "that server does not speak TLS there: check the endpoint's scheme and port"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    if isinstance(error, http.client.IncompleteRead):
        text = "the answer ended early"
    return f"{text}{proxy}", "check the endpoint, the network and the proxy settings"


def _of_certificate(address: Address, error: ssl.SSLCertVerificationError) -> tuple[str, str]:
    reason = f"CERTIFICATE_VERIFY_FAILED: {error.verify_message}"
    if error.verify_code in _OTHER_NAME:
        return reason, f"its certificate is for another name than {address.host}: check the endpoint and the DNS"
    if error.verify_code in _OUT_OF_TIME:
        return reason, "check the clock of this machine, and the certificate's dates"
    return reason, (
        f"nobody that is trusted here vouches for {address.host}: where a proxy or a private endpoint stands between, "
        "put its certificate authority into the file that AWS_CA_BUNDLE names"
    )


def _of_proxy(address: Address, status: str, text: str) -> tuple[str, str]:
    proxy = address.proxy.authority if address.proxy else ""
    reason = f"the proxy {proxy} answered {text.removeprefix('Tunnel connection failed: ')}"
    if status == "407":
        return reason, "it wants a user name and a password: check those in HTTPS_PROXY (--proxyUsername)"
    return reason, f"it must allow CONNECT to {address.host}:{address.port}, or NO_PROXY must name this host"
