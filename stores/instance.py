"""EC2's instance metadata (IMDSv2): what this machine is, and what EC2 is about to do with it.

Every request carries a session token that is got by PUT and renewed before it expires (EC2 User Guide, *Use the
Instance Metadata Service*). Requests never go through a proxy: the address is link-local. Where the service is:
``AWS_EC2_METADATA_SERVICE_ENDPOINT``, else by ``AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE`` (``IPv4`` or ``IPv6``).
``AWS_EC2_METADATA_DISABLED=true`` means that nobody may ask it.
"""

from __future__ import annotations

import email.utils
import http.client
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from core.errors import AccessDenied, SettingsError, StoreError, StoreUnreachable
from stores.web import Address, find_address

ENDPOINT_VARIABLE = "AWS_EC2_METADATA_SERVICE_ENDPOINT"
MODE_VARIABLE = "AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE"
DISABLED_VARIABLE = "AWS_EC2_METADATA_DISABLED"
DEFAULT_ENDPOINT = "http://169.254.169.254"
IPV6_ENDPOINT = "http://[fd00:ec2::254]"
#: Seconds for connecting and for each silence of an answer: the service is on this machine and answers in ms.
TIMEOUT = 0.5
#: Seconds that a token is asked for (the longest there is), and that are left when it is renewed.
TOKEN_TTL = 21600
TOKEN_RESERVE = 60.0
#: No item is longer (user data may have 16 KiB).
BODY_LIMIT = 64 * 1024

_TOKEN_HEADER = "X-aws-ec2-metadata-token"  # noqa: S105  # a name
_TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"
#: Firmware (Nitro) and hypervisor (Xen) say that this is EC2; both can be read by everybody.
_VENDOR = Path("/sys/devices/virtual/dmi/id/sys_vendor")
_HYPERVISOR = Path("/sys/hypervisor/uuid")


_Answer = tuple[int, http.client.HTTPMessage, bytes]


@dataclass(frozen=True)
class Item:
    """One item, and the service's time when it answered (Unix seconds), by which its times are to be read."""

    text: str
    now: float


class InstanceMetadata:
    """Asks over one kept connection; safe to use from several threads."""

    def __init__(self, endpoint: str, timeout: float = TIMEOUT) -> None:
        self._address, path = find_address(endpoint, f"the metadata service in {ENDPOINT_VARIABLE}")
        self._prefix = f"{path.rstrip('/')}/latest/"
        self._lock = threading.Lock()
        self._connection = http.client.HTTPConnection(self._address.host, self._address.port, timeout=timeout)
        self._token = ""
        self._renewal = 0.0

    @property
    def url(self) -> str:
        """Where the service is."""
        return self._address.url

    def get(self, path: str) -> Item | None:
        """Return the item below ``/latest/`` (``meta-data/instance-id``); ``None`` when there is no such item.

        Raises:
            StoreUnreachable: no answer, or the service failed.
            AccessDenied: the metadata of this instance may not be asked.
            StoreError: any other refusal.
        """
        with self._lock:
            if time.monotonic() >= self._renewal:
                self._renew()
            status, headers, body = self._ask(path)
            if status == http.client.UNAUTHORIZED:  # the token was dropped early, as after a migration
                self._renew()
                status, headers, body = self._ask(path)
        if status == http.client.NOT_FOUND:
            return None
        if status != http.client.OK:
            raise _refused(self._address, path, status)
        return Item(body.decode("utf-8", "replace"), _time_of(headers.get("Date")))

    def close(self) -> None:
        """Close the kept connection."""
        with self._lock:
            self._connection.close()

    def _ask(self, path: str) -> _Answer:
        return self._exchange("GET", path, {_TOKEN_HEADER: self._token})

    def _renew(self) -> None:
        self._renewal = 0.0
        try:
            status, headers, body = self._exchange("PUT", "api/token", {_TTL_HEADER: str(TOKEN_TTL)})
        except StoreUnreachable as error:
            raise StoreUnreachable(
                f"{error}; if this is a container, the instance's HttpPutResponseHopLimit must be 2 or more"
            ) from None
        if status != http.client.OK:
            raise _refused(self._address, "api/token", status)
        lifetime = headers.get(_TTL_HEADER) or ""
        self._token = body.decode("latin-1").strip()
        self._renewal = time.monotonic() + max(0.0, (int(lifetime) if lifetime.isdigit() else 0) - TOKEN_RESERVE)

    def _exchange(self, method: str, path: str, headers: Mapping[str, str]) -> _Answer:
        kept = self._connection.sock is not None
        try:
            return self._converse(method, path, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            if not kept or isinstance(error, TimeoutError):
                raise _unreachable(self._address, path, error) from None
        try:  # the service closed the kept connection: nothing that is asked changes anything, so ask again
            return self._converse(method, path, headers)
        except (OSError, http.client.HTTPException, ValueError) as error:
            self._connection.close()
            raise _unreachable(self._address, path, error) from None

    def _converse(self, method: str, path: str, headers: Mapping[str, str]) -> _Answer:
        self._connection.request(method, self._prefix + path, headers=dict(headers))
        response = self._connection.getresponse()
        body = response.read(BODY_LIMIT + 1)
        if len(body) > BODY_LIMIT:
            raise http.client.HTTPException(f"an answer of more than {BODY_LIMIT} bytes")
        return response.status, response.headers, body


def find_metadata(environment: Mapping[str, str], *, sure: bool = False) -> InstanceMetadata | None:
    """Return the metadata service of this machine; ``None`` where it is no EC2 instance or nobody may ask.

    With ``sure``, the machine is taken for an instance without a look at it.

    Raises:
        SettingsError: a variable does not hold what it should.
    """
    if environment.get(DISABLED_VARIABLE, "").lower() == "true":
        return None
    named = environment.get(ENDPOINT_VARIABLE)
    if not named and not sure and not is_instance():
        return None
    return InstanceMetadata(named or _endpoint(environment.get(MODE_VARIABLE) or "IPv4"))


def is_instance(vendor: Path = _VENDOR, hypervisor: Path = _HYPERVISOR) -> bool:
    """Say whether firmware or hypervisor call this machine an EC2 instance; nothing is sent anywhere."""
    return _read(vendor).startswith("Amazon EC2") or _read(hypervisor).lower().startswith("ec2")


def _endpoint(mode: str) -> str:
    modes = {"ipv4": DEFAULT_ENDPOINT, "ipv6": IPV6_ENDPOINT}
    if mode.lower() not in modes:
        raise SettingsError(f"{MODE_VARIABLE} is {mode!r}; write IPv4 or IPv6")
    return modes[mode.lower()]


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _time_of(date: str | None) -> float:
    """Return the time in a ``Date`` header, else this machine's."""
    try:
        return email.utils.parsedate_to_datetime(date or "").timestamp()
    except ValueError:
        return time.time()


def _unreachable(address: Address, path: str, error: Exception) -> StoreUnreachable:
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return StoreUnreachable(f"no answer from the instance metadata at {address.url} about {path} ({text})")


def _refused(address: Address, path: str, status: int) -> StoreError:
    text = f"the instance metadata at {address.url} answered {status} about {path}"
    if status == http.client.FORBIDDEN:
        return AccessDenied(f"{text}; switch it on for this instance (HttpEndpoint=enabled)")
    if status >= http.client.INTERNAL_SERVER_ERROR:
        return StoreUnreachable(text)
    return StoreError(text)
