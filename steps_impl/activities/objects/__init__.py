"""Pipeline objects as models: data nodes, databases, data formats, in AWS's spelling of their fields."""

from __future__ import annotations
