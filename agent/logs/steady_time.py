"""Times of log events that a wrong or jumping clock of this machine does not spoil.

Moments are kept in seconds since the boot; what they are on the wall is decided when they are sent, by this machine's
clock where it agrees with the ``Date`` of the service's answers, else by those.
"""

from __future__ import annotations

import email.utils
import time

from core.clock import uptime

#: Seconds that clocks may differ: a Date has whole seconds, and answers take time.
TOLERANCE = 5.0


class SteadyTime:
    """Milliseconds on the monotonic clock, and what they are since 1970."""

    def __init__(self) -> None:
        self._offset = _own_offset()

    def now(self) -> int:
        """This moment, in milliseconds that never run backwards."""
        return int(uptime() * 1000)

    def wall(self, moment: int) -> int:
        """What a moment is in milliseconds since 1970, as well as is known by now."""
        return moment + self._offset

    def moment(self, wall: int) -> int:
        """The other way round: when something was that is known by the time since 1970."""
        return wall - self._offset

    def heard(self, date: str) -> None:
        """The service has just written this ``Date``."""
        try:
            theirs = email.utils.parsedate_to_datetime(date).timestamp()
        except ValueError:
            return
        ours = _own_offset()
        # Half a second: a Date is cut to whole seconds.
        offset = round((theirs + 0.5 - uptime()) * 1000)
        self._offset = ours if abs(ours - offset) <= TOLERANCE * 1000 else offset


def _own_offset() -> int:
    return round((time.time() - uptime()) * 1000)
