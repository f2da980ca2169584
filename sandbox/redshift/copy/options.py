"""The COPY command as it is written, and which of its options go together (Developer Guide, COPY)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.copy.moments import strptime_format
from sandbox.redshift.copy.option_values import in_range, null_text, one_byte
from sandbox.redshift.copy.pairs import check_pairs
from sandbox.redshift.copy.unpack import COMPRESSIONS
from sandbox.redshift.cursor import Cursor
from sandbox.redshift.errors import SYNTAX, SqlError, unknown
from sandbox.redshift.tokens import Statement, unescape

MAXIMUM_ERRORS: Final = 100_000
_WITHOUT_LIMIT: Final = 2**62
_FLAGS: Final = {
    "manifest": "manifest",
    "escape": "escape",
    "removequotes": "remove_quotes",
    "truncatecolumns": "truncate_columns",
    "emptyasnull": "empty_as_null",
    "blanksasnull": "blanks_as_null",
    "trimblanks": "trim_blanks",
    "fillrecord": "fill_record",
    "ignoreblanklines": "ignore_blank_lines",
    "roundec": "round_decimals",
    "explicit_ids": "explicit_ids",
    "acceptanydate": "accept_any_date",
    "noload": "no_load",
    "serializetojson": "serialize_to_json",
}
_NOT_YET: Final = frozenset(
    [
        "shapefile",
        "encrypted",
        "master_symmetric_key",
        "kms_key_id",
        "ssh",
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
            **self._copy.authorization.options(self._cursor),
            "format": self._format,
            "csv": self._csv,
            "json": self._json,
            "avro": self._avro,
            "parquet": lambda: self._columnar("parquet"),
            "orc": lambda: self._columnar("orc"),
            "fixedwidth": self._fixed_width,
            "quote": self._quote,
            "delimiter": self._delimiter,
            "null": self._null,
            "ignoreheader": self._ignore_header,
            "maxerror": self._max_errors,
            "ignoreallerrors": self._ignore_errors,
            "acceptinvchars": self._replacement,
            "region": self._region,
            "readratio": self._read_ratio,
            "comprows": self._sample_size,
            "encoding": self._encoding,
            "dateformat": self._date_format,
            "timeformat": self._time_format,
            "compupdate": self._update_policy,
            "statupdate": self._update_policy,
        }

    def parse(self) -> CopyCommand:
        cursor, copy = self._cursor, self._copy
        cursor.expect("copy")
        if cursor.token is not None and cursor.token.is_sign("("):
            raise _only_from_aws()
        copy.table = cursor.qualified_name()
        if cursor.token is not None and cursor.token.is_sign("("):
            copy.columns = cursor.names()
        if cursor.peek("to"):
            raise _only_from_aws()
        cursor.expect("from")
        if cursor.peek("stdin") or cursor.peek("program"):
            raise _only_from_aws()
        copy.source = cursor.string()
        if not copy.source.lower().startswith(("s3://", "dynamodb://")):
            raise unknown("a COPY source that is neither in Amazon S3 nor a DynamoDB table")
        while cursor.token is not None:
            self._option()
        self._check()
        return copy

    def _option(self) -> None:
        self._cursor.accept("with")
        self._cursor.accept("as")
        word = self._cursor.name()
        self._note(word)
        if word in _FLAGS:
            setattr(self._copy, _FLAGS[word], True)
        elif word in COMPRESSIONS:
            self._copy.compression = word
        elif word in self._options:
            self._options[word]()
        elif word in _NOT_YET:
            raise unknown(f"the COPY option {word.upper()}")
        else:
            raise SqlError(f'The sandbox does not know the COPY option "{word}"', SYNTAX)

    def _note(self, word: str) -> None:
        if word in self._seen:
            raise SqlError(f"conflicting or redundant options: {word.upper()}", SYNTAX)
        self._seen.add(word)

    def _text(self) -> str:
        self._cursor.accept("as")
        return self._cursor.string()

    def _number(self) -> int:
        """A whole number; READRATIO's examples have it in quotes too."""
        self._cursor.accept("as")
        token = self._cursor.token
        if token is not None and token.text.startswith("'") and token.value.isdigit():
            return int(self._cursor.take().value)
        return self._cursor.integer()

    def _format(self) -> None:
        self._cursor.accept("as")
        if self._cursor.accept("text"):
            return
        word = self._cursor.name()
        if word not in ("csv", "json", "avro", "parquet", "orc", "delimiter", "fixedwidth"):
            raise unknown(f"COPY FORMAT {word.upper()}")
        self._note(word)
        self._options[word]()

    def _csv(self) -> None:
        self._copy.csv = True

    def _json(self) -> None:
        self._cursor.accept("as")
        token = self._cursor.token
        text = self._cursor.string() if token is not None and token.text.startswith("'") else "auto"
        if text not in ("auto", "auto ignorecase", "noshred") and not text.startswith("s3://"):
            raise unknown("a JSON option other than 'auto', 'auto ignorecase', 'noshred' and a JSONPaths file")
        self._copy.json = text

    def _avro(self) -> None:
        self._json()
        if self._copy.json == "noshred":
            raise SqlError("AVRO takes 'auto', 'auto ignorecase' or a JSONPaths file", SYNTAX)
        self._copy.avro = True

    def _columnar(self, form: str) -> None:
        self._copy.columnar = form

    def _fixed_width(self) -> None:
        for pair in self._text().split(","):
            label, _, width = pair.strip().rpartition(":")
            if not label or not width.isdigit() or not int(width):
                raise SqlError("FIXEDWIDTH takes 'label:width,label:width,…'", "22023")
            self._copy.fixed_widths.append(int(width))

    def _quote(self) -> None:
        self._copy.quote = one_byte(self._text(), "quote")

    def _delimiter(self) -> None:
        self._copy.delimiter = one_byte(unescape(unescape(self._text())), "delimiter")

    def _null(self) -> None:
        self._cursor.accept("as")
        self._copy.null_as = null_text(self._cursor.string())

    def _ignore_header(self) -> None:
        self._copy.ignore_header = in_range(self._number(), 0, 2**31 - 1, "IGNOREHEADER")

    def _max_errors(self) -> None:
        self._copy.max_errors = in_range(self._number(), 0, MAXIMUM_ERRORS, "MAXERROR")

    def _ignore_errors(self) -> None:
        self._copy.max_errors = _WITHOUT_LIMIT

    def _replacement(self) -> None:
        self._cursor.accept("as")
        token = self._cursor.token
        text = self._cursor.string() if token is not None and "'" in token.text else "?"
        if len(text) != 1 or not "\x01" <= text <= "\x7f":
            raise SqlError("ACCEPTINVCHARS takes one ASCII character that is not NUL", "22023")
        self._copy.replacement = text

    def _region(self) -> None:
        self._copy.region = self._text()

    def _read_ratio(self) -> None:
        self._copy.read_ratio = in_range(self._number(), 1, 200, "READRATIO")

    def _sample_size(self) -> None:
        """COMPROWS is about the analysis for encodings, not about what is loaded."""
        self._number()

    def _encoding(self) -> None:
        self._cursor.accept("as")
        token = self._cursor.take()
        name = (token.value if "'" in token.text else token.text).lower()
        if name not in ("utf8", "auto", "utf16", "utf16le", "utf16be"):
            raise unknown(f"COPY ENCODING {name.upper()}")
        self._copy.encoding = "utf8" if name == "auto" else name

    def _date_format(self) -> None:
        text = self._text()
        if text not in ("auto", "YYYY-MM-DD"):
            strptime_format(text)
        self._copy.date_format = "" if text == "YYYY-MM-DD" else text

    def _time_format(self) -> None:
        text = self._text()
        usual = ("YYYY-MM-DD HH:MI:SS", "YYYY-MM-DD HH24:MI:SS")
        if text not in ("auto", "epochsecs", "epochmillisecs", *usual):
            strptime_format(text)
        self._copy.time_format = "" if text in usual else text

    def _update_policy(self) -> None:
        """COMPUPDATE and STATUPDATE change encodings and statistics, not what is loaded."""
        for word in ("on", "off", "true", "false", "preset"):
            if self._cursor.accept(word):
                return

    def _check(self) -> None:
        copy = self._copy
        copy.authorization.check()
        check_pairs({word.upper() for word in self._seen}, copy)
        copy.delimiter = copy.delimiter or (b"," if copy.csv else b"|")
        if copy.csv and copy.delimiter == copy.quote:
            raise SqlError("COPY delimiter and quote must be different", "22023")
        if copy.delimiter in copy.null_as:
            raise SqlError("COPY delimiter must not appear in the NULL AS string", "22023")


def _only_from_aws() -> SqlError:
    """Return the error for Postgres' own COPY, which psql's backslash-copy sends."""
    text = "LOAD source is not supported by Redshift. (Hint: only S3 or DynamoDB based load is allowed)"
    return SqlError(text, "0A000", hint="UNLOAD writes a query's rows to S3.")
