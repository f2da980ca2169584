"""What agent, guard and shim tell each other: one frame (length, marshalled tuple) each, over stream sockets.

Both ends run the same release on the same Python, and nobody else holds an end. Plain classes: ``dataclasses`` would
cost the guard two megabytes.
"""

from __future__ import annotations

import _socket
import marshal
import os
import sys

#: Of the number before each frame, in bytes; descriptors come with it.
LENGTH = 4
_FD_SIZE = 4  # bytes
#: More is never read at once.
_CHUNK = 1 << 16


class Message:
    """Sent as the name of its class and its slots, in order."""

    __slots__: tuple[str, ...] = ()

    def packed(self) -> bytes:
        """Return the frame."""
        body = marshal.dumps((type(self).__name__, *(getattr(self, name) for name in self.__slots__)))
        return len(body).to_bytes(LENGTH, "big") + body

    def send(self, fd: int) -> None:
        """Write it.

        Raises:
            BrokenPipeError: nobody holds the other end any more.
        """
        rest = memoryview(self.packed())
        while rest:
            rest = rest[os.write(fd, rest) :]


class Launch(Message):
    """Agent to shim: what to run, and under which conditions."""

    __slots__ = ("argv", "directory", "environment", "memory_limit", "nice", "oom_score", "user")

    def __init__(
        self,
        argv: list[bytes],
        directory: bytes,
        environment: dict[bytes, bytes],
        memory_limit: int | None,
        nice: int,
        oom_score: int,
        user: tuple[int, int, list[int]] | None,
    ) -> None:
        self.argv = argv
        self.directory = directory
        self.environment = environment
        #: Bytes of the whole tree.
        self.memory_limit = memory_limit
        #: 0: as the agent.
        self.nice = nice
        #: Added to the agent's own.
        self.oom_score = oom_score
        #: User id, group id, further group ids.
        self.user = user


class End(Message):
    """Agent to shim: end the tree; ``grace`` seconds between TERM and KILL."""

    __slots__ = ("grace",)

    def __init__(self, grace: float) -> None:
        self.grace = grace


class Started(Message):
    """Shim to agent: the command runs; both are named by process id and start, in clock ticks after the boot."""

    __slots__ = ("command", "shim")

    def __init__(self, command: tuple[int, int], shim: tuple[int, int]) -> None:
        self.command = command
        self.shim = shim


class Refused(Message):
    """Shim to agent: the command could not be started; ``step`` says what the kernel refused."""

    __slots__ = ("number", "step")

    def __init__(self, number: int, step: str) -> None:
        self.number = number
        self.step = step


class TreeEnded(Message):
    """Shim to agent (or guard to agent, when the shim has died): the command and its tree are over."""

    __slots__ = ("again", "core", "cpu", "group_kills", "left", "lost", "machine_kills", "over", "peak", "status")

    def __init__(
        self,
        again: bool = False,
        core: bool = False,
        cpu: float = 0.0,
        group_kills: int = 0,
        left: list[int] | None = None,
        lost: int = 0,
        machine_kills: int = 0,
        over: int = 0,
        peak: int = 0,
        status: int = 0,
    ) -> None:
        #: The shim takes another command.
        self.again = again
        #: The kernel has written a core file of the command.
        self.core = core
        #: Seconds of the whole tree.
        self.cpu = cpu
        #: Processes of the attempt's cgroup that the kernel has ended for want of memory.
        self.group_kills = group_kills
        #: Processes that could not be ended.
        self.left = left or []
        #: Signal by which the shim died (or its exit status, negative); 0: it did not.
        self.lost = lost
        #: Processes of the machine that the kernel has ended for want of memory meanwhile.
        self.machine_kills = machine_kills
        #: Bytes that it used when the shim ended it for its memory limit; 0: it did not.
        self.over = over
        #: Bytes.
        self.peak = peak
        #: Exit status of the command; negative: the signal.
        self.status = status


_KINDS: dict[str, type[Message]] = {kind.__name__: kind for kind in (Launch, End, Started, Refused, TreeEnded)}


def receive(fd: int) -> Message | None:
    """Read the next message; ``None`` when the other end is closed."""
    return _rest(fd, _read(fd, LENGTH))


def receive_with(control: _socket.socket) -> tuple[Message | None, list[int]]:
    """Read the next message with the descriptors that came with it."""
    try:
        head, ancillary, _, _ = control.recvmsg(LENGTH, _socket.CMSG_SPACE(2 * _FD_SIZE), _socket.MSG_CMSG_CLOEXEC)
    except ConnectionResetError:
        return None, []
    return _rest(control.fileno(), head), [fd for entry in ancillary for fd in unpacked(entry[2])]


def unpacked(packed: bytes) -> list[int]:
    """Return descriptors from the form in which the kernel hands them over (unix(7), SCM_RIGHTS)."""
    places = range(0, len(packed), _FD_SIZE)
    return [int.from_bytes(packed[at : at + _FD_SIZE], sys.byteorder) for at in places]


def _rest(fd: int, head: bytes) -> Message | None:
    body = head and _read(fd, int.from_bytes(head, "big"))
    if not body:
        return None
    name, *fields = marshal.loads(body)  # noqa: S302  # from a process of our own
    return _KINDS[name](*fields)


def _read(fd: int, size: int) -> bytes:
    """Read exactly so many bytes; empty when the other end is closed before."""
    parts = []
    while size:
        try:
            part = os.read(fd, min(size, _CHUNK))
        except ConnectionResetError:  # closed with something unread
            return b""
        if not part:
            return b""
        parts.append(part)
        size -= len(part)
    return b"".join(parts)
