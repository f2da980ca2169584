"""Asking the agents of this machine how they are."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agent.health.address_file import living, run_directories
from agent.health.listen import find_place
from core.errors import SettingsError, StoreUnreachable
from core.settings import load_settings

#: Seconds for a connection and for each part of the answer.
TIMEOUT = 5.0

Document = dict[str, Any]


def find_addresses(output: Path | None, environment: Mapping[str, str]) -> list[str]:
    """Return where the agents that use ``output`` may be asked; without it, all of this machine that are known.

    Raises:
        SettingsError: the configuration, which names the output directory, cannot be read.
    """
    if output is not None:
        return [entry.address for entry in living([output])]
    configured = load_settings(environment=environment).agent.output
    return [entry.address for entry in living([configured, *run_directories(environment)])]


def ask(address: str) -> Document:
    """Return the status document of the agent at a loopback address.

    Raises:
        SettingsError: it is no loopback address.
        StoreUnreachable: nobody answers there, or it is not an agent.
    """
    place = find_place(address)
    if place is None:
        raise SettingsError(f"{address!r} is no address; give one such as 127.0.0.1:8717")
    connection = http.client.HTTPConnection(*place, timeout=TIMEOUT)
    try:
        connection.request("GET", "/status")
        answer = connection.getresponse()
        document = json.loads(answer.read())
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise StoreUnreachable(f"no agent answers at {address} ({error}); look at its log") from None
    finally:
        connection.close()
    if not isinstance(document, dict) or "taskrunner_id" not in document:
        raise StoreUnreachable(f"what answers at {address} is not an agent; give --address of one")
    return document
