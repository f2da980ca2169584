"""Pages of a list with ``marker`` and ``hasMoreResults``, as three operations of the API have them."""

from __future__ import annotations

from typing import Any

from sandbox.datapipeline.answers import InvalidRequest

DEFAULT_PAGE = 100


def page(entries: list[Any], key: str, marker: str | None, size: int = DEFAULT_PAGE) -> dict[str, Any]:
    """Return one page of a list under ``key``; the marker is the position of the next page.

    Raises:
        InvalidRequest: the marker does not come from an answer of this operation.
    """
    if marker and not (marker.isascii() and marker.isdigit() and int(marker) <= len(entries)):
        raise InvalidRequest("marker is not one that this operation has answered with")
    first = int(marker or 0)
    answer: dict[str, Any] = {key: entries[first : first + size], "hasMoreResults": first + size < len(entries)}
    if answer["hasMoreResults"]:
        answer["marker"] = str(first + size)
    return answer
