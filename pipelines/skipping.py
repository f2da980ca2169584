"""Idle time of the sandbox is not waited for: its clock goes to the moment at which there is something to do again."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pipelines.control import ask

#: Shorter times are not worth a line.
_WORTH_TELLING = 60.0  # seconds
#: Looks in a row that have shown the same, before time is skipped.
_STILL = 2
#: Times in a row that the clock may go ahead for nothing that is seen: most of these moments are of no interest.
_AT_ONCE = 100


@dataclass
class Skipping:
    """Skips idle time of one pipeline; ``url`` is the sandbox's service, ``None`` switches it off."""

    url: str | None
    pipeline_id: str
    say: Callable[[str], None]
    _seen: object = None
    _still: int = 0

    def after(self, look: object) -> None:
        """Skip what there is to skip, once ``look`` has been the same for a while."""
        self._still = self._still + 1 if look == self._seen else 0
        self._seen = look
        if self.url is None or self._still < _STILL:
            return
        skipped, now = 0.0, ""
        for _ in range(_AT_ONCE):
            answer = ask(self.url, "POST", "skip", pipelineId=self.pipeline_id)
            if not answer.get("skipped"):
                break
            skipped, now = skipped + answer["skipped"], answer["now"]
        if skipped >= _WORTH_TELLING:
            self.say(f"nothing to do until {now}: the sandbox's clock goes there")
