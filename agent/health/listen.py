"""Where the agent may be asked: an address of this machine that only this machine reaches."""

from __future__ import annotations

import errno
import ipaddress
import socket

from agent import log
from core.errors import SettingsError

OFF = "off"
Place = tuple[str, int]


def find_place(text: str) -> Place | None:
    """Read ``agent.listen``; ``None`` for ``off``.

    Raises:
        SettingsError: it is not ``HOST:PORT`` with a loopback address (``127.0.0.1``, ``[::1]``, ``localhost``).
    """
    if text.strip().lower() == OFF:
        return None
    host, _, port = text.strip().rpartition(":")
    bare = host.removeprefix("[").removesuffix("]")
    if not is_loopback(bare) or not port.isdecimal() or int(port) > 0xFFFF:
        raise SettingsError(
            f"agent.listen is {text!r}; it must be a loopback address and a port, such as 127.0.0.1:8717, or off: "
            "the endpoint has no login, so it is not offered to other machines"
        )
    return ("127.0.0.1" if bare.lower() == "localhost" else bare, int(port))


def is_loopback(host: str) -> bool:
    """Return whether a host, as it is written in addresses, is this machine alone."""
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def listen(place: Place, backlog: int) -> socket.socket:
    """Return a listening socket at ``place``, or at any free port beside it when that is taken (which is logged).

    Raises:
        SettingsError: this machine has no such address.
    """
    try:
        return _bound(place, backlog)
    except OSError as error:
        if error.errno not in {errno.EADDRINUSE, errno.EACCES}:
            raise SettingsError(f"agent.listen: cannot listen at {written(place)}: {error.strerror}") from None
    found = _bound((place[0], 0), backlog)
    log.event("listen_address_taken", level="WARNING", wanted=written(place), used=written(address_of(found)))
    return found


def address_of(sock: socket.socket) -> Place:
    """Return where a socket listens."""
    host, port = sock.getsockname()[:2]
    return str(host), int(port)


def written(place: Place) -> str:
    """Return ``host:port``, with brackets where they are needed."""
    host, port = place
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bound(place: Place, backlog: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in place[0] else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(place)
        sock.listen(backlog)
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock
