"""From a MySQL error number to the error tree. Server texts may quote data, so quoted parts are left out of most.

Numbers: MySQL 8 *Server and Client Error Message Reference*, MariaDB *Error Codes*.
"""

from __future__ import annotations

import re

from core.errors import AccessDenied, NotFound, StatementFailed, StoreError, StoreUnreachable, TransactionConflict
from stores.rejections import Rejected

_DENIED = frozenset({1044, 1045, 1129, 1130, 1142, 1143, 1227, 1251, 1370, 1698, 1820, 1862, 2059, 2061, 3118, 4151})
_UNREACHABLE = frozenset({
    1040, 1053, 1077, 1152, 1158, 1159, 1160, 1161, 1184, 1203, 1927, 2002, 2003, 2005, 2006, 2012, 2013, 2026, 2055,
})  # fmt: skip
_MISSING = frozenset({1049, 1146, 1109})
_CONFLICT = frozenset({1205, 1213})
#: Their texts quote names and statement text, never values of rows.
_HARMLESS = frozenset({1044, 1045, 1049, 1054, 1060, 1064, 1109, 1142, 1143, 1146, 1305})
_QUOTED = re.compile(r"'[^']*'|\"[^\"]*\"")
_AT = re.compile(r" for column .*| at row \d+.*", re.DOTALL)
_ROW = re.compile(r"\bat row (\d+)|\bRow (\d+)\b")
_COLUMN = re.compile(r"\b[Cc]olumn (`(?:[^`]|``)+`(?:\.`(?:[^`]|``)+`)*|'[^']+')")
#: What is told instead of the server's text: it is about LOAD DATA, or holds the value.
_REASONS = {
    1048: "NULL, which the column does not take",
    1062: "its key is there already",
    1261: "it has too few values",
    1262: "it has too many values",
    1263: "NULL, which the column does not take",
    1264: "the value is out of the column's range",
    1265: "the value does not fit into the column",
    1292: "the value is none of the column's type",
    1300: "the text is not in the column's character set",
    1366: "the value is none of the column's type or character set",
    1367: "the value is none of the column's type",
    1406: "the value is too long for the column",
    1451: "rows of another table refer to it",
    1452: "what its foreign key names is not there",
    1690: "the value is out of the range of its type",
    1916: "the value is none of the column's type",
    3140: "the value is no JSON",
    3819: "a check constraint refuses it",
    4025: "a check constraint refuses it",
}
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


def is_about_a_row(number: int) -> bool:
    """Tell whether an error means that a value or a row was refused, not the statement."""
    return number in _REASONS


def rejection(number: int, text: str) -> Rejected:
    """Return what an error or warning tells about a row: its number in the statement and the column, no value."""
    row, column = _ROW.search(text), _COLUMN.search(text)
    reason = _REASONS.get(number) or _without_values(text)
    return Rejected(
        int(row[1] or row[2]) if row else None, column[1].strip("`'").rpartition("`.`")[2] if column else None, reason
    )


def _without_values(text: str) -> str:
    return _AT.sub("", _QUOTED.sub("'…'", text)).strip(" .") or "refused"


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
