"""Pipeline definitions at the desk: validate, draw, activate."""

from __future__ import annotations
