"""Where tasks come from: one module per service, behind ``agent.source.TaskSource``."""

from __future__ import annotations
