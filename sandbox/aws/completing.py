"""A WSGI layer that gives a service of moto what it lacks, when it is first asked for: loading one takes a second."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.aws.servers import Servers


class Completing:
    """Wraps moto's application."""

    def __init__(self, application: Callable[..., Iterable[bytes]], servers: Servers) -> None:
        self._application = application
        self._servers = servers
        self._lock = threading.Lock()
        self._incomplete: dict[str, Callable[[], None]] = {
            "autoscaling": self._complete_autoscaling,
            "rds": self._complete_rds,
            "redshift": self._complete_redshift,
        }

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        if self._incomplete:
            self._complete(environ.get("HTTP_AUTHORIZATION", ""))
        return self._application(environ, start_response)

    def _complete(self, authorization: str) -> None:
        with self._lock:
            for service in [service for service in self._incomplete if f"/{service}/" in authorization]:
                self._incomplete[service]()
                del self._incomplete[service]

    def _complete_autoscaling(self) -> None:
        from sandbox.aws import lifecycle_actions

        lifecycle_actions.install()

    def _complete_rds(self) -> None:
        from sandbox.aws import instances

        instances.install_rds(self._servers)

    def _complete_redshift(self) -> None:
        from sandbox.aws import instances

        instances.install_redshift(self._servers)
