"""Pipeline definitions at the desk: read, validate, run in the sandbox, look at, activate, cancel."""

from __future__ import annotations
