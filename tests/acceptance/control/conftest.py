from __future__ import annotations

from tests.acceptance.compute.conftest import place  # noqa: F401  # fixtures
from tests.integration.control.conftest import pipelines, topic  # noqa: F401  # fixtures
