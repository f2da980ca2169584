"""The expressions of Postgres and of Redshift for the common forms; each is text, and NULL where the value is.

Redshift has its own where Postgres' do not exist there or mean something else: ``CAST … AS VARCHAR`` without a length
is 256 bytes, what a time's text looks like is not said, and there are no bit strings.
"""

from __future__ import annotations

from collections.abc import Sequence

from steps_impl.quality.comparing.checksums import Crc, Digest
from steps_impl.quality.comparing.forms import Field, Form, row_fields
from steps_impl.quality.engines import Column

_TRUE, _FALSE = "('1', 't', 'true', 'y', 'yes', 'on')", "('0', 'f', 'false', 'n', 'no', 'off')"


class PostgresForms:
    """Postgres."""

    text_type = "text"

    def form(self, name: str, column: Column, form: Form) -> str:
        """Return the expression for a column, given by its quoted name."""
        if form.kind in {"date", "timestamp"}:
            return self._moment(name, column, form)
        if form.kind in {"integer", "decimal"}:
            return self._number(name, column, form)
        if form.kind == "float":
            return self._float(f"{name}::float8", form.digits)
        if form.kind == "time":
            return self._time(name, form)
        if form.kind == "truth":
            return self._truth(name, column)
        return self._text(name, column, form)

    def exact(self, name: str, column: Column, form: Form) -> str:
        """Return the expression by which single rows are compared: floats with all their digits."""
        return f"{name}::float8" if form.kind == "float" else self.form(name, column, form)

    def field(self, expression: str, column: Column, form: Form) -> Field:
        """Return the field of an expression."""
        length = self.words(f"OCTET_LENGTH({expression if column.utf8 else self._utf8(expression)})")
        return Field(expression, length if form.free else None)

    def row(self, fields: Sequence[Field]) -> str:
        """Return the text of a row; ``||`` is faster than ``concat_ws``, which Redshift has not."""
        first, *others = row_fields(fields, "COALESCE")
        return first + "".join(f" || COALESCE('|' || {field}, '')" for field in others)

    def _utf8(self, text: str) -> str:
        return f"convert_to({text}, 'UTF8')"

    def hash(self, text: str, digest: Digest) -> str:
        """Return 60 bits of a text's digest as a number."""
        if digest == "md5":
            return f"('x' || md5({text}))::bit(60)::bigint"
        return f"('x' || encode(substr(sha256({self._utf8(text)}), 1, 8), 'hex'))::bit(60)::bigint"

    def crc(self, text: str, crc: Crc) -> str:
        """Return the CRC of a text, which Postgres has from 18 on."""
        return f"{crc}({self._utf8(text)})"

    def words(self, expression: str) -> str:
        """Return a number or time as text."""
        return f"({expression})::{self.text_type}"

    def _number(self, name: str, column: Column, form: Form) -> str:
        if column.kind in {"boolean", "bit"}:
            name = f"{name}::int"
        own = (form.digits + 1 if column.digits is None else column.digits) if column.kind == "decimal" else 0
        return self.words(name if own == form.digits else self._to_digits(name, form, widen=own < form.digits))

    def _to_digits(self, name: str, form: Form, *, widen: bool) -> str:
        return f"{'round' if form.rounded or widen else 'trunc'}({name}::numeric, {form.digits})"

    def _float(self, value: str, digits: int) -> str:
        exponent = f"FLOOR({self._log10(f'ABS({value})')})"
        mantissa = f"FLOOR({value} / POWER(10::float8, {exponent} - {digits - 1}) + 0.5)::bigint"
        odd = f"{value} IN ('NaN'::float8, 'Infinity'::float8, '-Infinity'::float8)"
        return (
            f"CASE WHEN {odd} THEN {self.words(value)} WHEN ABS({value}) < 1e-290 THEN '0' "
            f"ELSE {self.words(mantissa)} || 'e' || {self.words(f'{exponent}::bigint')} END"
        )

    def _log10(self, value: str) -> str:
        return f"log({value})"

    def _moment(self, name: str, column: Column, form: Form) -> str:
        value = f"({name} AT TIME ZONE 'UTC')" if column.kind == "timestamptz" else name
        if form.kind == "date":
            return self.words(value if column.kind == "date" else f"{value}::date")
        if column.kind == "date":
            value = f"{name}::timestamp"
        if form.rounded and form.digits < 6:
            value = f"{value}::timestamp({form.digits})"
        return self._stamp(value, form.digits)

    def _stamp(self, value: str, digits: int) -> str:
        """Return a time stamp with these digits; text that is filled up is faster than ``to_char`` and RPAD."""
        if not digits:
            return self.words(f"date_trunc('second', {value})")
        text = self.words(value)
        full = (
            f"CASE WHEN {value} BETWEEN '0001-01-01' AND '9999-12-31 23:59:59.999999' "
            f"THEN {text} || RIGHT('.000000', 26 - OCTET_LENGTH({text})) "
            f"WHEN date_trunc('second', {value}) = {value} THEN {text} || '.000000' ELSE RPAD({text}, 26, '0') END"
        )
        return full if digits == 6 else f"LEFT({full}, {20 + digits})"

    def _time(self, name: str, form: Form) -> str:
        value = f"{name}::time({form.digits})" if form.rounded else name
        text = self.words(value)
        if not form.digits:
            return f"LEFT({text}, 8)"
        point = f"CASE WHEN POSITION('.' IN {text}) = 0 THEN '.' ELSE '' END"
        return f"LEFT(RPAD({text} || {point}, 15, '0'), {9 + form.digits})"

    def _truth(self, name: str, column: Column) -> str:
        if column.kind not in {"text", "char"}:
            return self.words(f"{name}::int")
        text = self._plain(name)
        return (
            f"CASE WHEN LOWER(TRIM({text})) IN {_TRUE} THEN '1' WHEN LOWER(TRIM({text})) IN {_FALSE} THEN '0' "
            f"ELSE {text} END"
        )

    def _text(self, name: str, column: Column, form: Form) -> str:
        if column.kind == "binary":
            text = self._hexadecimal(name)
        else:
            text = self._plain(name) if column.kind in {"text", "char"} else self.words(name)
            text = f"REPLACE({text}, '-', '')" if form.kind == "hex" else text
        text = f"RTRIM({text})" if form.trimmed else text
        text = f"LOWER({text})" if form.small and column.kind not in {"binary", "uuid"} else text
        return f"NULLIF({text}, '')" if form.empty_is_null else text

    def _plain(self, name: str) -> str:
        return f"{name}::text"

    def _hexadecimal(self, name: str) -> str:
        return f"encode({name}, 'hex')"


class RedshiftForms(PostgresForms):
    """Redshift."""

    text_type = "varchar(64)"

    def hash(self, text: str, digest: Digest) -> str:
        """Return 60 bits of a text's digest as a number."""
        value = f"SHA2({text}, 256)" if digest == "sha256" else f"MD5({text})"
        return f"STRTOL(LEFT({value}, 15), 16)"

    def _to_digits(self, name: str, form: Form, *, widen: bool) -> str:
        change = name if widen else f"{'ROUND' if form.rounded else 'TRUNC'}({name}, {form.digits})"
        return f"CAST({change} AS DECIMAL(38, {form.digits}))"

    def _stamp(self, value: str, digits: int) -> str:
        full = f"TO_CHAR({value}, 'YYYY-MM-DD HH24:MI:SS{'.US' if digits else ''}')"
        return full if digits in {0, 6} else f"LEFT({full}, {20 + digits})"

    def _moment(self, name: str, column: Column, form: Form) -> str:
        if form.kind == "date":
            zoned = f"({name} AT TIME ZONE 'UTC')" if column.kind == "timestamptz" else name
            return f"TO_CHAR({zoned}, 'YYYY-MM-DD')"
        return super()._moment(name, column, form)

    def _plain(self, name: str) -> str:
        return f"{name}::varchar(65535)"

    def _hexadecimal(self, name: str) -> str:
        return f"FROM_VARBYTE({name}, 'hex')"
