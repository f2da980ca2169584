"""The bench of the worker's tests."""

from __future__ import annotations

from tests.faults.agent.conftest import (  # noqa: F401  # fixtures
    await_condition,
    bench,
    manual_service,
    sleeper,
)
