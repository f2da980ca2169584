"""Columns to the rows of an Avro block, in the library's own loops: no row is touched one by one.

Each value of a column becomes one or a few pieces of bytes; pieces that are the same for many values (numbers of up to
14 bits, lengths) are looked up in a table. Joined across the columns they are the rows. Source: Apache Avro
specification, *Binary encoding*: every field is a union of null and its type, a branch number before the value; whole
numbers are zigzag and seven bits a byte, least first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cache
from typing import Any

from core.extras import optional

#: Branches of the union, as they are written: null is the first, the value the second.
_NULL, _VALUE = b"\x00", b"\x02"
_BITS = 14  # of a number that one look into the table writes
_BOOLEANS = (b"\x02\x00", b"\x02\x01")
#: Bytes of an Arrow decimal, float and double.
_DECIMAL, _FLOAT, _DOUBLE = 16, 4, 8

Encode = Callable[[Any], Iterator[Any]]


def encoder_of(kind: Any) -> Encode:
    """Return what yields the pieces of a column of this Arrow type; NULL is NULL in all of them."""
    types = optional("pyarrow.types")
    if types.is_boolean(kind):
        return _booleans
    if types.is_integer(kind):
        return lambda values: _numbers(values.cast("int64"))
    if types.is_floating(kind):
        return lambda values: _floats(values, _FLOAT if types.is_float32(kind) else _DOUBLE)
    if types.is_decimal(kind):
        return lambda values: _decimals(values, _decimal_bytes(kind.precision))
    if types.is_date32(kind):
        return lambda values: _numbers(values.view("int32").cast("int64"))
    if types.is_timestamp(kind):
        return lambda values: _numbers(values.view("int64"))
    return _texts


def _decimal_bytes(precision: int) -> int:
    """Return the bytes of the greatest number of so many digits, with its sign."""
    return int(10**precision).bit_length() // 8 + 1


def rows_of(columns: Sequence[Any], encoders: Sequence[Encode]) -> memoryview:
    """Return the rows of these columns, one behind the other."""
    arrow = optional("pyarrow")
    pieces = []
    for values, encode in zip(columns, encoders, strict=True):
        first, *rest = encode(values)
        pieces += [first.fill_null(arrow.scalar(_NULL, first.type)) if first.null_count else first, *rest]
    separator = arrow.scalar(b"", arrow.binary())
    join = optional("pyarrow.compute").binary_join_element_wise
    _, ends, data = join(*pieces, separator, null_handling="replace", null_replacement=b"").buffers()
    return memoryview(data)[: memoryview(ends).cast("i")[len(columns[0])]]


def number(value: int) -> bytes:
    """Return a whole number as Avro writes it."""
    return _sevens(value << 1 if value >= 0 else (-value << 1) - 1)


def _sevens(value: int) -> bytes:
    written = bytearray()
    while value > 127:
        written.append(value & 127 | 128)
        value >>= 7
    return bytes([*written, value])


@cache
def _table(begin: bytes) -> Any:
    """Return the pieces of all numbers of 14 bits, first as the last of a number, then as those that go on."""
    arrow = optional("pyarrow")
    last = [begin + _sevens(value) for value in range(1 << _BITS)]
    more = [begin + bytes([value & 127 | 128, value >> 7 | 128]) for value in range(1 << _BITS)]
    return arrow.array(last + more, arrow.binary())


def _numbers(values: Any) -> Iterator[Any]:
    arrow, compute = optional("pyarrow"), optional("pyarrow.compute")
    double = compute.shift_left(values, arrow.scalar(1, "int64"))
    zigzag = compute.if_else(compute.less(values, 0), compute.bit_wise_not(double), double)
    return _written(zigzag.view("uint64"))


def _written(values: Any) -> Iterator[Any]:
    """Yield the pieces of numbers without a sign, 14 bits at a time; numbers that have ended are NULL."""
    arrow, compute = optional("pyarrow"), optional("pyarrow.compute")
    zero, bits, mask = (arrow.scalar(value, "uint64") for value in (0, _BITS, (1 << _BITS) - 1))
    table = _table(_VALUE)
    while True:
        low, rest = compute.bit_wise_and(values, mask), compute.shift_right(values, bits)
        if not compute.max(rest).as_py():
            yield table.take(low)
            return
        more = compute.greater(rest, zero)
        yield table.take(compute.add(low, compute.shift_left(more.cast("uint64"), bits)))
        values, table = compute.if_else(more, rest, arrow.scalar(None, "uint64")), _table(b"")


def _texts(values: Any) -> Iterator[Any]:
    arrow, compute = optional("pyarrow"), optional("pyarrow.compute")
    yield from _written(compute.shift_left(compute.binary_length(values).cast("uint64"), arrow.scalar(1, "uint64")))
    yield values.cast(arrow.binary())


def _booleans(values: Any) -> Iterator[Any]:
    arrow = optional("pyarrow")
    yield arrow.array(_BOOLEANS, arrow.binary()).take(values.cast("int8"))


def _floats(values: Any, size: int) -> Iterator[Any]:
    """IEEE 754, the least byte first, as Arrow has them."""
    yield _constant(_VALUE, values)
    yield values.view(optional("pyarrow").binary(size)).cast("binary")


def _decimals(values: Any, size: int) -> Iterator[Any]:
    """The whole number without its point in two's complement, the greatest byte first: Arrow's bytes turned round."""
    compute = optional("pyarrow.compute")
    turned = compute.binary_reverse(values.view(optional("pyarrow").binary(_DECIMAL)).cast("binary"))
    yield _constant(_VALUE + number(size), values)
    yield compute.binary_slice(turned, _DECIMAL - size, _DECIMAL)


def _constant(piece: bytes, like: Any) -> Any:
    """Return the same piece for every value that is not NULL."""
    arrow, compute = optional("pyarrow"), optional("pyarrow.compute")
    return compute.if_else(like.is_valid(), arrow.scalar(piece, arrow.binary()), arrow.scalar(None, arrow.binary()))
