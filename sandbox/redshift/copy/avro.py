"""COPY from Avro: records find their columns by name or by a JSONPaths file, as JSON does.

Source: Developer Guide, "COPY from Avro format". A date, a moment or a decimal (logical types, of which AWS says
nothing) is read as what it is. Bytes are text for CHAR and VARCHAR, and what they are for VARBYTE.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from functools import partial
from typing import Any, Final

from sandbox.redshift.copy.named import NamedLoad, Number
from sandbox.redshift.errors import SqlError, unknown
from sandbox.redshift.libraries import library

_BATCH: Final = 256  # lines


class AvroLoad(NamedLoad):
    """One attempt at one file of Avro; its records count as lines."""

    def _lines(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        batch: list[bytes] = []
        for number, record in enumerate(self._records(blocks), start=1):
            self._line = number
            batch.append(self._line_for(b"", partial(self._values, record)))
            if len(batch) == _BATCH:
                yield b"".join(batch)
                batch = []
        yield b"".join(batch)

    def _records(self, blocks: Iterator[bytes]) -> Iterator[Any]:
        fastavro = library("fastavro")
        try:
            for record in fastavro.reader(_Stream(blocks)):
                yield self._simple(record)
        except (ValueError, EOFError, StopIteration, KeyError, TypeError, IndexError) as error:
            if "codec" in str(error):
                raise unknown(f"the codec of {self._file}") from error
            raise SqlError(f"Error while reading {self._file}: it is not a whole Avro file") from error

    def _simple(self, value: Any) -> Any:
        """Return a value as JSON would have brought it; moments and bytes stay what they are."""
        if isinstance(value, dict):
            return {name: self._simple(item) for name, item in value.items()}
        if isinstance(value, list):
            return [self._simple(item) for item in value]
        if isinstance(value, dt.datetime):
            return self._moment(value)
        if value is None or isinstance(value, (bool, str, bytes)):
            return value
        if isinstance(value, (dt.date, dt.time)):
            return value.isoformat()
        if isinstance(value, Decimal):
            return Number(format(value, "f"))
        if isinstance(value, float):
            return Number(repr(value))
        return Number(value) if isinstance(value, int) else str(value)  # such as a UUID

    def _moment(self, value: dt.datetime) -> Any:
        """TIMEFORMAT 'epochsecs' and 'epochmillisecs' speak of the number that a moment is in the file."""
        if not self._copy.time_format.startswith("epoch"):
            return value
        aware = value if value.tzinfo else value.replace(tzinfo=dt.UTC)
        milliseconds = (aware - dt.datetime.fromtimestamp(0, dt.UTC)) // dt.timedelta(milliseconds=1)
        return Number(milliseconds // (1 if self._copy.time_format == "epochmillisecs" else 1000))


class _Stream:
    """Blocks as the file that fastavro reads."""

    def __init__(self, blocks: Iterator[bytes]) -> None:
        self._blocks = blocks
        self._rest = memoryview(b"")

    def read(self, size: int) -> bytes:
        """Return ``size`` bytes; fewer at the end."""
        pieces: list[bytes] = []
        while size > 0:  # a negative one stands in what is no Avro
            if not self._rest:
                block = next(self._blocks, None)
                if block is None:
                    break
                self._rest = memoryview(block)
            pieces.append(bytes(self._rest[:size]))
            self._rest = self._rest[size:]
            size -= len(pieces[-1])
        return b"".join(pieces)
