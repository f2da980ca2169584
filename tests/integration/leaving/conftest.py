"""A metadata service of one's own, and its control endpoints."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox.parts.imds import ImdsPart
from stores.instance import InstanceMetadata


@pytest.fixture
def imds(tmp_path: Path) -> Iterator[ImdsPart]:
    """The metadata service of an instance that nobody has a notice for."""
    part = ImdsPart(tmp_path / "imds")
    part.start()
    yield part
    part.stop()


@pytest.fixture
def control(imds: ImdsPart) -> Callable[..., dict[str, Any]]:
    """``control(name, method="POST", **body)`` asks for what EC2 has no call for."""

    def ask(name: str, method: str = "POST", **body: Any) -> dict[str, Any]:
        data = json.dumps(body).encode() if method == "POST" else None
        request = urllib.request.Request(f"{imds.endpoint}/_sandbox/{name}", data, method=method)
        with urllib.request.urlopen(request) as answer:
            return dict(json.load(answer))

    return ask


@pytest.fixture
def metadata_client(imds: ImdsPart) -> Iterator[Callable[..., InstanceMetadata]]:
    """A maker of clients of ``imds``; they are closed afterwards."""
    made: list[InstanceMetadata] = []

    def make(**options: float) -> InstanceMetadata:
        made.append(InstanceMetadata(imds.endpoint, **options))
        return made[-1]

    yield make
    for client in made:
        client.close()
