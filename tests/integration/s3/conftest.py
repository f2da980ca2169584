from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from stores.s3 import S3Store

Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def store(aws_environment: str) -> Iterator[S3Store]:
    made = S3Store(concurrency=8)
    yield made
    made.close()


class FaultyServer:
    """An HTTP server whose answers a test writes; ``requests`` holds method, path and headers of what came in."""

    def __init__(self) -> None:
        self.answers: list[Answer] = []
        self.otherwise: Answer = lambda handler: handler.send_error(500)
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.bodies: list[bytes] = []
        self.reached = threading.Event()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _any(self) -> None:
                outer.bodies.append(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
                outer.requests.append((self.command, self.path, dict(self.headers.items())))
                outer.reached.set()
                (outer.answers.pop(0) if outer.answers else outer.otherwise)(self)

            do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = do_CONNECT = _any  # noqa: N815

            def log_message(self, *_: object) -> None:
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()
        self.endpoint = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def faulty_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultyServer]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-secret-key-for-tests")
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3", "AWS_SESSION_TOKEN", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    server = FaultyServer()
    yield server
    server.stop()


def reply(
    status: int = 200, body: bytes = b"", announced: int | None = None, headers: dict[str, str] | None = None
) -> Answer:
    """An answer; with ``announced`` larger than the body the connection breaks in the middle.

    A good one has an ETag, as S3's, unless it is given other headers.
    """
    given = {"ETag": '"1"'} if headers is None and status == 200 else headers or {}

    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Length", str(len(body) if announced is None else announced))
        for name, value in given.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = announced is not None

    return send


@pytest.fixture(name="reply")
def reply_fixture() -> Callable[..., Answer]:
    return reply
