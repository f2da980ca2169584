"""The bench and the sleepers of the worker's fault tests."""

from __future__ import annotations

from tests.faults.agent.conftest import sleeper  # noqa: F401  # fixture
from tests.integration.agent.conftest import (  # noqa: F401  # fixtures
    attempt_only_bench,
    await_condition,
    bench,
    manual_service,
)
