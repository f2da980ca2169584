"""How each activity type becomes a plan: one module per type, listed in ``agent.plans.registry``."""

from __future__ import annotations
