"""The benches of the worker's integration tests."""

from __future__ import annotations

from tests.integration.agent.conftest import (  # noqa: F401  # fixtures
    attempt_only_bench,
    await_condition,
    served,
    served_session,
)
