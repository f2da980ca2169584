"""Secrets are registered once, when they are read, and removed from every text that leaves the process.

A secret is known by every spelling in which programs write one: as it is, with either kind of line ends, escaped in
JSON, quoted in an address, and in base64 when that is made of the secret alone.
"""

from __future__ import annotations

import base64
import bisect
import json
import threading
from collections.abc import Iterable, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

#: Shorter values are not redacted: they would blank out ordinary words (buildkite-agent uses the same length).
MINIMUM_LENGTH = 6
MASK = "[redacted]"
_MASK = MASK.encode()
#: Half of a surrogate pair is no text that a secret could be sent as, but no reason to fail either.
_ANY = "surrogatepass"
#: So many patterns the library searches with vector instructions, 15 times as fast as more of them.
_FAST = 60
#: Secrets that are still known although nobody holds them any more.
REMEMBERED = 50
#: Bytes of a secret's beginning that are looked for first.
_HEAD = 8


class Matcher:
    """Finds a fixed set of secrets in bytes: the leftmost first, at one place the longest, none inside another.

    Immutable, and safe to use from several threads.
    """

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._secrets = sorted({secret.encode(errors=_ANY) for secret in secrets} - {b""})
        self._longest = max(map(len, self._secrets), default=0)
        if self._secrets:
            self._build()

    def _build(self) -> None:
        from ahocorasick_rs import BytesAhoCorasick, Implementation, MatchKind

        kind, small = MatchKind.LeftmostLongest, Implementation.ContiguousNFA
        parts = [self._secrets[at : at + _FAST] for at in range(0, len(self._secrets), _FAST)]
        self._filters: list[Any] = [BytesAhoCorasick(part, kind, small) for part in parts]
        self._all: Any = self._filters[0] if len(parts) == 1 else BytesAhoCorasick(self._secrets, kind, small)
        heads = {secret[:_HEAD] for secret in self._secrets if len(secret) > _HEAD}
        self._heads: Any = BytesAhoCorasick(sorted(heads), MatchKind.Standard, small) if heads else None

    def find(self, text: bytes) -> list[tuple[int, int]]:
        """Return where secrets begin and end."""
        if not self._secrets:
            return []
        first, *others = self._filters
        found = first.find_matches_as_indexes(text)
        if not others:
            return _places(found)
        if not found and not any(other.find_matches_as_indexes(text) for other in others):
            return []
        return _places(self._all.find_matches_as_indexes(text))

    def redact(self, text: bytes) -> bytes:
        """Return the text with ``[redacted]`` in place of each secret."""
        return self.cover(text, self.find(text))

    @staticmethod
    def cover(text: bytes, places: Sequence[tuple[int, int]]) -> bytes:
        """Return the text with ``[redacted]`` at these places."""
        if not places:
            return text
        parts: list[bytes] = []
        at = 0
        for start, end in places:
            parts += (text[at:start], _MASK)
            at = end
        return b"".join((*parts, text[at:]))

    def possible_beginning(self, text: bytes) -> int:
        """Return the length of the longest end of ``text`` with which a secret may begin."""
        if not self._secrets:
            return 0
        tail = text[max(0, len(text) - self._longest + 1) :]
        start: int
        if self._heads is not None and len(tail) > _HEAD:
            for _, start, _ in self._heads.find_matches_as_indexes(tail, overlapping=True):
                if self._begins_with(tail[start:]):
                    return len(tail) - start
        near = range(max(0, len(tail) - _HEAD), len(tail))
        return next((len(tail) - at for at in near if self._begins_with(tail[at:])), 0)

    def _begins_with(self, beginning: bytes) -> bool:
        """Whether a secret begins with this and goes on."""
        at = bisect.bisect_right(self._secrets, beginning)
        return at < len(self._secrets) and self._secrets[at].startswith(beginning)


class Redactor:
    """Replaces every registered secret in a text by ``[redacted]``. Safe to use from several threads.

    Secrets of this process are known for good. Those of a passing owner, such as a task, are known as long as it is,
    and while they are among the last ``REMEMBERED`` that were given up: what is said late is redacted too, tasks that
    share a password do not make the search anew each time, and memory stays bounded.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: Spellings of the secrets that are known for good.
        self._secrets: set[str] = set()
        #: Owners and spellings of the others; those without an owner were given up, the oldest first.
        self._passing: dict[str, tuple[set[str], frozenset[str]]] = {}
        self._matcher: Matcher | None = Matcher()

    def register(self, secret: str | None, owner: str | None = None) -> None:
        """Remember a secret until its ``owner`` is forgotten, without one for good.

        ``None`` and values shorter than ``MINIMUM_LENGTH`` are ignored.
        """
        if not secret or len(secret) < MINIMUM_LENGTH:
            return
        with self._lock:
            if secret in self._secrets:
                return
            if owner is None:
                self._secrets |= _spellings(secret)
            elif secret in self._passing:
                self._passing[secret][0].add(owner)
                return
            else:
                self._passing[secret] = ({owner}, frozenset(_spellings(secret)))
            self._matcher = None

    def forget(self, owner: str) -> None:
        """The owner is no more: its secrets go, some later than others."""
        with self._lock:
            for secret, (owners, spellings) in list(self._passing.items()):
                if owner in owners:
                    owners.discard(owner)
                    del self._passing[secret]  # it goes to the end of those that were given up
                    self._passing[secret] = (owners, spellings)
            given_up = [secret for secret, (owners, _) in self._passing.items() if not owners]
            for secret in given_up[: max(0, len(given_up) - REMEMBERED)]:
                del self._passing[secret]
                self._matcher = None

    def redact(self, text: str) -> str:
        """Return ``text`` without any registered secret."""
        matcher = self.matcher()
        return matcher.redact(text.encode(errors=_ANY)).decode(errors=_ANY)

    def matcher(self) -> Matcher:
        """Return what finds the secrets registered so far, for redactors that work on streams of bytes."""
        with self._lock:
            if self._matcher is None:
                self._matcher = Matcher(self._all())
            return self._matcher

    def secrets(self) -> frozenset[str]:
        """Return the registered secrets in all their spellings."""
        with self._lock:
            return frozenset(self._all())

    def _all(self) -> set[str]:
        return self._secrets.union(*(spellings for _, spellings in self._passing.values()))


def _spellings(secret: str) -> set[str]:
    unix = secret.replace("\r\n", "\n")
    found = {secret, *_base64(secret)}
    for text in (secret, unix, unix.replace("\n", "\r\n")):
        escaped = {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
        found |= {text, *escaped, quote(text, safe="", errors=_ANY), quote_plus(text, errors=_ANY)}
    return found


def _base64(secret: str) -> set[str]:
    """The secret in base64: whole, and without the last characters, which what follows the secret would change."""
    data = secret.encode(errors=_ANY)
    whole = base64.b64encode(data).decode()
    return {whole, whole[: len(data) * 8 // 6]}


def _places(found: list[tuple[int, int, int]]) -> list[tuple[int, int]]:
    return [(start, end) for _, start, end in found]


#: The redactor of this process: settings, secret stores and the task parser register here.
REDACTOR = Redactor()
