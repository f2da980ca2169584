"""Faults of Dataduct that are not to be copied, each shown absent on real engines; one file for each theme."""

from __future__ import annotations

from tests.acceptance.compat.conftest import compiled  # noqa: F401  # fixture
from tests.acceptance.compute.conftest import place  # noqa: F401  # fixtures
from tests.integration.agent.conftest import bench, manual_service  # noqa: F401  # fixtures
from tests.integration.control.conftest import pipelines, topic  # noqa: F401  # fixtures
from tests.integration.extract.conftest import source, source_database  # noqa: F401  # fixtures
from tests.integration.warehouse.conftest import warehouse, warehouse_database  # noqa: F401  # fixtures
