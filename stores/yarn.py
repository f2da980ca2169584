"""YARN's ResourceManager over its REST interface: which applications run, and their end.

Source: Hadoop, *ResourceManager REST API's*: Cluster Applications API, Cluster Application State API.
"""

from __future__ import annotations

import getpass
import http.client
import json
import re
import ssl
from typing import Any
from urllib.parse import quote

from core.errors import StoreError, StoreUnreachable
from stores.web import find_address, unreachable

#: States of an application that has not ended.
ALIVE = ("NEW", "NEW_SAVING", "SUBMITTED", "ACCEPTED", "RUNNING")
#: Seconds for the connection and for each silence: an attempt that is stopped has ten in all.
TIMEOUT = 3.0
_ID = re.compile(r"application_\d+_\d+")
_OK = (http.client.OK, http.client.ACCEPTED)


class ResourceManager:
    """One ResourceManager; every call is one connection."""

    def __init__(self, url: str, user: str | None = None) -> None:
        self._address, _ = find_address(url, "the address of YARN's ResourceManager")
        self._user = user or getpass.getuser()

    @property
    def url(self) -> str:
        """Where it is."""
        return self._address.url

    def running(self, tag: str) -> list[str]:
        """Return the ids of the applications with this tag that have not ended.

        Raises:
            StoreUnreachable, StoreError: no answer, or a refusal.
        """
        path = f"/ws/v1/cluster/apps?applicationTags={quote(tag)}&states={','.join(ALIVE)}"
        _, document = self._ask("GET", path)
        entries = (document.get("apps") or {}).get("app") or []
        return [str(entry["id"]) for entry in entries]

    def is_running(self, application: str) -> bool:
        """Tell whether an application is known and has not ended; errors as ``running``."""
        if not _ID.fullmatch(application):
            return False
        status, document = self._ask("GET", f"/ws/v1/cluster/apps/{application}", missing=True)
        return status == http.client.OK and document.get("app", {}).get("state") in ALIVE

    def kill(self, application: str) -> bool:
        """End an application; ``False`` when it has just ended by itself. Errors as ``running``."""
        path = f"/ws/v1/cluster/apps/{application}/state?user.name={quote(self._user)}"
        status, _ = self._ask("PUT", path, {"state": "KILLED"}, missing=True)
        return status in _OK

    def _ask(
        self, method: str, path: str, body: dict[str, str] | None = None, *, missing: bool = False
    ) -> tuple[int, dict[str, Any]]:
        kind = http.client.HTTPSConnection if self._address.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._address.host, self._address.port, timeout=TIMEOUT)
        headers = {"Accept": "application/json", "Content-Type": "application/json"}
        try:
            connection.request(method, path, json.dumps(body) if body else None, headers)
            response = connection.getresponse()
            status, text = response.status, response.read()
        except (OSError, http.client.HTTPException, ssl.SSLError) as error:
            raise unreachable(self._address, "about YARN's applications", error) from None
        finally:
            connection.close()
        if status in _OK or (missing and status == http.client.NOT_FOUND):
            return status, _document(text)
        if status == http.client.TEMPORARY_REDIRECT or status >= http.client.INTERNAL_SERVER_ERROR:
            raise StoreUnreachable(f"YARN's ResourceManager at {self._address.url} is not the active one ({status})")
        raise StoreError(f"YARN's ResourceManager at {self._address.url} answered {status} to {method} {path}")


def _document(text: bytes) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}
