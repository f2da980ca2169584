"""What went wrong in the warehouse, as an error of ours.

Messages of the server are passed on without their DETAIL (but for what a columnar file is refused for), HINT and
CONTEXT, and without quoted values where they may stem from rows: an error text is read by many, the rows are not.
"""

from __future__ import annotations

import re

import psycopg2
from psycopg2 import errorcodes

from core.errors import (
    AccessDenied,
    LoadRejected,
    NotFound,
    StatementFailed,
    StoreError,
    StoreUnreachable,
    TransactionConflict,
)

#: SQLSTATE → class; codes of class 08 (connection) and 57P0x (shut down) are looked up by their beginning.
_BY_CODE: dict[str, type[StoreError]] = {
    errorcodes.INSUFFICIENT_PRIVILEGE: AccessDenied,
    errorcodes.INVALID_PASSWORD: AccessDenied,
    errorcodes.INVALID_AUTHORIZATION_SPECIFICATION: AccessDenied,
    errorcodes.UNDEFINED_TABLE: NotFound,
    errorcodes.INVALID_SCHEMA_NAME: NotFound,
    errorcodes.INVALID_CATALOG_NAME: NotFound,
    errorcodes.SERIALIZATION_FAILURE: TransactionConflict,
    errorcodes.DEADLOCK_DETECTED: TransactionConflict,
    errorcodes.LOCK_NOT_AVAILABLE: TransactionConflict,
    # Steps create only what they did not see: "exists already" means that another writer was faster.
    errorcodes.DUPLICATE_TABLE: TransactionConflict,
}
_BY_PREFIX = {"08": StoreUnreachable, "57P0": StoreUnreachable, "533": StoreUnreachable}

#: Redshift says most of what is its own as XX000; the text tells (Developer Guide, "Serializable isolation";
#: the last two come up when a table is replaced while a transaction plans to read it).
_CONFLICT = re.compile(
    r"\b1023\b|serializable isolation violation|conflict with concurrent transaction"
    r"|could not open relation with OID|\b1018\b|duplicate key value violates unique constraint \"pg_",
    re.IGNORECASE,
)
_LOAD_FAILED = re.compile(r"load into table .* failed", re.IGNORECASE)
_NO_OBJECT = re.compile(
    r"s3 prefix .* does not exist|NoSuchBucket|NoSuchKey|not present in manifest|404", re.IGNORECASE
)
_NO_ACCESS = re.compile(r"access ?denied|not authorized|403", re.IGNORECASE)

_PASSWORD = re.compile(r"password authentication failed|no pg_hba\.conf entry|no password supplied", re.IGNORECASE)
_NO_DATABASE = re.compile(r'database "[^"]*" does not exist', re.IGNORECASE)

#: Of a DETAIL only what is said of a columnar file is passed on: it names column and types, lengths or file, and no
#: value (Developer Guide, "COPY from columnar data formats"). Here a column of another type.
_MISFIT = re.compile(
    r"incompatible Parquet schema for column '\S*?\.(?P<column>[^.']+)'\. Column type: (?P<type>[^\n]+?), "
    r"Parquet schema:\s*(?P<schema>[^\n]+)"
)
#: Anything else that the reader of Parquet and ORC (Spectrum) refuses, and where the reason stands.
_SCAN = "Spectrum Scan Error"
_CONTEXT = re.compile(r"^\s*context:\s*(\S.*)$", re.MULTILINE)
#: What an address of S3 is signed with.
_SIGNED = re.compile(r"\?X-Amz-[^\s']*")

#: "Invalid digit, Value 'x', Pos 0": Redshift puts the value into the message itself.
_VALUE = re.compile(r"\bvalue\s+['\"(].*", re.IGNORECASE | re.DOTALL)


def connection_fault(error: psycopg2.Error, where: str, user: str) -> StoreError:
    """Return our error for a connection that did not come about."""
    text = str(error)
    if _PASSWORD.search(text):
        return AccessDenied(f"{where} refused user {user!r}: check its user name and password")
    if _NO_DATABASE.search(text):
        return NotFound(f"{where} has no such database: check its name")
    return StoreUnreachable(f"cannot connect to {where}: {_reason(text)}; check host, port and security group")


def statement_fault(error: psycopg2.Error, where: str, doing: str) -> StoreError:
    """Return our error for a statement that the warehouse refused while it was ``doing`` something."""
    code = error.pgcode or ""
    message = error.diag.message_primary or ""
    if misfit := _MISFIT.search(error.diag.message_detail or ""):
        told = f"the table's column {misfit['column']} is {misfit['type']}, the files hold {misfit['schema'].strip()}"
        return StatementFailed(f"{where}: could not {doing}: {told}")
    kind = _kind(code, message) if code else _without_code(error)
    return kind(f"{where}: could not {doing}: {reason_of(code, message or str(error))}{_scanned(error)}")


def _scanned(error: psycopg2.Error) -> str:
    """Return what the reader of columnar files says of one: file and column, which its message leaves to the DETAIL."""
    found = _CONTEXT.search(error.diag.message_detail or "")
    if not found or not (error.diag.message_primary or "").startswith(_SCAN):
        return ""
    return f": {without_values(_SIGNED.sub('', found[1])).strip()}"


def _kind(code: str, message: str) -> type[StoreError]:
    if code in _BY_CODE:
        return _BY_CODE[code]
    for prefix, kind in _BY_PREFIX.items():
        if code.startswith(prefix):
            return kind
    if _CONFLICT.search(message):
        return TransactionConflict
    if _LOAD_FAILED.search(message):
        return LoadRejected
    return _of_s3(message) if code.startswith("XX") else StatementFailed


def _of_s3(message: str) -> type[StoreError]:
    """COPY reads S3 itself; its faults arrive as internal errors with S3's words in them."""
    if _NO_OBJECT.search(message):
        return NotFound
    return AccessDenied if _NO_ACCESS.search(message) else StatementFailed


def _without_code(error: psycopg2.Error) -> type[StoreError]:
    """Without SQLSTATE nothing came from the server: the connection broke."""
    broken = isinstance(error, psycopg2.OperationalError | psycopg2.InterfaceError | psycopg2.DatabaseError)
    return StoreUnreachable if broken else StatementFailed


def reason_of(code: str, message: str) -> str:
    """Return a server's message without values of rows."""
    if code.startswith("22") and code != errorcodes.INVALID_PARAMETER_VALUE:  # that one is about a statement's words
        condition = errorcodes.lookup(code).replace("_", " ").lower()
        return f"a value does not fit ({condition}, SQLSTATE {code})"
    first_line = without_values(message).strip().splitlines()[:1]
    return f"{first_line[0] if first_line else 'no reason given'}" + (f" (SQLSTATE {code})" if code else "")


def without_values(message: str) -> str:
    """Return a message of COPY without the value that it quotes."""
    return _VALUE.sub("value …", message)


def _reason(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else "no reason given"
