"""Sessions of the activity's warehouse, opened as its database object says."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from core.errors import UnsupportedDatabase
from core.sections.activities import RedshiftCopyActivitySettings
from core.sections.databases import RedshiftSettings
from steps_impl.activities.objects.nodes import RedshiftDataNode
from steps_impl.activities.servers import Server, resolve
from steps_impl.activities.servers.session import open_postgres
from steps_impl.contract import StepContext
from stores.identity import Identity
from stores.redshift import Session, connect, retry_conflicts

T = TypeVar("T")


@dataclass(frozen=True)
class Warehouse:
    """A cluster and what every statement on it needs to know."""

    server: Server | RedshiftSettings
    #: The region that the database object states.
    region: str | None
    queue: str | None
    role: str | None
    settings: RedshiftCopyActivitySettings
    context: StepContext
    identity: Identity

    @property
    def cancelled(self) -> threading.Event:
        """Set when the step is to stop."""
        return self.context.cancelled

    def open(self) -> Session:
        """Open one more session."""
        if isinstance(self.server, RedshiftSettings):  # entered as the configuration says
            return connect(self.server, cancelled=self.cancelled, query_group=self.queue)
        return open_postgres(self.server, self.cancelled, self.queue)

    def run(self, work: Callable[[Session], T]) -> T:
        """Run ``work`` on a session of its own; on a serialization failure once more, on a new one."""

        def once() -> T:
            with self.open() as session:
                return work(session)

        return retry_conflicts(once, self.cancelled)

    def is_of(self, node: RedshiftDataNode) -> bool:
        """Tell whether a node's table is in this database."""
        other = resolve(node.database)
        here = self.server
        database = here.database_name if isinstance(here, RedshiftSettings) else here.database
        return (other.host, other.port, other.database) == (here.host, here.port, database)


def server_of(node: RedshiftDataNode) -> Server:
    """Return where a node's table is.

    Raises:
        UnsupportedDatabase: it is in a database that speaks another protocol.
    """
    server = resolve(node.database)
    if server.engine == "mysql":
        raise UnsupportedDatabase(f"{node.label}: {server.title} is no Redshift; a RedshiftDataNode needs one")
    return server
