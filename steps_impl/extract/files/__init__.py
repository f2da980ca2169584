"""Whole files as the output of an extract: named, counted on demand, copied as they are. What two steps share."""

from __future__ import annotations
