"""The HTTP server: ``PUT /latest/api/token``, ``GET /latest/…`` with a token, and the control endpoints."""

from __future__ import annotations

import json
import time
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from sandbox.imds.items import PREFIX, Items, Wrong
from sandbox.imds.tokens import Tokens

ROOT = "/latest/"
TOKEN_PATH = "/latest/api/token"  # noqa: S105  # a path
TOKEN_HEADER = "X-aws-ec2-metadata-token"  # noqa: S105  # a name
TTL_HEADER = "X-aws-ec2-metadata-token-ttl-seconds"


class Server(ThreadingHTTPServer):
    """Serves one instance."""

    daemon_threads = True

    def __init__(self, address: tuple[str, int], items: Items) -> None:
        self.items = items
        self.tokens = Tokens()
        super().__init__(address, Handler)


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    server_version = "EC2ws"
    sys_version = ""
    disable_nagle_algorithm = True

    def do_PUT(self) -> None:
        """Give out a token."""
        self._read_body()
        if self._spoiled():
            return
        if self.path != TOKEN_PATH:
            self._answer(HTTPStatus.NOT_FOUND)
        elif self.headers.get("X-Forwarded-For"):
            self._answer(HTTPStatus.FORBIDDEN)  # a proxy that stands open must not give tokens to others
        elif issued := self.server.tokens.issue(self.headers.get(TTL_HEADER, "")):
            self._answer(HTTPStatus.OK, issued[0], {TTL_HEADER: str(issued[1])})
        else:
            self._answer(HTTPStatus.BAD_REQUEST)

    def do_GET(self) -> None:
        """Answer with an item, or to a control request."""
        if self.path.startswith(PREFIX):
            self._control()
        elif not self._spoiled():
            self._item()

    def do_POST(self) -> None:
        """Answer a control request; the service itself has no POST."""
        if self.path.startswith(PREFIX):
            self._control()
        else:
            self._read_body()
            self._answer(HTTPStatus.METHOD_NOT_ALLOWED)

    do_DELETE = do_POST  # noqa: N815  # the name that http.server looks for

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # the name in http.server
        """Say nothing: an agent asks three times every few seconds."""

    def _item(self) -> None:
        left = self.server.tokens.seconds_left(self.headers.get(TOKEN_HEADER, ""))
        if left is None:
            self._answer(HTTPStatus.UNAUTHORIZED)
            return
        found = self.server.items.find(self.path.removeprefix(ROOT)) if self.path.startswith(ROOT) else None
        status = HTTPStatus.OK if found is not None else HTTPStatus.NOT_FOUND
        self._answer(status, found or "", {TTL_HEADER: str(left)})

    def _control(self) -> None:
        body = self._read_body()
        name = self.path.removeprefix(PREFIX)
        try:
            if (self.command, name) == ("POST", "tokens"):
                self.server.tokens.drop()
                name, self.command = "instance", "GET"
            answer = self.server.items.control(self.command, name, body)
        except (Wrong, ValueError) as error:
            self._answer(HTTPStatus.BAD_REQUEST, json.dumps({"message": str(error)}), told=False)
        else:
            self._answer(HTTPStatus.OK, json.dumps(answer), told=False)

    def _spoiled(self) -> bool:
        """Do what the fault asks for; whether nothing else is to be done."""
        fault = self.server.items.fault
        if fault is None:
            return False
        if fault.kind == "delay":
            time.sleep(fault.seconds)
            return False
        if fault.kind == "drop":
            self.close_connection = True
        else:
            self._answer(HTTPStatus(fault.status), "no")
        return True

    def _read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

    def _answer(
        self, status: HTTPStatus, text: str = "", headers: dict[str, str] | None = None, *, told: bool = True
    ) -> None:
        if told:
            self.server.items.count(f"{self.command} {status.value}")
        body = text.encode()
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
