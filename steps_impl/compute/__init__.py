"""What runs a program of the user's: scripts (``transform``, ``qa-transform``), jobs of a cluster, database shells."""

from __future__ import annotations
