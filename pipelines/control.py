"""What the sandbox's service tells and does beyond AWS's calls (``/_sandbox/…``)."""

from __future__ import annotations

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

_ANSWER = 5.0  # seconds for an answer of the service


def ask(url: str, method: str, name: str, **body: str) -> dict[str, Any]:
    """Return the answer to one control request; empty where the service is not the sandbox's, or refuses."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=_ANSWER)
    try:
        connection.request(method, f"/_sandbox/{name}", json.dumps(body).encode() if body else None)
        answer: dict[str, Any] = json.loads(connection.getresponse().read())
    except (OSError, http.client.HTTPException, ValueError):
        return {}
    finally:
        connection.close()
    return answer
