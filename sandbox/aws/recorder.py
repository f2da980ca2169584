"""A WSGI layer around moto: what a request changed is on disk before the client has its answer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import moto
from moto.core.models import DEFAULT_ACCOUNT_ID

from core.errors import SandboxError
from sandbox.aws.backends import SERVICES, BackendFiles
from sandbox.aws.buckets import BucketFiles
from sandbox.aws.log_events import LogEventFiles
from sandbox.aws.tables import TableFiles
from sandbox.files import make_private_directory, write_private

#: The scope of a signature (AWS: "Authenticating Requests"): …Credential=AKID/date/region/service/aws4_request…
_SCOPE = re.compile(r"Credential=[^/]+/\d{8}/([^/]+)/([^/]+)/aws4_request", re.IGNORECASE)
_QUESTIONS = ("Get", "List", "Describe", "Filter", "BatchGet", "Lookup", "Query", "Scan", "TransactGet")
_VERSION = "moto.version"


class Recorder:
    """Wraps moto's application and keeps its state in ``folder``."""

    def __init__(self, application: Callable[..., Iterable[bytes]], folder: Path) -> None:
        self._application = application
        make_private_directory(folder)
        _check_version(folder / _VERSION)
        self._buckets = BucketFiles(folder / "s3", DEFAULT_ACCOUNT_ID)
        self._backends = BackendFiles(folder / "services")
        self._log_events = LogEventFiles(folder / "log-events")
        self._tables = TableFiles(folder / "tables", DEFAULT_ACCOUNT_ID, application)

    def load(self) -> None:
        """Give moto the state of the last run."""
        self._buckets.load()
        self._backends.load()
        self._log_events.load()
        self._tables.load()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        region, service = _scope(environ)
        if service == "dynamodb" and not _is_question(environ):
            return self._tables.call(environ, start_response, region)
        answer = self._application(environ, start_response)
        if environ["REQUEST_METHOD"] not in ("GET", "HEAD", "OPTIONS"):
            self._save(environ, service)
        return answer

    def _save(self, environ: dict[str, Any], service: str) -> None:
        if service == "s3":
            self._buckets.save(environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"))
        elif service in SERVICES and not _is_question(environ):
            if service == "logs":
                self._log_events.save()
            self._backends.save(service)
            if service == "sns":
                self._backends.save("sqs")  # a publication is delivered to queues


def _scope(environ: dict[str, Any]) -> tuple[str, str]:
    """Return region and service that the request was signed for; an unsigned one is S3's, as moto takes it."""
    query = environ.get("QUERY_STRING", "").replace("%2F", "/").replace("%2f", "/")
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", "")) or _SCOPE.search(query)
    return (scope[1], scope[2]) if scope else ("", "s3")


def _is_question(environ: dict[str, Any]) -> bool:
    operation: str = environ.get("HTTP_X_AMZ_TARGET", "").rpartition(".")[2]
    return operation.startswith(_QUESTIONS)


def _check_version(file: Path) -> None:
    """Refuse a state that another version of moto wrote: its objects may have other attributes."""
    version: str = moto.__version__
    if file.exists() and (kept := file.read_text(encoding="utf-8")) != version:
        raise SandboxError(
            f"the state in {file.parent} was written by moto {kept}, this is {version}; "
            "delete it with: ductrunner sandbox down --purge"
        )
    write_private(file, version)
