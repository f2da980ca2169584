"""MySQL's and MariaDB's expressions for the common forms; each is text, and NULL where the value is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from steps_impl.quality.comparing.checksums import Crc, Digest
from steps_impl.quality.comparing.forms import Field, Form, row_fields
from steps_impl.quality.engines import Column

_TRUE, _FALSE = "('1', 't', 'true', 'y', 'yes', 'on')", "('0', 'f', 'false', 'n', 'no', 'off')"


def mysql_form(name: str, column: Column, form: Form) -> str:
    """Return the expression for a column, given by its quoted name."""
    if form.kind in {"date", "timestamp"}:
        return _moment(name, column, form)
    if form.kind in {"integer", "decimal"}:
        return _number(name, column, form)
    if form.kind == "float":
        return _float(f"({name} + 0e0)", form.digits)
    if form.kind == "time":
        return _fraction(name, 8, column.digits or 0, form, f"TIME({form.digits})")
    if form.kind == "truth":
        return _truth(name, column)
    return _text(name, column, form)


def mysql_quick(name: str, column: Column, form: Form) -> str:
    """Return an expression that is cheaper and may print equal values differently, never different ones alike.

    Zero dates stay as they are. For the first checksum of a whole table, that of most tables: where it differs, the
    common forms decide.
    """
    return mysql_form(name, column, replace(form, zero_is_null=False))


def mysql_exact(name: str, column: Column, form: Form) -> str:
    """Return the expression by which single rows are compared: floats with all their digits."""
    return f"({name} + 0e0)" if form.kind == "float" else mysql_form(name, column, form)


def mysql_row(fields: Sequence[Field]) -> str:
    """Return the text of a row."""
    return f"CONCAT_WS('|', {', '.join(row_fields(fields, 'IFNULL'))})"


def mysql_hash(text: str, digest: Digest, odd: int) -> str:
    """Return 60 bits of a text's digest as a number.

    A text that is longer than the server's ``max_allowed_packet`` has none: such a row counts as ``odd``, which differs
    from side to side, so that it is looked at and never taken as equal.
    """
    value = f"SHA2({text}, 256)" if digest == "sha256" else f"MD5({text})"
    return f"IFNULL(CAST(CONV(LEFT({value}, 15), 16, 10) AS UNSIGNED), {odd})"


def mysql_crc(text: str, crc: Crc) -> str:
    """Return the CRC of a text."""
    return f"{crc.upper()}({text})"


def mysql_field(expression: str, form: Form) -> Field:
    """Return the field of an expression, which is UTF-8: CHAR_LENGTH would cost as much as the digest."""
    return Field(expression, f"LENGTH({expression})" if form.free else None)


def _number(name: str, column: Column, form: Form) -> str:
    if column.kind in {"bit", "boolean"}:
        name = f"({name} + 0)"
    own = column.digits if column.kind == "decimal" and column.digits is not None else 0
    if own > form.digits:
        return f"{'ROUND' if form.rounded else 'TRUNCATE'}({name}, {form.digits})"
    return name if own == form.digits else f"CAST({name} AS DECIMAL(65, {form.digits}))"


def _float(value: str, digits: int) -> str:
    """Return mantissa and exponent: ``FLOOR(x / 10^(e - digits + 1) + 0.5)``; what is tiny counts as 0."""
    exponent = f"FLOOR(LOG10(ABS({value})))"
    mantissa = f"CAST(FLOOR({value} / POW(10, {exponent} - {digits - 1}) + 0.5) AS SIGNED)"
    return (
        f"CASE WHEN {value} IS NULL THEN NULL WHEN ABS({value}) < 1e-290 THEN '0' "
        f"ELSE CONCAT({mantissa}, 'e', CAST({exponent} AS SIGNED)) END"
    )


def _moment(name: str, column: Column, form: Form) -> str:
    value = f"IF({name} = 0, NULL, {name})" if form.zero_is_null else name
    if form.kind == "date":
        return value if column.kind == "date" else f"LEFT({value}, 10)"
    if column.kind == "date":
        return f"CONCAT({value}, ' 00:00:00{'.' if form.digits else ''}{'0' * form.digits}')"
    return _fraction(value, 19, column.digits or 0, form, f"DATETIME({form.digits})")


def _fraction(value: str, length: int, own: int, form: Form, kind: str) -> str:
    """Return a time with as many digits behind the point as the form has, given that it has ``own``."""
    if own == form.digits:
        return value
    if own > form.digits:
        shown = length + (form.digits + 1 if form.digits else 0)
        return f"CAST({value} AS {kind})" if form.rounded else f"LEFT({value}, {shown})"
    return f"CONCAT({value}, '{'' if own else '.'}{'0' * (form.digits - own)}')"


def _truth(name: str, column: Column) -> str:
    if column.kind not in {"text", "char"}:
        return f"({name} + 0)"
    text = f"CONVERT({name} USING utf8mb4)"
    return (
        f"CASE WHEN LOWER(TRIM({text})) IN {_TRUE} THEN '1' WHEN LOWER(TRIM({text})) IN {_FALSE} THEN '0' "
        f"ELSE {text} END"
    )


def _text(name: str, column: Column, form: Form) -> str:
    if form.kind == "hex":
        text = f"LOWER(HEX({name}))" if column.kind == "binary" else f"REPLACE(CONVERT({name} USING utf8mb4), '-', '')"
    else:
        text = name if column.utf8 and not form.small else f"CONVERT({name} USING utf8mb4)"
    text = f"RTRIM({text})" if form.trimmed else text
    text = f"LOWER({text})" if form.small and column.kind != "binary" else text
    return f"NULLIF({text}, '')" if form.empty_is_null else text
