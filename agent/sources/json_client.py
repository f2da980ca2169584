"""A lean client of the AWS JSON 1.1 protocol: keep-alive connections, SigV4, checked answers, our errors.

``POST /`` with ``X-Amz-Target``; answers carry ``x-amz-crc32``, and a mismatch means that the call is to be repeated.
One call is one attempt: who retries what is decided by the callers.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
import zlib
from collections import deque
from collections.abc import Mapping
from typing import Any

from agent.sources.endpoint import Endpoint, proxy_for, proxy_headers, tls_context
from core.errors import (
    AccessDenied,
    DuctrunnerError,
    OwnershipLost,
    RequestRefused,
    StoreError,
    StoreUnreachable,
    Throttled,
)

#: No throttling error is modelled; these codes are what AWS services use.
THROTTLING = frozenset({"ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException"})
LOST = frozenset({"TaskNotFoundException", "PipelineNotFoundException", "PipelineDeletedException"})
REFUSED = frozenset({"InvalidRequestException", "ValidationException", "SerializationException"})
DENIED = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "UnrecognizedClientException",
    }
)
CONNECT_TIMEOUT = 10.0  # seconds
_HEADERS = {"Content-Type": "application/x-amz-json-1.1"}


class JsonClient:
    """Calls one service; safe to use from several threads, each call takes a connection of its own."""

    def __init__(self, endpoint: Endpoint, *, target: str, service: str, timeout: float) -> None:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        self._endpoint = endpoint
        self._target = target
        self._service = service
        self._timeout = timeout
        self._sign = SigV4Auth
        self._request = AWSRequest
        self._idle: deque[http.client.HTTPConnection] = deque()
        self._lock = threading.Lock()
        self._busy: set[http.client.HTTPConnection] = set()
        self._closed = False
        self._tls: ssl.SSLContext | None = None

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Do one call and return its answer.

        Raises:
            Throttled, OwnershipLost, RequestRefused, AccessDenied, StoreUnreachable, StoreError: by error code.
        """
        try:
            status, body = self._exchange(operation, json.dumps(arguments).encode())
        except (OSError, http.client.HTTPException) as error:
            raise StoreUnreachable(
                f"no answer from {self._endpoint.url} to {operation} ({type(error).__name__}: {error}); "
                "check the network, the region and the proxy"
            ) from None
        answer = _parse(body)
        if status == http.client.OK:
            return answer
        raise _error(operation, status, answer)

    def close(self) -> None:
        """Break off every open call (it raises ``StoreUnreachable``) and refuse new ones."""
        with self._lock:
            self._closed = True
            busy, idle = list(self._busy), list(self._idle)
            self._idle.clear()
        for connection in idle:
            connection.close()
        for connection in busy:
            if connection.sock is not None:
                _shut(connection.sock)

    def _exchange(self, operation: str, body: bytes) -> tuple[int, bytes]:
        message = self._signed_message(operation, body)
        while True:
            connection, reused = self._take()
            try:
                if connection.sock is None:
                    self._connect(connection)
                response, content = _converse(connection.sock, message)
            except BaseException as error:
                self._drop(connection)
                # The service had closed the kept connection before our request reached it: say it again on a new one.
                if reused and isinstance(error, ConnectionError | http.client.RemoteDisconnected) and not self._closed:
                    continue
                raise
            self._give_back(connection, keep=not response.will_close)
            _check_crc(response.headers.get("x-amz-crc32"), content)
            return response.status, content

    def _connect(self, connection: http.client.HTTPConnection) -> None:
        connection.connect()
        connection.sock.settimeout(self._timeout)
        with self._lock:  # ``close`` cannot have seen a socket that was not there yet
            if self._closed:
                raise ConnectionAbortedError("the client is closed")

    def _signed_message(self, operation: str, body: bytes) -> bytes:
        """Return the whole request, so that it leaves in one packet (http.client would send head and body apart)."""
        headers = {**_HEADERS, "X-Amz-Target": f"{self._target}.{operation}"}
        request = self._request("POST", self._endpoint.url, data=body, headers=headers)
        frozen = self._endpoint.credentials.get_frozen_credentials()
        self._sign(frozen, self._service, self._endpoint.region).add_auth(request)
        address = self._endpoint.parts
        lines = [f"POST {address.path or '/'} HTTP/1.1", f"Host: {address.netloc}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        return "\r\n".join((*lines, "", "")).encode("latin-1") + body

    def _take(self) -> tuple[http.client.HTTPConnection, bool]:
        with self._lock:
            if self._closed:
                raise ConnectionAbortedError("the client is closed")
            reused = bool(self._idle)
            connection = self._idle.pop() if reused else self._connection()
            self._busy.add(connection)
        return connection, reused

    def _give_back(self, connection: http.client.HTTPConnection, *, keep: bool) -> None:
        with self._lock:
            self._busy.discard(connection)
            if keep and not self._closed:
                self._idle.append(connection)
                return
        connection.close()

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        self._give_back(connection, keep=False)

    def _connection(self) -> http.client.HTTPConnection:
        address = self._endpoint.parts
        proxy = proxy_for(address)
        place = proxy or address
        if address.scheme == "http":
            return http.client.HTTPConnection(place.hostname or "", place.port or 80, timeout=CONNECT_TIMEOUT)
        if self._tls is None:
            self._tls = tls_context()
        port = place.port or 443
        host = place.hostname or ""
        secure = http.client.HTTPSConnection(host, port, timeout=CONNECT_TIMEOUT, context=self._tls)
        if proxy is not None:
            secure.set_tunnel(address.hostname or "", address.port or 443, proxy_headers(proxy))
        return secure


def _converse(sock: socket.socket, message: bytes) -> tuple[http.client.HTTPResponse, bytes]:
    sock.sendall(message)
    response = http.client.HTTPResponse(sock, method="POST")
    try:
        response.begin()
        return response, response.read()
    finally:
        response.close()


def _shut(sock: socket.socket) -> None:
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was closed in the same moment, which is what we want


def _check_crc(announced: str | None, content: bytes) -> None:
    if announced is not None and announced.isdigit() and int(announced) != zlib.crc32(content):
        raise http.client.HTTPException("the answer was damaged on its way (x-amz-crc32)")


def _parse(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body) if body else {}
    except ValueError:
        return {"message": "the answer is not JSON"}
    return answer if isinstance(answer, dict) else {}


def _error(operation: str, status: int, answer: Mapping[str, Any]) -> DuctrunnerError:
    code = str(answer.get("__type") or answer.get("code") or "").rpartition("#")[2].split(":")[0]
    text = f"{operation} was answered {code or status}: {answer.get('message') or answer.get('Message') or ''}"
    if code in THROTTLING:
        return Throttled(text)
    if code in LOST:
        return OwnershipLost(text)
    if code in REFUSED:
        return RequestRefused(text)
    if code in DENIED or status in {401, 403}:
        return AccessDenied(f"{text}; check the credentials and the policy of this machine's role")
    if status >= http.client.INTERNAL_SERVER_ERROR:
        return StoreUnreachable(text)
    return StoreError(text)
