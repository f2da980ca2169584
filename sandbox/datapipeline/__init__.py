"""The Data Pipeline service of the sandbox."""

from __future__ import annotations
