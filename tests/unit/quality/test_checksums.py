from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

import pytest

from core.errors import ParameterError
from steps_impl.quality.comparing.checksums import Checksum, crc_of
from steps_impl.quality.engines import End


@dataclass
class Server:
    """What an engine says of itself; ``functions`` are those that somebody has made in it."""

    engine: str
    answer: tuple[str, ...]
    functions: tuple[str, ...] = ()

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        return [(word,) for word in (*self.answer, *(() if "pg_catalog" in sql else self.functions))]


MYSQL, AURORA = Server("mysql", ("8.4.3",)), Server("mysql", ("8.0.mysql_aurora.3.08.0",))
OLD_MARIADB, MARIADB = Server("mysql", ("10.6.20-MariaDB-log",)), Server("mysql", ("10.11.6-MariaDB",))
OLD_POSTGRES, POSTGRES = Server("postgres", (), ("crc32c",)), Server("postgres", ("crc32", "crc32c"))
REDSHIFT = Server("redshift", ())


@pytest.mark.parametrize(
    ("source", "target", "auto", "fast"),
    [
        (MARIADB, POSTGRES, "crc32c", "crc32c"),
        (POSTGRES, POSTGRES, "crc32c", "crc32c"),
        (MYSQL, POSTGRES, None, "crc32"),
        (AURORA, MARIADB, None, "crc32"),
        (OLD_MARIADB, POSTGRES, None, "crc32"),
        (MARIADB, OLD_POSTGRES, None, "refused"),
        (MARIADB, REDSHIFT, None, "refused"),
    ],
)
def test_the_checksum_is_the_best_that_both_engines_have(
    source: Server, target: Server, auto: str | None, fast: str
) -> None:
    def taken(checksum: Checksum) -> str | None:
        try:
            return crc_of(checksum, cast(End, source), cast(End, target))
        except ParameterError:
            return "refused"

    assert (taken("auto"), taken("fast"), taken("strong")) == (auto, fast, None)
