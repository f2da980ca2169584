"""Libraries that only some formats need, for whoever has them."""

from __future__ import annotations

from typing import Any

from core.errors import MissingExtra
from core.extras import optional
from sandbox.redshift.errors import UNSUPPORTED, SqlError


def library(module: str) -> Any:
    """Import a module such as ``pyarrow.parquet``.

    Raises:
        SqlError: it is not installed where the front runs.
    """
    try:
        return optional(module)
    except MissingExtra as error:
        raise SqlError(f"The sandbox cannot do this: {error}", UNSUPPORTED) from error
