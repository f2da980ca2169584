"""Out of a source, into files."""

from __future__ import annotations
