"""Redshift's column types in one canonical form.

A definition says ``VARCHAR``, ``TEXT`` or ``NVARCHAR(256)``, the catalog says ``character varying(256)``: both
become the same ``ColumnType``. Names, defaults and limits: Amazon Redshift Database Developer Guide, "Data types".
"""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import DefinitionError


@dataclass(frozen=True)
class ColumnType:
    """A type: its canonical name, as the catalog writes it, and its arguments (bytes; or precision and scale)."""

    name: str
    arguments: tuple[int, ...] = ()

    def __str__(self) -> str:
        if not self.arguments:
            return self.name
        return f"{self.name}({','.join(map(str, self.arguments))})"

    @property
    def orderable(self) -> bool:
        """Whether rows can be put in order by it."""
        return self.name not in _WITHOUT_ORDER


@dataclass(frozen=True)
class _Family:
    """What Redshift allows behind the name of a type."""

    canonical: str
    #: The arguments that are meant when none are written.
    defaults: tuple[int, ...] = ()
    #: The greatest value of each argument; empty: the type takes none.
    limits: tuple[int, ...] = ()


_WITHOUT_ORDER = frozenset({"super", "geometry", "geography", "hllsketch"})

_VARCHAR = _Family("character varying", (256,), (65535,))
_CHAR = _Family("character", (1,), (4096,))
_NUMERIC = _Family("numeric", (18, 0), (38, 37))
_VARBYTE = _Family("varbyte", (64000,), (16777216,))
_SMALLINT, _INTEGER, _BIGINT = _Family("smallint"), _Family("integer"), _Family("bigint")
_REAL, _DOUBLE, _BOOLEAN = _Family("real"), _Family("double precision"), _Family("boolean")
_TIMESTAMP, _TIMESTAMPTZ = _Family("timestamp without time zone"), _Family("timestamp with time zone")
_TIME, _TIMETZ = _Family("time without time zone"), _Family("time with time zone")

#: Every spelling, of definitions and of the catalog, in small letters with single spaces.
_FAMILIES: dict[str, _Family] = {
    "smallint": _SMALLINT,
    "int2": _SMALLINT,
    "integer": _INTEGER,
    "int": _INTEGER,
    "int4": _INTEGER,
    "bigint": _BIGINT,
    "int8": _BIGINT,
    "decimal": _NUMERIC,
    "numeric": _NUMERIC,
    "real": _REAL,
    "float4": _REAL,
    "double precision": _DOUBLE,
    "double": _DOUBLE,
    "float": _DOUBLE,
    "float8": _DOUBLE,
    "boolean": _BOOLEAN,
    "bool": _BOOLEAN,
    "char": _CHAR,
    "character": _CHAR,
    "nchar": _CHAR,
    "bpchar": _Family("character", (256,), (4096,)),
    "varchar": _VARCHAR,
    "character varying": _VARCHAR,
    "char varying": _VARCHAR,
    "nvarchar": _VARCHAR,
    "text": _VARCHAR,
    "date": _Family("date"),
    "timestamp": _TIMESTAMP,
    "datetime": _TIMESTAMP,
    "timestamp without time zone": _TIMESTAMP,
    "timestamptz": _TIMESTAMPTZ,
    "timestamp with time zone": _TIMESTAMPTZ,
    "time": _TIME,
    "time without time zone": _TIME,
    "timetz": _TIMETZ,
    "time with time zone": _TIMETZ,
    "super": _Family("super"),
    "varbyte": _VARBYTE,
    "varbinary": _VARBYTE,
    "binary varying": _VARBYTE,
    "geometry": _Family("geometry"),
    "geography": _Family("geography"),
    "hllsketch": _Family("hllsketch"),
    "interval year to month": _Family("interval year to month"),
    "interval day to second": _Family("interval day to second", (6,), (6,)),
}

#: Names of more than one word, the longest first: the parser takes as many words as one of them has.
LONG_NAMES = tuple(sorted((tuple(name.upper().split()) for name in _FAMILIES if " " in name), key=len, reverse=True))


def is_type(name: str) -> bool:
    """Tell whether Redshift has a type of this name."""
    return name.lower() in _FAMILIES


def column_type(name: str, arguments: tuple[int, ...] = ()) -> ColumnType:
    """Return the canonical type for a name and its written arguments (``MAX`` is given as the limit).

    Raises:
        DefinitionError: no such type, or arguments that Redshift does not allow for it.
    """
    family = _FAMILIES.get(" ".join(name.lower().split()))
    if family is None:
        raise DefinitionError(f"{name!r} is not a type of Redshift")
    if name.lower() == "float" and len(arguments) == 1:
        return _float(arguments[0])
    if len(arguments) > len(family.limits):
        raise DefinitionError(f"{name} takes {len(family.limits) or 'no'} argument(s), not {len(arguments)}")
    if any(value > limit for value, limit in zip(arguments, family.limits, strict=False)):
        raise DefinitionError(f"{name}({','.join(map(str, arguments))}) is over the limit {family.limits}")
    filled = (*arguments, *family.defaults[len(arguments) :])
    _check_meaning(family, filled)
    return ColumnType(family.canonical, filled)


def _float(digits: int) -> ColumnType:
    """Return what FLOAT(p) means: p is the precision in binary digits, as in PostgreSQL."""
    if not 1 <= digits <= 53:
        raise DefinitionError(f"FLOAT({digits}): the precision is between 1 and 53")
    return ColumnType("real" if digits <= 24 else "double precision")


def greatest_length(name: str) -> int:
    """Return what ``MAX`` means as the length of a type, in bytes."""
    family = _FAMILIES[name.lower()]
    if family not in (_VARCHAR, _VARBYTE):
        raise DefinitionError(f"{name}(MAX) is not a type of Redshift")
    return family.limits[0]


def _check_meaning(family: _Family, filled: tuple[int, ...]) -> None:
    if family is _NUMERIC and not 0 <= filled[1] <= filled[0]:
        raise DefinitionError(f"numeric({filled[0]},{filled[1]}): the scale is greater than the precision")
    if family.limits and family.canonical != "interval day to second" and filled[0] < 1:
        raise DefinitionError(f"{family.canonical}({filled[0]}) has no room for a value")
