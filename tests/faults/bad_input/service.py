"""A Data Pipeline service that hands out whatever it is given, and remembers what it was told about each."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

#: What S3 says of anything here.
NOT_FOUND = b"<Error><Code>NoSuchKey</Code></Error>"
HOLD = 2.0  # seconds of a poll without work


class HandingService:
    """Speaks the workers' calls; every other request is S3's, where there is nothing."""

    def __init__(self, bodies: Sequence[bytes]) -> None:
        self._bodies = iter(bodies)
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        #: The statuses that were told of each task id.
        self.told: dict[str, list[dict[str, Any]]] = defaultdict(list)
        self.handed_out = threading.Event()
        self._answers: dict[str, Callable[[dict[str, Any]], bytes]] = {
            "PollForTask": self._poll,
            "ReportTaskProgress": lambda _: b'{"canceled": false}',
            "SetTaskStatus": self._status,
            "ReportTaskRunnerHeartbeat": lambda _: b'{"terminate": false}',
            "DescribeObjects": lambda _: b'{"pipelineObjects": [], "hasMoreResults": false}',
        }
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Close the server; open polls end."""
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _poll(self, request: dict[str, Any]) -> bytes:
        with self._lock:
            body = next(self._bodies, None)
        if body is None:
            self.handed_out.set()
            self._stopped.wait(HOLD)
            return b"{}"
        return body

    def _status(self, request: dict[str, Any]) -> bytes:
        with self._lock:
            self.told[request["taskId"]].append(request)
        return b"{}"

    def _handler(outer) -> type[BaseHTTPRequestHandler]:  # noqa: N805  # ``self`` is the handler inside
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                operation = self.headers.get("X-Amz-Target", "").rpartition(".")[2]
                if operation in outer._answers:
                    self._send(200, outer._answers[operation](json.loads(body)))
                else:
                    self._send(404, NOT_FOUND)

            def do_GET(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                self._send(404, NOT_FOUND)

            do_PUT = do_HEAD = do_DELETE = do_GET  # noqa: N815

            def _send(self, status: int, body: bytes) -> None:
                head = f"HTTP/1.1 {status} -\r\nContent-Length: {len(body)}\r\n\r\n".encode()
                self.wfile.write(head + (b"" if self.command == "HEAD" else body))

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        return Handler
