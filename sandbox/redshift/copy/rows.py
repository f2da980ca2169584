"""Records that are not plain, read one by one by Redshift's rules and written as Postgres' COPY text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from sandbox.redshift.copy.columns import Column
from sandbox.redshift.copy.command import CopyCommand
from sandbox.redshift.copy.faults import BadRecord, BadValue
from sandbox.redshift.copy.fields import Field, field_cutter
from sandbox.redshift.copy.records import postgres_null
from sandbox.redshift.copy.values import Converter, converter

_WRITTEN = re.compile(r"[\\\x08\t\n\x0b\x0c\r]")
_CONTROLS = {"\\": "\\\\", "\b": "\\b", "\t": "\\t", "\n": "\\n", "\v": "\\v", "\f": "\\f", "\r": "\\r"}


class RowReader:
    """Reads one record after the other.

    Args:
        copy: the command.
        columns: what a record's fields are for.
        on_replacement: hears of every field that ACCEPTINVCHARS changed.
        csv: write lines of CSV, not of text.
    """

    def __init__(
        self, copy: CopyCommand, columns: list[Column], on_replacement: Callable[[Column], None], *, csv: bool
    ) -> None:
        self._csv = csv
        self._copy = copy
        self._columns = columns
        self._on_replacement = on_replacement
        self._converters: list[Converter | None] = [
            None if column.is_text else converter(column, copy) for column in columns
        ]
        self._cut = field_cutter(copy)
        self._write_null = postgres_null(copy)

    def read(self, record: bytes) -> list[str | None]:
        """Return the values of a record (without its line end) as Postgres takes them.

        Raises:
            BadRecord: it cannot be loaded.
        """
        return self.convert(self._cut(record))

    def convert(self, fields: Sequence[Field]) -> list[str | None]:
        """Return the values of a record's fields as Postgres takes them.

        Raises:
            BadRecord: it cannot be loaded.
        """
        self._check_count(fields)
        triples = zip(fields, self._columns, self._converters, strict=False)
        values = [self._value(field, column, convert) for field, column, convert in triples]
        return values + [self._missing(column) for column in self._columns[len(values) :]]

    def write(self, values: list[str | None]) -> bytes:
        """Return values as one line for Postgres' COPY, without the line's end."""
        return self._copy.delimiter.join(map(self._csv_text if self._csv else self._plain_text, values))

    def _check_count(self, fields: Sequence[Field]) -> None:
        if len(fields) > len(self._columns):
            raise BadRecord(BadValue(1202, "Extra column(s) found"), None)
        if len(fields) < len(self._columns) and not self._copy.fill_record:
            raise BadRecord(BadValue(1214, "Delimiter not found"), self._columns[len(fields) - 1])

    def _missing(self, column: Column) -> str | None:
        """Return what FILLRECORD loads: an empty text into VARCHAR, unless EMPTYASNULL is there, else NULL."""
        return "" if column.type == "varchar" and not self._copy.empty_as_null else self._null(column)

    def _null(self, column: Column) -> str | None:
        if column.not_null:
            raise BadRecord(BadValue(1213, "Missing data for not-null field"), column)
        return None

    def _value(self, field: Field, column: Column, convert: Converter | None) -> str | None:
        copy = self._copy
        if field.text is None or field.raw == copy.null_as:
            return self._null(column)
        try:
            if convert is None:
                return self._text(field.text, column)
            text = self._decode(field.text, column)
            if copy.fixed_widths:
                text = text.strip(" ")
            value = convert(text) if text else None
        except BadValue as error:
            raise BadRecord(error, column, field.text) from error
        return self._null(column) if value is None else value

    def _text(self, raw: bytes, column: Column) -> str | None:
        copy = self._copy
        text = self._decode(raw, column)
        if copy.trim_blanks and column.type == "varchar":
            text = text.rstrip(" ")
        if (copy.empty_as_null and not text) or (copy.blanks_as_null and not text.strip()):
            return self._null(column)
        if column.type == "bpchar" and not text.isascii():
            first = next(character for character in text if not character.isascii()).encode().hex(" ")
            reason = "Multibyte character not supported for CHAR (Hint: try using VARCHAR)"
            raise BadValue(1220, f"{reason}. Invalid char: {first}", public=reason)
        size = len(text.encode())
        if column.length and size > column.length:
            if not copy.truncate_columns:
                raise BadValue(1204, "String length exceeds DDL length")
            text = text.encode()[: column.length].decode("utf-8", "ignore")
        return text

    def _decode(self, raw: bytes, column: Column) -> str:
        if b"\0" in raw:
            raise BadValue(1216, "Invalid input: the field holds a NUL byte (0x00)", raw.index(b"\0"))
        try:
            return raw.decode()
        except UnicodeDecodeError as error:
            if self._copy.replacement is None or column.type != "varchar":
                reason = "String contains invalid or unsupported UTF8 codepoints"
                sequence = raw[error.start : error.end].hex(" ")
                detail = f"{reason}. Bad UTF8 hex sequence: {sequence} (error {error.end - error.start})"
                raise BadValue(1220, detail, error.start, reason) from error
        self._on_replacement(column)
        return replaced(raw, self._copy.replacement)

    def _plain_text(self, value: str | None) -> bytes:
        if value is None:
            return self._write_null
        written = _WRITTEN.sub(lambda match: _CONTROLS[match[0]], value).encode()
        written = written.replace(self._copy.delimiter, b"\\x%02x" % self._copy.delimiter[0])
        if written and written == self._write_null:
            return b"\\x%02x%b" % (written[0], written[1:])
        return written

    def _csv_text(self, value: str | None) -> bytes:
        if value is None:
            return self._write_null
        quote = self._copy.quote
        return quote + value.encode().replace(quote, quote + quote) + quote


def replaced(raw: bytes, replacement: str) -> str:
    """Replace each invalid sequence by as many characters as it has bytes."""
    pieces: list[str] = []
    while True:
        try:
            return "".join([*pieces, raw.decode()])
        except UnicodeDecodeError as error:
            pieces += [raw[: error.start].decode(), replacement * (error.end - error.start)]
            raw = raw[error.end :]
