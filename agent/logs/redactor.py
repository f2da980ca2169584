"""Secrets out of a stream of bytes, also where one is cut by the border of two chunks."""

from __future__ import annotations

from core.redaction import Matcher


class StreamRedactor:
    """Gives what ``Matcher.redact`` would give for the whole stream, holding back no more than could be a secret."""

    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._held = b""

    def feed(self, chunk: bytes) -> bytes:
        """Return what can go out; the beginning of a possible secret is held back."""
        text = self._held + chunk if self._held else chunk
        border = len(text) - self._matcher.possible_beginning(text)
        places = self._matcher.find(text)
        # A short secret that ends behind the border may be the beginning of a longer one: it waits too.
        while places and places[-1][1] > border:
            border = min(border, places.pop()[0])
        self._held = text[border:]
        return self._matcher.cover(text[:border], places)

    def learn(self, matcher: Matcher) -> None:
        """Look for these secrets from now on, also in what is held back."""
        self._matcher = matcher

    def finish(self) -> bytes:
        """Return what was held back."""
        held, self._held = self._held, b""
        return self._matcher.redact(held)
