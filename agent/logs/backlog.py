"""What waits for CloudWatch: no more than ``logging.backlog_limit``, and most of it known to the disk only."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent import log
from agent.logs.notes import Notes
from agent.logs.tail import Tail

#: Logs of ended attempts that are held in memory; more are put aside as notes on the disk.
MOST = 500
WHY = "more was waiting for CloudWatch than logging.backlog_limit"


class Backlog:
    """Used by the thread of the shipper only."""

    def __init__(self, notes: Notes, limit: int) -> None:
        self._notes = notes
        self._limit = limit
        self._leftovers = notes.adopt()
        self._aside: Iterator[Tail] = iter(())
        #: Logs and bytes of this agent that were put aside.
        self._logs = 0
        self._bytes = 0

    @property
    def aside(self) -> int:
        """Bytes of this agent's logs that were put aside."""
        return self._bytes

    def trim(self, tails: Sequence[Tail]) -> list[Tail]:
        """Drop the oldest beyond the limit; return the logs that were put aside and are not held any more."""
        waiting = {tail: tail.waiting for tail in tails}
        excess = sum(waiting.values()) + self._bytes - self._limit
        for tail in sorted(tails, key=lambda tail: tail.oldest) if excess > 0 else ():
            excess -= self._skip(tail, excess)
            if excess <= 0:
                break
        ended = [tail for tail in tails if tail.ended]
        return [self._put_aside(tail) for tail in ended[MOST:]]

    def fetch(self, held: int) -> list[Tail]:
        """Return logs that were put aside or left by dead agents, as many as there is room for."""
        found: list[Tail] = []
        while held + len(found) < MOST // 2 and (tail := self._one()):
            found.append(tail)
        return found

    def close(self) -> None:
        """What is still aside is for the next agent."""
        for waiting in (self._leftovers, self._aside):
            close = getattr(waiting, "close", None)
            if close:
                close()

    def _one(self) -> Tail | None:
        """Return one of our own that is aside, else one that a dead agent has left."""
        if self._logs and (tail := self._back()):
            return tail
        return next(self._leftovers, None)

    def _back(self) -> Tail | None:
        tail = next(self._aside, None)
        if tail is None:
            self._aside = self._notes.take_back()
            tail = next(self._aside, None)
        self._logs = self._logs - 1 if tail else 0
        self._bytes = max(0, self._bytes - tail.waiting) if tail and self._logs else 0
        return tail

    def _skip(self, tail: Tail, count: int) -> int:
        try:
            lost = tail.skip(count, WHY)
        except OSError:
            lost = tail.drop(tail.ends, WHY)
        log.event("log_backlog_dropped", level="ERROR", stream=tail.target.stream, bytes=lost, limit=self._limit)
        return lost

    def _put_aside(self, tail: Tail) -> Tail:
        self._notes.set_aside(tail)
        self._logs += 1
        self._bytes += tail.waiting
        return tail
