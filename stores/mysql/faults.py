"""From a MySQL error number to the error tree. Server texts may quote data, so quoted parts are left out of most.

Numbers: MySQL 8 *Server and Client Error Message Reference*, MariaDB *Error Codes*.
"""

from __future__ import annotations

import re

from core.errors import AccessDenied, NotFound, StatementFailed, StoreError, StoreUnreachable, TransactionConflict

_DENIED = frozenset({1044, 1045, 1129, 1130, 1142, 1143, 1227, 1251, 1370, 1698, 1820, 1862, 2059, 2061, 3118, 4151})
_UNREACHABLE = frozenset({
    1040, 1053, 1077, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1927, 2002, 2003, 2005, 2006, 2012, 2013, 2026, 2055,
})  # fmt: skip
_MISSING = frozenset({1049, 1146, 1109})
_CONFLICT = frozenset({1205, 1213})
#: Their texts quote names and statement text, never values of rows.
_HARMLESS = frozenset({1044, 1045, 1049, 1054, 1060, 1064, 1109, 1142, 1143, 1146, 1305})
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_ADVICE = {
    AccessDenied: "check the user's password and grants",
    StoreUnreachable: "check that the server is up and that its port can be reached from here",
    NotFound: "check the name, and that the user may see it",
    TransactionConflict: "try again",
    StatementFailed: "correct the statement",
}


class DriverFault(Exception):
    """What a driver reports: MySQL's error number and text. Does not leave ``stores.mysql``."""

    def __init__(self, number: int, text: str) -> None:
        super().__init__(number, text)
        self.number = number
        self.text = text


def translate(fault: DriverFault, where: str) -> StoreError:
    """Return the error of the tree; ``where`` names server, user and database."""
    kind = _kind(fault.number)
    text = fault.text if fault.number in _HARMLESS or fault.number >= 2000 else _QUOTED.sub("'…'", fault.text)
    return kind(f"{where}: {text.rstrip('.')} (MySQL error {fault.number}); {_ADVICE[kind]}")


def _kind(number: int) -> type[StoreError]:
    for numbers, kind in (
        (_DENIED, AccessDenied),
        (_UNREACHABLE, StoreUnreachable),
        (_MISSING, NotFound),
        (_CONFLICT, TransactionConflict),
    ):
        if number in numbers:
            return kind
    return StatementFailed
