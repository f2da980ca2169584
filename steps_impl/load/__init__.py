"""Files into tables."""

from __future__ import annotations
