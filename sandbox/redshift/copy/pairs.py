"""Which options of COPY go together (Developer Guide, "Data format parameters", "Data conversion parameters")."""

from __future__ import annotations

from typing import Final

from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.errors import SYNTAX, SqlError

_FOR_TEXT: Final = (
    "ESCAPE",
    "FILLRECORD",
    "FIXEDWIDTH",
    "IGNOREBLANKLINES",
    "NULL",
    "REMOVEQUOTES",
    "CSV",
    "DELIMITER",
)
#: What goes together with nothing of a list.
_APART: Final[dict[str, tuple[str, ...]]] = {
    "CSV": ("ESCAPE", "REMOVEQUOTES", "FIXEDWIDTH"),
    "FIXEDWIDTH": ("ESCAPE", "DELIMITER"),
    "JSON": _FOR_TEXT,
    "AVRO": (*_FOR_TEXT, "JSON", "ENCODING", "IGNOREHEADER"),
    "IGNOREALLERRORS": ("MAXERROR",),
    "GZIP": ("BZIP2", "LZOP", "ZSTD"),
    "BZIP2": ("LZOP", "ZSTD"),
    "LZOP": ("ZSTD",),
}
#: What COPY from a columnar format takes (Developer Guide, "COPY from columnar data formats").
_FOR_COLUMNAR: Final = (
    "ACCEPTINVCHARS",
    "FILLRECORD",
    "IAM_ROLE",
    "CREDENTIALS",
    "ACCESS_KEY_ID",
    "SECRET_ACCESS_KEY",
    "SESSION_TOKEN",
    "TOKEN",
    "STATUPDATE",
    "MANIFEST",
    "EXPLICIT_IDS",
    "SERIALIZETOJSON",
)
_FOR_DYNAMODB: Final = (
    *_FOR_TEXT,
    "JSON",
    "AVRO",
    "PARQUET",
    "ORC",
    "MANIFEST",
    "GZIP",
    "BZIP2",
    "LZOP",
    "ZSTD",
    "IGNOREHEADER",
    "ENCODING",
)


def check_pairs(given: set[str], copy: CopyCommand) -> None:
    """Refuse options, in capital letters, that do not go together.

    Raises:
        SqlError: names one.
    """
    apart = {**_APART, "COPY from DynamoDB": _FOR_DYNAMODB} if copy.from_dynamodb else _APART
    for option, others in apart.items():
        if (option in given or option.startswith("COPY")) and (found := given.intersection(others)):
            raise SqlError(f"{min(found)} option is not supported with {option}", SYNTAX)
    form = copy.columnar.upper()
    if form and (odd := given - {form, "FORMAT", *_FOR_COLUMNAR}):
        raise SqlError(f"{min(odd)} argument is not supported for {form} based COPY", "0A000")
    if "SERIALIZETOJSON" in given and not form:
        raise SqlError("SERIALIZETOJSON is only supported with PARQUET and ORC", SYNTAX)
    if "QUOTE" in given and not copy.csv:
        raise SqlError("QUOTE option is only supported with CSV", SYNTAX)
    if "READRATIO" in given and not copy.from_dynamodb:
        raise SqlError("READRATIO is only supported for a DynamoDB table", SYNTAX)
