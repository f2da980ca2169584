"""A lean client of the AWS JSON protocol: keep-alive connections, SigV4, checked answers, our errors.

``POST /`` with ``X-Amz-Target``; answers carry ``x-amz-crc32``, and a mismatch means that the call is to be repeated.
One call is one attempt: who retries what is decided by the callers.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import zlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from core.errors import (
    AccessDenied,
    DuctrunnerError,
    RequestRefused,
    StoreError,
    StoreUnreachable,
    Throttled,
)
from stores.endpoint import Endpoint
from stores.identity import EXPIRED
from stores.signing import sign
from stores.web import Connections, Interruption, clock_error, unreachable

#: No throttling error is modelled; these codes are what AWS services use.
THROTTLING = frozenset({"ThrottlingException", "Throttling", "RequestLimitExceeded", "TooManyRequestsException"})
REFUSED = frozenset({"InvalidRequestException", "ValidationException", "SerializationException"})
DENIED = EXPIRED | frozenset(
    {
        "AccessDeniedException",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "RequestExpired",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
#: Refusals that a wrong clock explains, and how wrong it may be (SigV4: 5 minutes), in seconds.
CLOCK = frozenset({"InvalidSignatureException", "RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch"})
TOLERANCE = 290.0
#: What a client sees of a connection that the other end has closed.
DROPPED = (ConnectionError, ssl.SSLEOFError, ssl.SSLZeroReturnError)
_CHECK_ROLE = "check the credentials and the policy of this machine's role"


class CallWatcher:
    """Hears how calls go, from many threads; takes no notice, subclasses override what they want to know."""

    def sent(self) -> None:
        """The call of this thread has gone out over an open connection."""

    def dated(self, date: str | None) -> None:
        """The service has written this ``Date``."""

    def answered(self, operation: str) -> None:
        """The call of this thread was answered."""

    def failed(self, operation: str, error: DuctrunnerError) -> None:
        """The call of this thread failed."""


class JsonClient:
    """Calls one service; safe to use from several threads, each call takes a connection of its own.

    ``timeout`` is how many seconds an answer may take; ``watcher`` is told how each call goes. With ``repeatable`` a
    call that met a kept connection just as the service closed it is said again at once; without, no call is ever sent
    twice. ``errors`` are the service's own codes and what they mean, ``version`` is that of the protocol.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        target: str,
        service: str,
        timeout: float,
        repeatable: bool = True,
        watcher: CallWatcher | None = None,
        errors: Mapping[str, type[DuctrunnerError]] = MappingProxyType({}),
        version: str = "1.1",
    ) -> None:
        from botocore.auth import SigV4Auth
        from botocore.awsrequest import AWSRequest

        self._endpoint = endpoint
        self._target = target
        self._service = service
        self._repeatable = repeatable
        self._watcher = watcher or CallWatcher()
        self._errors = errors
        self._type = f"application/x-amz-json-{version}"
        self._signer = SigV4Auth
        self._request = AWSRequest
        self._connections = Connections(lambda: endpoint.identity.certificates, timeout)
        self._guard = Interruption()

    def call(self, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        """Do one call and return its answer.

        Raises:
            Throttled, RequestRefused, AccessDenied, StoreUnreachable, StoreError: by error code.
            Any of ``errors``: by the service's own codes.
        """
        return self.send(operation, json.dumps(arguments).encode())

    def send(self, operation: str, body: bytes) -> dict[str, Any]:
        """Do one call whose arguments are JSON already; otherwise as ``call``."""
        try:
            answer = self._call(operation, body)
        except DuctrunnerError as error:
            self._watcher.failed(operation, error)
            raise
        self._watcher.answered(operation)
        return answer

    def close(self) -> None:
        """Break off every open call (it raises ``StoreUnreachable``) and refuse new ones."""
        self._guard.interrupt()
        self._connections.close()

    def _call(self, operation: str, body: bytes) -> dict[str, Any]:
        keys = self._endpoint.identity.keys()
        response, content = self._exchange(operation, body, keys)
        answer = _parse(content)
        if response.status == http.client.OK:
            return _checked(operation, answer)
        if self._may_help(_code(answer or {}), keys, response.headers.get("Date")):
            # Refused before it was looked at, so that this is no second poll.
            response, content = self._exchange(operation, body, self._endpoint.identity.keys())
            answer = _parse(content)
            if response.status == http.client.OK:
                return _checked(operation, answer)
        raise self._error(operation, response, answer or {})

    def _may_help(self, code: str, keys: Any, date: str | None) -> bool:
        """Say whether the same call may be taken now: with other keys, or at another time."""
        identity = self._endpoint.identity
        if code in EXPIRED:
            return bool(identity.renew(keys.token))
        return code in CLOCK and identity.time.learn(date)

    def _exchange(self, operation: str, body: bytes, keys: Any) -> tuple[http.client.HTTPResponse, bytes]:
        message = self._signed_message(operation, body, keys)
        try:
            response, content = self._send(message)
            _check_crc(response.headers.get("x-amz-crc32"), content)
        except (OSError, http.client.HTTPException) as error:
            raise unreachable(self._endpoint.address, f"to {operation}", error) from None
        return response, content

    def _send(self, message: bytes) -> tuple[http.client.HTTPResponse, bytes]:
        address = self._endpoint.address
        while True:
            connection, used = self._connections.take(address)
            try:
                with self._guard.watching(connection):
                    sock = self._connections.open(connection, self._guard)
                    response, content = _converse(sock, message, self._watcher)
            except BaseException as error:
                connection.close()
                # The service closed the kept connection before our request reached it: say it again on a new one.
                if used and self._repeatable and isinstance(error, DROPPED) and not self._guard.is_set():
                    continue
                raise
            if response.will_close or self._guard.is_set():
                connection.close()
            else:
                self._connections.give(address, connection)
            return response, content

    def _signed_message(self, operation: str, body: bytes, keys: Any) -> bytes:
        """Return the whole request, so that it leaves in one packet (http.client would send head and body apart)."""
        address, path = self._endpoint.address, self._endpoint.path or "/"
        target = f"{self._target}.{operation}"
        headers = {"Content-Type": self._type, "Host": address.authority, "X-Amz-Target": target}
        request = self._request("POST", self._endpoint.url, data=body, headers=headers)
        offset = self._endpoint.identity.time.offset
        sign(self._signer, request, keys, self._service, self._endpoint.region, offset)
        sent = {**dict(request.headers.items()), **address.forwarding_headers(), "Content-Length": str(len(body))}
        lines = [f"POST {address.request_target(path)} HTTP/1.1", *(f"{name}: {sent[name]}" for name in sent)]
        return "\r\n".join((*lines, "", "")).encode("latin-1") + body

    def _error(self, operation: str, response: http.client.HTTPResponse, answer: Mapping[str, Any]) -> DuctrunnerError:
        code, status = _code(answer), response.status
        text = f"{operation} was answered {code or status}: {answer.get('message') or answer.get('Message') or ''}"
        if code in THROTTLING or status == http.client.TOO_MANY_REQUESTS:
            return Throttled(text)
        if known := self._errors.get(code):
            return known(text)
        if code in REFUSED:
            return RequestRefused(text)
        if code in DENIED or status in {401, 403}:
            clock = clock_error(response.headers.get("Date"), TOLERANCE) if code in CLOCK else None
            return AccessDenied(f"{text}; {clock or _CHECK_ROLE}")
        if status >= http.client.INTERNAL_SERVER_ERROR:
            return StoreUnreachable(text)
        return StoreError(text)


def _converse(sock: socket.socket, message: bytes, watcher: CallWatcher) -> tuple[http.client.HTTPResponse, bytes]:
    sock.sendall(message)
    watcher.sent()
    response = http.client.HTTPResponse(sock, method="POST")
    try:
        response.begin()
        watcher.dated(response.headers.get("Date"))
        return response, response.read()
    finally:
        response.close()


def _check_crc(announced: str | None, content: bytes) -> None:
    if announced is not None and announced.isdigit() and int(announced) != zlib.crc32(content):
        raise http.client.HTTPException("the answer was damaged on its way (x-amz-crc32)")


def _parse(body: bytes) -> dict[str, Any] | None:
    """Return the answer's object, an empty one of an empty answer, ``None`` of anything else."""
    try:
        answer = json.loads(body) if body else {}
    except (ValueError, RecursionError):  # the latter: nested deeper than any answer is
        return None
    return answer if isinstance(answer, dict) else None


def _checked(operation: str, answer: dict[str, Any] | None) -> dict[str, Any]:
    """Return the answer of a call that was answered 200, unless somebody else than the service has said that."""
    if answer is None:
        raise StoreUnreachable(f"{operation} was answered 200 by something else; check the endpoint and the proxy")
    return answer


def _code(answer: Mapping[str, Any]) -> str:
    return str(answer.get("__type") or answer.get("code") or "").rpartition("#")[2].split(":")[0]
