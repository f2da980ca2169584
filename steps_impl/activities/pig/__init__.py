"""PigActivity: relations for data nodes, Pig's parameters, where the data of a database stands in between."""

from __future__ import annotations
