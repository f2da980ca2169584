"""The UNLOAD command as it is written, and which of its options go together (Developer Guide, UNLOAD)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sandbox.redshift.copy.option_values import null_text, one_byte
from sandbox.redshift.cursor import Cursor
from sandbox.redshift.errors import SYNTAX, SqlError, unknown
from sandbox.redshift.tokens import Statement, Token, split, unescape
from sandbox.redshift.unload.command import LARGEST, MEGABYTE, SMALLEST_GROUP, UnloadCommand

_SMALLEST: Final = 5 * MEGABYTE
_FLAGS: Final = {
    "header": "header",
    "escape": "escape",
    "addquotes": "add_quotes",
    "allowoverwrite": "allow_overwrite",
    "cleanpath": "clean_path",
}
_FOR_TEXT: Final = ("DELIMITER", "FIXEDWIDTH", "ADDQUOTES", "ESCAPE", "NULL", "HEADER")
_LARGEST_GROUP: Final = 128 * MEGABYTE  # bytes
#: What goes together with nothing of a list.
_APART: Final[dict[str, tuple[str, ...]]] = {
    "CSV": ("FIXEDWIDTH", "ESCAPE", "ADDQUOTES", "PARQUET", "JSON"),
    "JSON": (*_FOR_TEXT, "PARQUET"),
    "PARQUET": (*_FOR_TEXT, "GZIP", "BZIP2", "ZSTD"),
    "FIXEDWIDTH": ("DELIMITER", "HEADER", "ESCAPE", "ADDQUOTES"),
    "ALLOWOVERWRITE": ("CLEANPATH",),
    "GZIP": ("BZIP2", "ZSTD"),
    "BZIP2": ("ZSTD",),
}


def parse_unload(statement: Statement) -> UnloadCommand:
    """Read an UNLOAD.

    Raises:
        SqlError: it is wrong, options do not go together, or the sandbox does not know one.
    """
    return _Parser(statement).parse()


class _Parser:
    """The command as it grows."""

    def __init__(self, statement: Statement) -> None:
        cursor = self._cursor = Cursor(statement)
        cursor.expect("unload")
        cursor.expect_sign("(")
        self._unload = UnloadCommand(_query(cursor.string()))
        self._seen: set[str] = set()
        self._options: dict[str, Callable[[], None]] = {
            **self._unload.authorization.options(cursor),
            "format": self._format,
            "csv": self._csv,
            "delimiter": self._delimiter,
            "fixedwidth": self._fixed_width,
            "null": self._null,
            "gzip": lambda: self._compression("gzip", ".gz"),
            "bzip2": lambda: self._compression("bzip2", ".bz2"),
            "zstd": lambda: self._compression("zstd", ".zst"),
            "manifest": self._manifest,
            "parallel": self._parallel,
            "maxfilesize": self._largest,
            "encrypted": self._encrypted,
            "extension": self._extension,
            "region": self._region,
            "parquet": self._parquet,
            "json": self._json,
            "partition": self._partition,
            "rowgroupsize": self._row_group,
            "kms_key_id": self._key,
        }

    def parse(self) -> UnloadCommand:
        cursor, unload = self._cursor, self._unload
        cursor.expect_sign(")")
        cursor.expect("to")
        unload.target = cursor.string()
        if not unload.target.lower().startswith("s3://"):
            raise SqlError("Invalid S3 path: UNLOAD writes to s3://bucket/prefix", "22023")
        while cursor.token is not None:
            self._option()
        self._check()
        return unload

    def _option(self) -> None:
        self._cursor.accept("with")
        self._cursor.accept("as")
        word = self._cursor.name()
        if word == "master_symmetric_key":
            raise SqlError("Client-side encryption has ended: UNLOAD takes ENCRYPTED with KMS_KEY_ID or AUTO", "0A000")
        if word in self._seen:
            raise SqlError(f"conflicting or redundant options: {word.upper()}", SYNTAX)
        self._seen.add(word)
        if word in _FLAGS:
            setattr(self._unload, _FLAGS[word], True)
        elif word in self._options:
            self._options[word]()
        else:
            raise SqlError(f'The sandbox does not know the UNLOAD option "{word}"', SYNTAX)

    def _text(self) -> str:
        self._cursor.accept("as")
        return self._cursor.string()

    def _format(self) -> None:
        self._cursor.accept("as")
        word = self._cursor.name()
        if word not in ("csv", "text", "json", "parquet"):
            raise unknown(f"UNLOAD FORMAT {word.upper()}")
        if word != "text":
            self._seen.add(word)
            self._options[word]()

    def _csv(self) -> None:
        self._cursor.accept("as")
        self._unload.csv = True

    def _delimiter(self) -> None:
        self._unload.delimiter = one_byte(unescape(unescape(self._text())), "delimiter")

    def _fixed_width(self) -> None:
        for pair in self._text().split(","):
            label, _, width = pair.strip().rpartition(":")
            if not label or not width.isdigit() or not int(width):
                raise SqlError("FIXEDWIDTH takes 'label:width,label:width,…'", "22023")
            self._unload.fixed_widths.append(int(width))

    def _null(self) -> None:
        self._unload.null_as = null_text(self._text())

    def _compression(self, word: str, extension: str) -> None:
        self._unload.compression, self._unload.extension = word, self._unload.extension or extension

    def _manifest(self) -> None:
        self._unload.manifest = True
        self._unload.verbose = self._cursor.accept("verbose")

    def _parallel(self) -> None:
        self._cursor.accept("as")
        self._unload.parallel = not (self._cursor.accept("off") or self._cursor.accept("false"))
        if self._unload.parallel and not self._cursor.accept("on"):
            self._cursor.accept("true")

    def _largest(self) -> None:
        self._unload.largest = self._size()
        if not _SMALLEST <= self._unload.largest <= LARGEST:
            raise SqlError("MAXFILESIZE must be between 5 MB and 6.2 GB", "22023")

    def _row_group(self) -> None:
        self._unload.row_group = self._size()
        if not SMALLEST_GROUP <= self._unload.row_group <= _LARGEST_GROUP:
            raise SqlError("ROWGROUPSIZE must be between 32 MB and 128 MB", "22023")

    def _size(self) -> int:
        """Read a number of MB or GB, perhaps with a fraction; the unit may follow at once (``100MB``)."""
        self._cursor.accept("as")
        text = self._cursor.take().text.lower()
        number, unit = text.rstrip("gmb"), text.lstrip("0123456789.")
        if not unit and self._cursor.token is not None and self._cursor.token.is_word("mb", "gb"):
            unit = self._cursor.take().text.lower()
        try:
            size = int(float(number) * MEGABYTE * (1024 if unit == "gb" else 1))
        except ValueError:
            raise SqlError(f'syntax error at or near "{text}"', SYNTAX) from None
        if unit not in ("", "mb", "gb"):
            raise SqlError(f'syntax error at or near "{text}"', SYNTAX)
        return size

    def _encrypted(self) -> None:
        """AUTO takes the key of KMS that the bucket has as its default; without it, KMS_KEY_ID names one."""
        if self._cursor.accept("auto"):
            self._seen.add("auto")
            self._unload.encryption = {"ServerSideEncryption": "aws:kms"}

    def _key(self) -> None:
        self._unload.encryption = {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._text()}

    def _parquet(self) -> None:
        self._unload.parquet = True
        self._unload.extension = self._unload.extension or ".parquet"

    def _json(self) -> None:
        self._unload.json = True

    def _partition(self) -> None:
        self._cursor.expect("by")
        self._unload.partition_by = self._cursor.names()
        self._unload.include = self._cursor.accept("include")

    def _extension(self) -> None:
        self._unload.extension = "." + self._text().removeprefix(".")

    def _region(self) -> None:
        self._unload.region = self._text()

    def _check(self) -> None:
        unload = self._unload
        unload.authorization.check()
        given = {word.upper() for word in self._seen}
        for option, others in _APART.items():
            if option in given and (found := given.intersection(others)):
                raise SqlError(f"{min(found)} option is not supported with {option}", SYNTAX)
        if "KMS_KEY_ID" in given and ("ENCRYPTED" not in given or "AUTO" in given):
            raise SqlError("KMS_KEY_ID goes together with ENCRYPTED, without AUTO", SYNTAX)
        if "ENCRYPTED" in given and not given.intersection(("KMS_KEY_ID", "AUTO")):
            raise SqlError("ENCRYPTED needs AUTO or KMS_KEY_ID: client-side encryption has ended", SYNTAX)
        if "ROWGROUPSIZE" in given and not unload.parquet:
            raise SqlError("ROWGROUPSIZE is only supported with PARQUET", SYNTAX)
        unload.delimiter = unload.delimiter or (b"," if unload.csv else b"|")


def _query(text: str) -> Statement:
    """Return the query; a quote inside may be doubled or have a backslash before it.

    Raises:
        SqlError: it is no single SELECT, or one with a LIMIT of its own.
    """
    statements = split(text.replace("\\'", "'"))
    if len(statements) != 1:
        raise SqlError("UNLOAD takes one query", SYNTAX)
    (statement,) = statements
    first = statement.tokens[0]
    if not (first.is_word("select", "with") or first.is_sign("(")):
        raise SqlError("UNLOAD takes a SELECT query", SYNTAX)
    if _is_limited(statement.tokens):
        raise SqlError("Limit clause is not supported", "0A000")
    return statement


def _is_limited(tokens: list[Token]) -> bool:
    depth = 0
    for token in tokens:
        depth += token.is_sign("(") - token.is_sign(")")
        if depth == 0 and token.is_word("limit"):
            return True
    return False
