"""What the front tells a client: one error response of the wire protocol."""

from __future__ import annotations

from typing import Final

INTERNAL: Final = "XX000"  # Redshift's code for nearly everything that goes wrong inside a statement
SYNTAX: Final = "42601"
UNSUPPORTED: Final = "0A000"
UNDEFINED_TABLE: Final = "42P01"
ABORTED: Final = "25P02"


class SqlError(Exception):
    """A statement failed; ``message`` is what the client reads. Stays inside the front."""

    def __init__(self, message: str, code: str = INTERNAL, detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.detail = detail
        self.hint = hint


def unknown(what: str) -> SqlError:
    """Return the error for Redshift SQL that the sandbox does not have."""
    return SqlError(f"The sandbox does not know {what} yet", UNSUPPORTED, hint="It may well work on Redshift itself.")


def not_redshift(what: str) -> SqlError:
    """Return the error for Postgres SQL that Redshift would refuse."""
    return SqlError(f"{what} is not supported by Redshift", UNSUPPORTED, hint="Postgres has it, Redshift does not.")


def aborted() -> SqlError:
    """Return the error for a statement inside a transaction that has failed already."""
    return SqlError("current transaction is aborted, commands ignored until end of transaction block", ABORTED)
