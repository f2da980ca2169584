"""The S3 store of this agent, made when somebody needs it: its import and its first look at the keys take a while."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from core.sections.worker import AgentSettings

if TYPE_CHECKING:
    from stores.s3 import S3Store


def store_maker(settings: AgentSettings, proxy: str | None = None) -> Callable[[], S3Store]:
    """Return what makes an S3 store at its first call; ``proxy`` in place of the environment's."""

    @cache
    def store() -> S3Store:
        from stores.s3 import S3Store

        return S3Store(region=settings.region, concurrency=settings.staging_concurrency, proxy=proxy)

    return store
