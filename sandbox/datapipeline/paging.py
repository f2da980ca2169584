"""Pages of a list with ``marker`` and ``hasMoreResults``, as three operations of the API have them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sandbox.datapipeline.answers import InvalidRequest

DEFAULT_PAGE = 100


def page(entries: Sequence[Any], key: str, marker: str | None, size: int = DEFAULT_PAGE) -> dict[str, Any]:
    """Return one page of a list under ``key``; the marker is the position of the next page.

    Raises:
        InvalidRequest: the marker does not come from an answer of this operation.
    """
    return sifted(entries, key, marker, size, lambda _: True)


def sifted(
    entries: Sequence[Any], key: str, marker: str | None, size: int, accepts: Callable[[Any], bool]
) -> dict[str, Any]:
    """Return one page of those entries that are accepted; no more of them are looked at than the page needs.

    Raises:
        InvalidRequest: the marker does not come from an answer of this operation.
    """
    if marker and not (marker.isascii() and marker.isdigit() and int(marker) <= len(entries)):
        raise InvalidRequest("marker is not one that this operation has answered with")
    found: list[Any] = []
    for position in range(int(marker or 0), len(entries)):
        if not accepts(entries[position]):
            continue
        if len(found) == size:
            return {key: found, "hasMoreResults": True, "marker": str(position)}
        found.append(entries[position])
    return {key: found, "hasMoreResults": False}
