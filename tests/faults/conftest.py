"""The servers that all cases of the matrix share."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.parts.moto import MotoPart
from sandbox.parts.postgres import PostgresPart
from sandbox.parts.redshift import RedshiftPart

pytest.register_assert_rewrite("tests.faults.matrix.case", "tests.faults.matrix.lane")

from tests.faults.matrix.lane import World  # noqa: E402  # only now its asserts say what they saw


@pytest.fixture(scope="session")
def world(
    aws_server: MotoPart, postgres_server: PostgresPart, redshift_front: RedshiftPart, tmp_path_factory: Any
) -> World:
    """S3, Postgres and the Redshift front, and a bucket in it."""
    return World.build(aws_server, postgres_server, redshift_front, tmp_path_factory.mktemp("faults"))
