"""The COPY command: what it says, and which of its options go together (Developer Guide, COPY)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from core.redaction import REDACTOR
from sandbox.redshift.cursor import Cursor
from sandbox.redshift.errors import SYNTAX, SqlError, unknown
from sandbox.redshift.tokens import Statement, unescape

MAXIMUM_ERRORS: Final = 100_000
_ROLE: Final = re.compile(r"arn:aws[a-z-]*:iam::\d{12}:role/[\w+=,.@/-]+")


@dataclass
class Keys:
    """Keys for S3 that the command brings itself; without them the front's own are used, as a role's would be."""

    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    token: str = field(default="", repr=False)


@dataclass
class CopyCommand:
    """One COPY; texts of the data are bytes."""

    table: tuple[str, ...] = ()
    columns: list[str] | None = None
    source: str = ""
    role: str | None = None
    keys: Keys = field(default_factory=Keys)
    manifest: bool = False
    csv: bool = False
    gzip: bool = False
    delimiter: bytes = b""
    quote: bytes = b'"'
    escape: bool = False
    null_as: bytes = b"\\N"
    ignore_header: int = 0
    max_errors: int = 0
    truncate_columns: bool = False
    replacement: str | None = None  # ACCEPTINVCHARS
    region: str | None = None
    empty_as_null: bool = False
    blanks_as_null: bool = False
    trim_blanks: bool = False
    fill_record: bool = False
    ignore_blank_lines: bool = False
    round_decimals: bool = False
    explicit_ids: bool = False
    any_date: bool = False  # DATEFORMAT 'auto'
    time_format: str = ""  # 'auto', 'epochsecs', 'epochmillisecs' or the default


_FLAGS: Final = {
    "manifest": "manifest",
    "gzip": "gzip",
    "escape": "escape",
    "truncatecolumns": "truncate_columns",
    "emptyasnull": "empty_as_null",
    "blanksasnull": "blanks_as_null",
    "trimblanks": "trim_blanks",
    "fillrecord": "fill_record",
    "ignoreblanklines": "ignore_blank_lines",
    "roundec": "round_decimals",
    "explicit_ids": "explicit_ids",
}
_NOT_YET: Final = frozenset(
    [
        "json",
        "avro",
        "parquet",
        "orc",
        "shapefile",
        "fixedwidth",
        "bzip2",
        "lzop",
        "zstd",
        "encrypted",
        "master_symmetric_key",
        "kms_key_id",
        "removequotes",
        "acceptanydate",
        "noload",
        "ssh",
        "ignoreallerrors",
        "readratio",
        "comprows",
        "simplify",
        "job",
    ]
)


def parse_copy(statement: Statement) -> CopyCommand:
    """Read a COPY.

    Raises:
        SqlError: it is wrong, options do not go together, or the sandbox does not know one.
    """
    return _Parser(statement).parse()


class _Parser:
    """The command as it grows."""

    def __init__(self, statement: Statement) -> None:
        self._cursor = Cursor(statement)
        self._copy = CopyCommand()
        self._seen: set[str] = set()
        self._options: dict[str, Callable[[], None]] = {
            "iam_role": self._role,
            "credentials": self._credentials,
            "access_key_id": lambda: self._key("access_key"),
            "secret_access_key": lambda: self._key("secret_key"),
            "session_token": lambda: self._key("token"),
            "token": lambda: self._key("token"),
            "format": self._format,
            "csv": self._csv,
            "quote": self._quote,
            "delimiter": self._delimiter,
            "null": self._null,
            "ignoreheader": self._ignore_header,
            "maxerror": self._max_errors,
            "acceptinvchars": self._replacement,
            "region": self._region,
            "encoding": self._encoding,
            "dateformat": self._date_format,
            "timeformat": self._time_format,
            "compupdate": self._update_policy,
            "statupdate": self._update_policy,
        }

    def parse(self) -> CopyCommand:
        cursor, copy = self._cursor, self._copy
        cursor.expect("copy")
        copy.table = cursor.qualified_name()
        if cursor.token is not None and cursor.token.is_sign("("):
            copy.columns = cursor.names()
        cursor.expect("from")
        if cursor.peek("stdin") or cursor.peek("program"):
            raise SqlError("COPY FROM STDIN is not supported by Redshift; load from Amazon S3", "0A000")
        copy.source = cursor.string()
        if not copy.source.lower().startswith("s3://"):
            raise unknown("a COPY source that is not in Amazon S3")
        while cursor.token is not None:
            self._option()
        self._check()
        return copy

    def _option(self) -> None:
        self._cursor.accept("with")
        self._cursor.accept("as")
        word = self._cursor.name()
        if word in self._seen:
            raise SqlError(f"conflicting or redundant options: {word.upper()}", SYNTAX)
        self._seen.add(word)
        if word in _FLAGS:
            setattr(self._copy, _FLAGS[word], True)
        elif word in self._options:
            self._options[word]()
        elif word in _NOT_YET:
            raise unknown(f"the COPY option {word.upper()}")
        else:
            raise SqlError(f'The sandbox does not know the COPY option "{word}"', SYNTAX)

    def _text(self) -> str:
        self._cursor.accept("as")
        return self._cursor.string()

    def _number(self) -> int:
        self._cursor.accept("as")
        return self._cursor.integer()

    def _role(self) -> None:
        self._cursor.accept("as")
        self._copy.role = "default" if self._cursor.accept("default") else _checked_role(self._cursor.string())

    def _key(self, name: str) -> None:
        text = self._text()
        REDACTOR.register(text)
        setattr(self._copy.keys, name, text)

    def _credentials(self) -> None:
        text = self._text()
        names = {"aws_access_key_id": "access_key", "aws_secret_access_key": "secret_key", "token": "token"}
        for part in text.split(";"):
            name, _, value = part.strip().partition("=")
            if name == "aws_iam_role":
                self._copy.role = _checked_role(value)
            elif name in names:
                REDACTOR.register(value)
                setattr(self._copy.keys, names[name], value)
            else:
                raise SqlError("Invalid credentials. Must be of the format: credentials 'aws_iam_role=...'", "XX000")

    def _format(self) -> None:
        self._cursor.accept("as")
        if self._cursor.accept("csv"):
            self._csv()
        elif not self._cursor.accept("text"):
            word = self._cursor.name()
            if word != "delimiter":
                raise unknown(f"COPY FORMAT {word.upper()}")
            self._delimiter()

    def _csv(self) -> None:
        self._copy.csv = True

    def _quote(self) -> None:
        self._copy.quote = _one_byte(self._text(), "quote")

    def _delimiter(self) -> None:
        self._copy.delimiter = _one_byte(unescape(self._text()), "delimiter")

    def _null(self) -> None:
        text = self._text()
        if text in ("\n", "\\n"):
            raise SqlError("COPY null representation cannot use newline", "22023")
        self._copy.null_as = ("\0" if text == "\\0" else text.replace("\\\\", "\\")).encode()

    def _ignore_header(self) -> None:
        self._copy.ignore_header = _in_range(self._number(), 0, 2**31 - 1, "IGNOREHEADER")

    def _max_errors(self) -> None:
        self._copy.max_errors = _in_range(self._number(), 0, MAXIMUM_ERRORS, "MAXERROR")

    def _replacement(self) -> None:
        self._cursor.accept("as")
        token = self._cursor.token
        text = self._cursor.string() if token is not None and "'" in token.text else "?"
        if len(text) != 1 or not "\x01" <= text <= "\x7f":
            raise SqlError("ACCEPTINVCHARS takes one ASCII character that is not NUL", "22023")
        self._copy.replacement = text

    def _region(self) -> None:
        self._copy.region = self._text()

    def _encoding(self) -> None:
        self._cursor.accept("as")
        token = self._cursor.take()
        name = token.value if "'" in token.text else token.text
        if name.lower() not in ("utf8", "auto"):
            raise unknown(f"COPY ENCODING {name.upper()}")

    def _date_format(self) -> None:
        text = self._text()
        if text not in ("auto", "YYYY-MM-DD"):
            raise unknown("a DATEFORMAT other than 'auto' and 'YYYY-MM-DD'")
        self._copy.any_date = text == "auto"

    def _time_format(self) -> None:
        text = self._text()
        if text not in ("auto", "epochsecs", "epochmillisecs", "YYYY-MM-DD HH:MI:SS"):
            raise unknown("a TIMEFORMAT other than 'auto', 'epochsecs', 'epochmillisecs' and 'YYYY-MM-DD HH:MI:SS'")
        self._copy.time_format = "" if text.startswith("Y") else text

    def _update_policy(self) -> None:
        """COMPUPDATE and STATUPDATE change encodings and statistics, not what is loaded."""
        for word in ("on", "off", "true", "false", "preset"):
            if self._cursor.accept(word):
                return

    def _check(self) -> None:
        copy = self._copy
        given_keys = bool(copy.keys.access_key or copy.keys.secret_key)
        if copy.role is None and not given_keys:
            raise SqlError("Missing credentials: give IAM_ROLE, CREDENTIALS or ACCESS_KEY_ID", SYNTAX)
        if given_keys and (copy.role is not None or not (copy.keys.access_key and copy.keys.secret_key)):
            raise SqlError("Invalid credentials: give a role, or an access key with its secret key", SYNTAX)
        if copy.csv and copy.escape:
            raise SqlError("ESCAPE option is not supported with CSV", SYNTAX)
        if "quote" in self._seen and not copy.csv:
            raise SqlError("QUOTE option is only supported with CSV", SYNTAX)
        copy.delimiter = copy.delimiter or (b"," if copy.csv else b"|")
        if copy.csv and copy.delimiter == copy.quote:
            raise SqlError("COPY delimiter and quote must be different", "22023")
        if copy.delimiter in copy.null_as:
            raise SqlError("COPY delimiter must not appear in the NULL AS string", "22023")


def _one_byte(text: str, name: str) -> bytes:
    if len(text) != 1 or not "\x01" <= text <= "\x7f" or text in "\r\n":
        raise SqlError(f"COPY {name} must be a single ASCII character and no line end", "22023")
    return text.encode()


def _in_range(number: int, low: int, high: int, name: str) -> int:
    if not low <= number <= high:
        raise SqlError(f"{name} must be between {low} and {high}", "22023")
    return number


def _checked_role(text: str) -> str:
    for arn in text.split(","):
        if not _ROLE.fullmatch(arn):
            raise SqlError("Invalid IAM role: it must look like arn:aws:iam::123456789012:role/name", "22023")
    return text
