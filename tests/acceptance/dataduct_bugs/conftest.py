"""Faults of Dataduct that are not to be copied, each shown absent on real engines; one file for each theme."""

from __future__ import annotations

from tests.acceptance.compat.conftest import compiled  # noqa: F401  # fixture
from tests.integration.warehouse.conftest import warehouse, warehouse_database  # noqa: F401  # fixtures
