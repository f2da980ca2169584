"""Names that only Postgres can tell the meaning of: aliases used in their own query, paths into SUPER values."""

from __future__ import annotations
