"""Records and fields that cannot be loaded."""

from __future__ import annotations

from sandbox.redshift.copy.columns import Column


class BadValue(Exception):
    """A field cannot be loaded; ``public`` is the reason without any of the data."""

    def __init__(self, code: int, reason: str, position: int = 0, public: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.public = public or reason
        self.position = position


class BadRecord(Exception):
    """A record cannot be loaded, because of one column or as a whole."""

    def __init__(self, value: BadValue, column: Column | None, field: bytes = b"") -> None:
        super().__init__(value.reason)
        self.value = value
        self.column = column
        self.field = field
