"""What ran: the statements behind ``sys_query_history``, ``stl_query`` and their kin.

Statements are noted in memory, which costs a client nothing that can be measured, and written into the catalog when
somebody asks for them. The last few thousand are kept until then.
"""

from __future__ import annotations

import re
import threading
from collections import deque
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from core.redaction import REDACTOR
from sandbox.redshift.clock import now

_KEPT: Final = 4000  # statements
_LONGEST: Final = 4000  # characters of a statement, as stl_query keeps them
_NO_LABEL: Final = "default"  # Redshift's label of what belongs to no query group
_ASKED_FOR: Final = re.compile(
    r"\b(sys_query_(history|text)|stl_(query|ddl|utility)text|stl_query|svl_(qlog|statementtext)|redshift_query_log)\b",
    re.I,
)
_LABELLED: Final = re.compile(
    r"\s*(?:set\s+(?:session\s+)?query_group\s*(?:to|=)\s*'?([^';]*)|reset\s+query_group)", re.I
)
_COLUMNS: Final = [
    *("query", "user_name", "pid", "database_name", "start_time", "end_time", "failed", "query_text", "query_group"),
]


@dataclass
class Entry:
    """One statement; ``query`` is its number when it has one already."""

    text: str
    started: datetime
    ended: datetime | None = None
    failed: bool = False
    query: int | None = None
    user: str = ""
    pid: int = 0
    label: str = ""


class QueryLog:
    """The statements of one database. Safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: deque[Entry] = deque(maxlen=_KEPT)

    def add(self, entry: Entry) -> None:
        """Keep a statement that has ended."""
        with self._lock:
            self._entries.append(entry)

    def take(self) -> list[Entry]:
        """Return what was noted since the last time."""
        with self._lock:
            taken = list(self._entries)
            self._entries.clear()
        return taken


class Running:
    """The statement of one session that runs now."""

    def __init__(self, log: QueryLog, user: str) -> None:
        self._log = log
        self._user = user
        self._entry: Entry | None = None
        self.pid = 0
        self._label = _NO_LABEL

    def begin(self, text: str) -> None:
        """Note the start of a statement; one that ran before it has ended."""
        self.end()
        if text[:1] in "sSrR\n " and (match := _LABELLED.match(text)):
            self._label = (match[1] or _NO_LABEL).strip()
        self._entry = Entry(text[:_LONGEST], now(), user=self._user, pid=self.pid, label=self._label)

    def number(self, query: int) -> None:
        """Give the statement its number, such as that of a COPY."""
        if self._entry is not None:
            self._entry.query = query

    def fail(self) -> None:
        """Note an error; the end may come later."""
        if self._entry is not None:
            self._entry.failed = True

    def end(self) -> None:
        """Note that the statement has ended, if one runs."""
        entry, self._entry = self._entry, None
        if entry is not None:
            entry.ended = now()
            self._log.add(entry)


def asks_for_log(text: str) -> bool:
    """Say whether a statement reads what is kept here."""
    return _ASKED_FOR.search(text) is not None


def rows(entries: list[Entry], database: str, numbers: list[int]) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Return columns and rows of the catalog's table; ``numbers`` are for entries without one. Secrets are covered."""
    fresh = iter(numbers)
    values = [
        (
            next(fresh) if entry.query is None else entry.query,
            *(entry.user, entry.pid, database, entry.started, entry.ended, entry.failed),
            REDACTOR.redact(entry.text.encode("utf-8", "replace").decode()).replace("\0", ""),
            entry.label.encode("utf-8", "replace").decode(),
        )
        for entry in entries
    ]
    return _COLUMNS, values
