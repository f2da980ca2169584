"""Values of options that COPY and UNLOAD have in common."""

from __future__ import annotations

from sandbox.redshift.errors import SqlError


def null_text(text: str) -> bytes:
    """Return the bytes of a NULL AS text.

    Raises:
        SqlError: it is a line end.
    """
    if text in ("\n", "\\n"):
        raise SqlError("COPY null representation cannot use newline", "22023")
    return ("\0" if text in ("\\0", "\\000") else text.replace("\\\\", "\\")).encode()


def one_byte(text: str, name: str) -> bytes:
    """Return the byte of a delimiter or quote.

    Raises:
        SqlError: it is no single character, or a line end.
    """
    if len(text) != 1 or not "\x01" <= text <= "\x7f" or text in "\r\n":
        raise SqlError(f"COPY {name} must be a single ASCII character and no line end", "22023")
    return text.encode()


def in_range(number: int, low: int, high: int, name: str) -> int:
    """Return a number that is in the range of an option.

    Raises:
        SqlError: it is not.
    """
    if not low <= number <= high:
        raise SqlError(f"{name} must be between {low} and {high}", "22023")
    return number
