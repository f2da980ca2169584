"""Table definitions: Redshift DDL in, columns, keys and statements out."""

from __future__ import annotations
