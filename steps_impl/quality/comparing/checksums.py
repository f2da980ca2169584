"""Which checksum of a row both sides can compute, and can compute fast.

A digest is the strong one. A CRC has 32 bits and is weighed by the row's key: CRC32C, which the processor computes, or
CRC32, whose collisions are in every textbook, and which Postgres computes byte by byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from core.errors import ParameterError
from steps_impl.quality.engines import End

Digest = Literal["md5", "sha256"]
Crc = Literal["crc32", "crc32c"]
#: Auto: CRC32C where both sides have it, else strong. Strong: 60 bits of a digest. Fast: a CRC, or a refusal.
Checksum = Literal["auto", "strong", "fast"]

#: The first MariaDB with CRC32C ("CRC32C", MariaDB Server documentation); MySQL has none.
_CRC32C_IN_MARIADB = (10, 8)
#: Those of Postgres itself: somebody may have made a function of that name before 18.
_CRCS_OF_POSTGRES = (
    "SELECT proname FROM pg_proc WHERE proname LIKE 'crc32%' AND pronamespace = 'pg_catalog'::regnamespace"
)


@dataclass(frozen=True)
class Summing:
    """How rows become numbers, alike on both sides."""

    #: The digest of keys, and of rows where there is no CRC.
    digest: Digest
    crc: Crc | None
    #: Whether the key is one column of whole numbers.
    number_key: bool

    @property
    def name(self) -> str:
        """What a row's number is made of, for the report."""
        return self.crc or f"{self.digest}, 60 bits"


def digest_of(source: End, target: End) -> Digest:
    """Return what both can compute fast: MySQL takes long for MD5, the warehouse and Postgres for SHA-256."""
    engines = {source.engine, target.engine}
    return "sha256" if "mysql" in engines and "redshift" not in engines else "md5"


def crc_of(checksum: Checksum, source: End, target: End) -> Crc | None:
    """Return the CRC to take; ``None``: the digest.

    Raises:
        ParameterError: it is to be fast, and there is none that both sides have.
    """
    if checksum == "strong":
        return None
    sides = [(end, _crcs(end)) for end in (source, target)]
    if all("crc32c" in crcs for _, crcs in sides):
        return "crc32c"
    if checksum == "auto":
        return None
    if without := next((end for end, crcs in sides if not crcs), None):
        raise ParameterError(
            f"--checksum fast: {without.engine} has no CRC32 (MySQL has it, and Postgres from 18 on); leave it out"
        )
    return "crc32"


def _crcs(end: End) -> set[Crc]:
    """Return the CRCs that an engine has."""
    if end.engine == "postgres":
        found = {name for (name,) in end.rows(_CRCS_OF_POSTGRES)}
        return {name for name in ("crc32", "crc32c") if name in found}
    if end.engine == "mysql":
        return {"crc32", "crc32c"} if _mariadb(end) >= _CRC32C_IN_MARIADB else {"crc32"}
    return set()


def _mariadb(end: End) -> tuple[int, ...]:
    """Return MariaDB's version, of which ``VERSION()`` says ``10.11.6-MariaDB-log``; nothing for MySQL."""
    [(version,)] = end.rows("SELECT VERSION()")
    number, _, rest = str(version).partition("-")
    return tuple(map(int, number.split("."))) if "mariadb" in rest.lower() else ()
