"""The state of DynamoDB: per region one file with all tables, and one to which the writes since then are appended.

A table may hold many items, so that it is not written anew with each batch of them: the requests that change items are
kept, and made again at the next start. The file of tables is written when tables change, and when the requests have
become larger than it. A file of requests is named for the very file of tables that it follows; one that was left behind
when its successor had been written already is not read.
"""

from __future__ import annotations

import hashlib
import io
import pickle
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from moto.backends import get_backend
from werkzeug.test import EnvironBuilder, run_wsgi_app

from sandbox.aws import pickling
from sandbox.files import make_private_directory, write_private

#: The operations that change items and no table; the streams that some tables have follow from them.
_ITEM_WRITES = frozenset(
    {
        "BatchExecuteStatement",
        "BatchWriteItem",
        "DeleteItem",
        "ExecuteStatement",
        "ExecuteTransaction",
        "PutItem",
        "TransactWriteItems",
        "UpdateItem",
    }
)
#: Bytes of requests that are kept in any case before the tables are written anew.
_FEW = 8 * 1024 * 1024
_Application = Callable[..., Iterable[bytes]]


class TableFiles:
    """Keeps the tables of the one account that the sandbox has, in a folder; ``application`` is moto's."""

    def __init__(self, folder: Path, account: str, application: _Application) -> None:
        self._folder = make_private_directory(folder)
        self._account = account
        self._application = application
        self._lock = threading.Lock()
        self._written: dict[str, bytes] = {}

    def load(self) -> None:
        """Give every region its tables back, and make the writes that came after them."""
        for path in sorted(self._folder.glob("*.pickle")):
            region = path.stem
            content = path.read_bytes()
            pickling.refill(self._backend(region).__dict__, pickling.load(io.BytesIO(content)))
            self._written[region] = content
            for request in _read(self._requests(region)):
                self._repeat(*request)

    def call(self, environ: dict[str, Any], start_response: Callable[..., Any], region: str) -> Iterable[bytes]:
        """Answer a request that may change something; one after the other, in the order in which they are kept."""
        operation = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        with self._lock:
            answer = list(self._application({**environ, "wsgi.input": io.BytesIO(body)}, start_response))
            if operation in _ITEM_WRITES and region in self._written:
                self._keep(region, (environ["HTTP_X_AMZ_TARGET"], environ["HTTP_AUTHORIZATION"], body))
            else:
                self._write(region)
        return answer

    def _keep(self, region: str, request: tuple[str, str, bytes]) -> None:
        path = self._requests(region)
        with path.open("ab") as file:
            file.write(pickling.dump(request))
            size = file.tell()
        if size > max(_FEW, len(self._written[region])):
            self._write(region)

    def _write(self, region: str) -> None:
        content = pickling.dump(self._backend(region).__dict__)
        if self._written.get(region) == content:
            return
        former = self._requests(region) if region in self._written else None
        write_private(self._folder / f"{region}.pickle", content)
        self._written[region] = content
        if former:
            former.unlink(missing_ok=True)

    def _repeat(self, target: str, authorization: str, body: bytes) -> None:
        headers = [("X-Amz-Target", target), ("Authorization", authorization)]
        kind = "application/x-amz-json-1.0"
        environ = EnvironBuilder(method="POST", data=body, content_type=kind, headers=headers).get_environ()
        run_wsgi_app(self._application, environ)

    def _requests(self, region: str) -> Path:
        return self._folder / f"{region}.{hashlib.sha256(self._written[region]).hexdigest()[:16]}.requests"

    def _backend(self, region: str) -> Any:
        return get_backend("dynamodb")[self._account][region]


def _read(path: Path) -> Iterator[tuple[str, str, bytes]]:
    """Yield what was kept; a last request that was cut off by a kill was never answered."""
    if not path.exists():
        return
    with path.open("rb") as file:
        while True:
            try:
                yield pickling.load(file)
            except (EOFError, pickle.UnpicklingError):
                return
