"""A Redshift front: speaks the Postgres wire protocol before a real Postgres 18."""

from __future__ import annotations
