"""The events of CloudWatch Logs: one file per stream, to which new events are appended.

A backend's own file would be written anew, with every event it ever got, at each PutLogEvents.
"""

from __future__ import annotations

import hashlib
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from moto.logs.models import LogEvent, LogsBackend, LogStream, logs_backends

from sandbox.aws import pickling
from sandbox.files import make_private_directory


class LogEventFiles:
    """Keeps the events of all log streams in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = make_private_directory(folder)
        self._lock = threading.Lock()
        self._written: dict[Path, int] = {}

    def load(self) -> None:
        """Give every stored stream its events back, and let event ids go on where they ended."""
        for path, stream in self._streams():
            stream.events = list(_read(path)) if path.exists() else []
            self._written[path] = len(stream.events)
            LogEvent._event_id = max([LogEvent._event_id, *(event.event_id + 1 for event in stream.events)])

    def save(self) -> None:
        """Append the events that are new; drop the files of streams that are gone."""
        with self._lock:
            streams = dict(self._streams())
            for path, stream in streams.items():
                self._append(path, stream)
            for path in set(self._written) - set(streams):
                path.unlink(missing_ok=True)
                del self._written[path]

    def _append(self, path: Path, stream: LogStream) -> None:
        events, known = list(stream.events), self._written.get(path, 0)
        if len(events) < known:
            path.unlink()
            known = 0
        if len(events) > known:
            with path.open("ab") as file:
                file.write(pickling.dump(events[known:]))
        self._written[path] = len(events)

    def _streams(self) -> Iterator[tuple[Path, LogStream]]:
        for account, region, backend in logs_backends.iter_backends():
            for group in list(cast(LogsBackend, backend).groups.values()):
                for stream in list(group.streams.values()):
                    place = "\0".join((account, region, group.name, stream.log_stream_name))
                    yield self._folder / hashlib.sha256(place.encode()).hexdigest(), stream


def _read(path: Path) -> Iterator[LogEvent]:
    """Yield the events of a file; a last batch that was cut off by a kill was never acknowledged."""
    with path.open("rb") as file:
        while True:
            try:
                yield from pickling.load(file)
            except (EOFError, pickle.UnpicklingError):
                return
