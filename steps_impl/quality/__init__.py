"""Whether the data is right."""

from __future__ import annotations
