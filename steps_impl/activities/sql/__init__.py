"""SqlActivity's script: its statements, their arguments, their transaction."""

from __future__ import annotations
