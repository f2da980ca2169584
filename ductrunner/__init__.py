"""The front door: the command ``ductrunner`` and its subcommands."""

from __future__ import annotations

__version__ = "0.1.0"
