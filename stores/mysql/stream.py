"""PyMySQL with LOAD DATA LOCAL from a stream. PyMySQL alone opens whatever file the server asks for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from pymysql.connections import Connection, MySQLResult
from pymysql.constants import CLIENT

_PACKET = 256 * 1024  # bytes; well below the 1 MiB that max_allowed_packet is at the least in use


class StreamConnection(Connection):
    """A connection whose loads read ``stream``, once each."""

    def __init__(self, **options: Any) -> None:
        self.stream: Iterable[bytes] | None = None
        super().__init__(client_flag=CLIENT.LOCAL_FILES, autocommit=True, **options)

    def _read_query_result(self, unbuffered: bool = False) -> Any:  # noqa: ARG002 - PyMySQL's signature
        self._result = None
        result: Any = _StreamResult(self)
        result.read()
        self._result = result
        if result.server_status is not None:
            self.server_status = result.server_status
        return result.affected_rows


class _StreamResult(MySQLResult):
    connection: Any
    _read_ok_packet: Any

    def _read_load_local_packet(self, first_packet: Any) -> None:  # noqa: ARG002 - its file name is not followed
        link = self.connection
        pieces, link.stream = link.stream or (), None
        try:
            for piece in pieces:
                for start in range(0, len(piece), _PACKET):
                    link.write_packet(piece[start : start + _PACKET])
        except BaseException:
            link._force_close()  # the server takes the end of the connection for what it is, and undoes
            raise
        link.write_packet(b"")
        self._read_ok_packet(link._read_packet())
