"""The databases that a check may look at, each in one consistent view: MySQL, Postgres, Redshift."""

from __future__ import annotations

from steps_impl.quality.engines.end import Column, End, Engine, open_end

__all__ = ["Column", "End", "Engine", "open_end"]
