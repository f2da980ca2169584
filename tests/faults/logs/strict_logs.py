"""CloudWatch Logs in the test's process: refuses what AWS refuses, and can be unwell.

Limits from the API Reference (PutLogEvents, CreateLogGroup, CreateLogStream); where AWS has loosened one, the older,
stricter one.
"""

from __future__ import annotations

import email.utils
import json
import re
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HOUR = 3600 * 1000
DAY = 24 * HOUR


class Refused(Exception):
    """An answer that is not 200: status, code."""


class StrictLogs:
    """One service on loopback."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.groups: set[str] = set()
        self.streams: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.calls: list[str] = []
        #: What was sent that breaks a limit.
        self.wrong: list[str] = []
        #: Seconds that its clock is ahead of this machine's.
        self.ahead = 0.0
        #: Days after which events of its groups expire.
        self.retention = 3650.0
        #: What happens to a call: called with its name, may raise ``Refused``, or return ``"drop"`` (nothing is done,
        #: no answer) or ``"lose"`` (it is done, no answer).
        self.mood: Callable[[str], str | None] = lambda _: None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def events(self, prefix: str = "tasks/") -> list[dict[str, Any]]:
        """The events of all streams whose name begins so, in the order of their times."""
        with self.lock:
            found = [event for (_, name), events in self.streams.items() if name.startswith(prefix) for event in events]
        return sorted(found, key=lambda event: event["timestamp"])

    def messages(self, prefix: str = "tasks/") -> list[str]:
        return [event["message"] for event in self.events(prefix)]

    def names(self, prefix: str = "") -> list[str]:
        with self.lock:
            return [name for _, name in self.streams if name.startswith(prefix)]

    def answer(self, operation: str, body: dict[str, Any]) -> dict[str, Any]:
        does = {"CreateLogGroup": self._create_group, "CreateLogStream": self._create_stream, "PutLogEvents": self._put}
        with self.lock:
            return does[operation](body)

    def now(self) -> float:
        """Seconds since 1970."""
        return time.time() + self.ahead

    def _create_group(self, body: dict[str, Any]) -> dict[str, Any]:
        group = body["logGroupName"]
        if not re.fullmatch(r"[\.\-_/#A-Za-z0-9]{1,512}", group):
            raise self._invalid(f"group name {group!r}")
        if group in self.groups:
            raise Refused(400, "ResourceAlreadyExistsException")
        self.groups.add(group)
        return {}

    def _create_stream(self, body: dict[str, Any]) -> dict[str, Any]:
        key = body["logGroupName"], body["logStreamName"]
        if not re.fullmatch(r"[^:*]{1,512}", key[1]):
            raise self._invalid(f"stream name {key[1]!r}")
        if key[0] not in self.groups:
            raise Refused(400, "ResourceNotFoundException")
        if key in self.streams:
            raise Refused(400, "ResourceAlreadyExistsException")
        self.streams[key] = []
        return {}

    def _put(self, body: dict[str, Any]) -> dict[str, Any]:
        key, events = (body["logGroupName"], body["logStreamName"]), body["logEvents"]
        if key not in self.streams:
            raise Refused(400, "ResourceNotFoundException")
        times = [event["timestamp"] for event in events]
        self._check(events, times)
        now = self.now() * 1000
        rejected = {
            "tooOldLogEventEndIndex": sum(time < now - 14 * DAY for time in times),
            "expiredLogEventEndIndex": sum(time < now - self.retention * DAY for time in times),
            "tooNewLogEventStartIndex": sum(time <= now + 2 * HOUR for time in times),
        }
        begin = max(rejected["tooOldLogEventEndIndex"], rejected["expiredLogEventEndIndex"])
        self.streams[key] += events[begin : rejected["tooNewLogEventStartIndex"]]
        all_taken = {"tooNewLogEventStartIndex": len(events)}
        info = {name: index for name, index in rejected.items() if index != all_taken.get(name, 0)}
        return {"rejectedLogEventsInfo": info} if info else {}

    def _check(self, events: list[dict[str, Any]], times: list[int]) -> None:
        sizes = [len(event["message"].encode()) + 26 for event in events]
        faults = {
            "events": not 1 <= len(events) <= 10_000,
            "bytes": sum(sizes) > 1_048_576,
            "event size": max(sizes, default=0) > 256 * 1024,
            "empty message": not all(event["message"] for event in events),
            "order": times != sorted(times),
            "span": bool(times) and times[-1] - times[0] > DAY,
        }
        for what, is_fault in faults.items():
            if is_fault:
                raise self._invalid(what)

    def _invalid(self, what: str) -> Refused:
        self.wrong.append(what)
        return Refused(400, "InvalidParameterException")


def _handler(service: StrictLogs) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:  # http.server's name
            operation = self.headers["X-Amz-Target"].rpartition(".")[2]
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            service.calls.append(operation)
            try:
                mood = service.mood(operation)
                answer, status = ({} if mood == "drop" else service.answer(operation, body)), 200
            except Refused as refused:
                mood, (status, code) = None, refused.args
                answer = {"__type": f"com.amazonaws.logs#{code}", "message": "no"}
            if mood:
                self.close_connection = True
                return
            content = json.dumps(answer).encode()
            self.send_response_only(status)
            self.send_header("Date", email.utils.formatdate(service.now(), usegmt=True))
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            return

    return Handler
