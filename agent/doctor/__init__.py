"""``ductrunner doctor``: what is wrong with this machine, account or configuration, and what to do about it."""

from __future__ import annotations
