"""What the clients of Hadoop, Hive, Pig and Spark say of their jobs, read from their output.

Their lines, with log4j's prefix before them: ``Running job: job_<ts>_<n>``, `` map 50% reduce 0%``, ``The url to track
the job: …``, ``Submitted application application_<ts>_<n>``, ``Job job_… failed with state FAILED due to: …``, Hive's
``Stage-1 map = 50%,  reduce = 0%``, Pig's ``50% complete``. Ids grow beyond four digits.
"""

from __future__ import annotations

import re
from collections.abc import Callable

_IDS = re.compile(r"\b(?:job|application)_(\d+_\d+)\b")
_MAP_REDUCE = re.compile(r"\bmap (?:= )?(\d{1,3})%,?\s+reduce (?:= )?(\d{1,3})%")
_COMPLETE = re.compile(r"(?:^|[- ])(\d{1,3})% complete\b")
_URL = re.compile(r"(?:url to track the job: |Tracking URL = |tracking URL: )(\S+)")
#: Hive's one line on the statement that ended it, among the many of a stack trace.
_REASON = re.compile(r"FAILED: (\S.{0,300})")
_FAILED = re.compile(r"\bJob (job_\w+) failed with state (\w+)")
#: Phrases that go with an id of an application which this client has submitted, not merely mentions.
_SUBMITTED = (
    "Running job: ",
    "Submitted application ",
    "Starting Job = ",
    "HadoopJobId: ",
)


class JobWatch:
    """Follows the jobs of one program; ``tell`` hears of every change: percent (0 to 100) and the newest job's page."""

    def __init__(self, tell: Callable[[float | None, str | None], None]) -> None:
        self._tell = tell
        self._percent: float | None = None
        self._page: str | None = None
        #: Ids of the YARN applications that it has submitted.
        self.applications: set[str] = set()
        #: Jobs that failed, with the state in which they ended.
        self.failed: dict[str, str] = {}
        #: Why the program failed, where it says so in one line.
        self.reason: str | None = None

    def look(self, line: str) -> None:
        """Read one line of the program's output."""
        if any(phrase in line for phrase in _SUBMITTED) and (found := _IDS.search(line)):
            self.applications.add(f"application_{found[1]}")
        if found := _FAILED.search(line):
            self.failed[found[1]] = found[2]
        if found := _REASON.match(line):
            self.reason = found[1].rstrip()
        page = found[1] if (found := _URL.search(line)) else self._page
        percent = _percent(line)
        if page != self._page or (percent is not None and percent != self._percent):
            self._page, self._percent = page, self._percent if percent is None else percent
            self._tell(self._percent, self._page)


def _percent(line: str) -> float | None:
    if found := _MAP_REDUCE.search(line):
        return (int(found[1]) + int(found[2])) / 2
    if found := _COMPLETE.search(line):
        return float(found[1])
    return None
