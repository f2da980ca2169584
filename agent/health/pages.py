"""The pages of the status endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable
from http import HTTPStatus

from agent.health.http_messages import Answer, Request
from agent.health.numbers import Numbers
from agent.health.prometheus import exposition
from agent.health.readiness import Readiness
from agent.health.status import Status
from core.units import span


class Pages:
    """Answers requests."""

    def __init__(self, readiness: Readiness, status: Status, numbers: Numbers) -> None:
        self._readiness = readiness
        self._status = status
        self._numbers = numbers
        self._pages: dict[str, Callable[[Request], Answer]] = {
            "/healthz": self._healthz,
            "/readyz": self._readyz,
            "/status": self._status_page,
            "/metrics": self._metrics,
        }

    def answer(self, request: Request) -> Answer:
        """Return the page."""
        page = self._pages.get(request.path)
        if page is None:
            return Answer(HTTPStatus.NOT_FOUND, f"there are {', '.join(self._pages)}\n".encode())
        return page(request)

    def _healthz(self, _: Request) -> Answer:
        """Alive: every loop turns."""
        stuck = self._readiness.stuck()
        return _said([f"the loop {name} is {span(late)} late" for name, late in sorted(stuck.items())], "ok")

    def _readyz(self, _: Request) -> Answer:
        """Ready: tasks are taken."""
        return _said(self._readiness.reasons(), "ready")

    def _status_page(self, _: Request) -> Answer:
        text = json.dumps(self._status.document(), indent=2, ensure_ascii=False)
        return Answer(HTTPStatus.OK, f"{text}\n".encode(), "application/json")

    def _metrics(self, request: Request) -> Answer:
        text, content_type = exposition(self._numbers, request.accept)
        return Answer(HTTPStatus.OK, text, content_type)


def _said(reasons: list[str], well: str) -> Answer:
    status = HTTPStatus.SERVICE_UNAVAILABLE if reasons else HTTPStatus.OK
    return Answer(status, "".join(f"{line}\n" for line in reasons or [well]).encode())
