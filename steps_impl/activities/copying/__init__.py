"""CopyActivity's inside: where rows come from, how they are written down, where they go."""

from __future__ import annotations
