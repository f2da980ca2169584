"""Redshift's definitions and words as Postgres takes them."""

from __future__ import annotations
