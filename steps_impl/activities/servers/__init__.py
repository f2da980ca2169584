"""From a database object of a definition to the server behind it, and a connection to that."""

from __future__ import annotations

from steps_impl.activities.servers.resolve import resolve
from steps_impl.activities.servers.server import Server

__all__ = ["Server", "resolve"]
