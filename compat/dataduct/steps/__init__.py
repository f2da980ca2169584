"""Steps of Dataduct."""

from __future__ import annotations
