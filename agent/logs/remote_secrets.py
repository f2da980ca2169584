"""The secrets behind ``secretsmanager:`` and ``ssm:``, read now and then so that the redactor knows them.

A child process asks for them (boto3 would cost the agent 20 MB for good); references and secrets go through pipes:
``python -I -m agent.logs.remote_secrets`` with a JSON list of references as standard input. Nothing waits for it: what
is not read yet, or may not be read, is not known.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Sequence

from agent import log
from core.redaction import REDACTOR

#: Seconds between two readings: secrets are rotated.
AGAIN = 3600.0
#: Seconds that one reading may take.
PATIENCE = 60.0
_COMMAND = (sys.executable, "-I", "-m", "agent.logs.remote_secrets")


class RemoteSecrets:
    """A ``Side`` of the agent."""

    name = "secrets"

    def __init__(self, references: Sequence[str]) -> None:
        self._references = list(references)
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._reader: subprocess.Popen[bytes] | None = None

    def run(self) -> None:
        """Read the secrets at once and then every hour, until closed."""
        while self._references and not self._closed.is_set():
            self._read()
            self._closed.wait(AGAIN)

    def close(self) -> None:
        """Let ``run`` return."""
        self._closed.set()
        with self._lock:
            if self._reader:
                self._reader.kill()

    def _read(self) -> None:
        with self._lock:
            if self._closed.is_set():
                return
            self._reader = subprocess.Popen(
                _COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            )
        try:
            answer, _ = self._reader.communicate(json.dumps(self._references).encode(), PATIENCE)
        except subprocess.TimeoutExpired:
            self._reader.kill()
            answer, _ = self._reader.communicate()
        self._take(answer)

    def _take(self, answer: bytes) -> None:
        try:
            found = json.loads(answer)
        except ValueError:
            if not self._closed.is_set():
                log.event("secret_not_read", level="WARNING", error="the secrets could not be read in time")
            return
        for secret in found["secrets"]:
            REDACTOR.register(secret)
        for error in found["errors"]:
            log.event("secret_not_read", level="WARNING", error=error)
        log.event("secrets_read", count=len(found["secrets"]))


def main() -> None:
    """Read what standard input names; print ``{"secrets": […], "errors": […]}``."""
    from core.errors import DuctrunnerError
    from stores.secrets import resolve

    secrets, errors = [], []
    for reference in json.load(sys.stdin):
        try:
            secrets.append(resolve(reference))
        except DuctrunnerError as error:
            errors.append(str(error))
    json.dump({"secrets": secrets, "errors": errors}, sys.stdout)


if __name__ == "__main__":
    main()
