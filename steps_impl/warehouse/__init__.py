"""Tables into tables, inside the warehouse."""

from __future__ import annotations
