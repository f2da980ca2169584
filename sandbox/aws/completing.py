"""A WSGI layer that gives a service of moto what it lacks, when it is first asked for: loading one takes a second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any


class Completing:
    """Wraps moto's application."""

    def __init__(self, application: Callable[..., Iterable[bytes]]) -> None:
        self._application = application
        self._lock = threading.Lock()
        self._complete = False

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        if not self._complete and "/autoscaling/" in environ.get("HTTP_AUTHORIZATION", ""):
            with self._lock:
                if not self._complete:
                    from sandbox.aws import lifecycle_actions

                    lifecycle_actions.install()
                    self._complete = True
        return self._application(environ, start_response)
