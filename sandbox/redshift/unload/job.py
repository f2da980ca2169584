"""One UNLOAD: the rows of a query, as the client's own transaction sees them, into files in S3."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from core.errors import ParameterError
from sandbox.redshift.aws import asking, authorised_client
from sandbox.redshift.clock import now
from sandbox.redshift.errors import SqlError
from sandbox.redshift.protocol import Closed
from sandbox.redshift.unload.command import UnloadCommand
from sandbox.redshift.unload.files import SliceWriter, Written
from sandbox.redshift.unload.form import Form
from sandbox.redshift.unload.manifest import manifest
from sandbox.redshift.unload.parquet import ParquetForm, ParquetSlice
from sandbox.redshift.unload.partitions import partitions
from sandbox.redshift.upstream import Described, Reply
from stores.s3.location import S3Location, parse_uri

if TYPE_CHECKING:
    from sandbox.redshift.session import Session

_SLICES: Final = 2  # of the cluster that this is: as many files at least, without PARALLEL OFF
_DELETE_BATCH: Final = 1000
_LOG: Final = [
    "userid",
    "query",
    "slice",
    "pid",
    "path",
    "start_time",
    "end_time",
    "line_count",
    "transfer_size",
    "file_format",
]


_Form = Form | ParquetForm


class UnloadJob:
    """Unloads for one session; a transaction is open."""

    def __init__(self, session: Session, unload: UnloadCommand, query: str) -> None:
        self._session = session
        self._upstream = session.upstream
        self._unload = unload
        self._query = query
        self._client = authorised_client("s3", unload.authorization, unload.region)

    def run(self) -> int:
        """Unload; return the number of rows.

        Raises:
            SqlError: S3 refused, or the target is not empty.
            UpstreamError: the query failed.
        """
        started, target = now(), self._target()
        columns = self._upstream.describe(self._query)
        if self._unload.partition_by:
            rows, files = self._partitioned(target, columns)
        else:
            self._make_room(target)
            rows, files = self._write(target, self._query, columns)
        if self._unload.manifest:
            self._put(S3Location(target.bucket, target.key + "manifest"), self._manifest(files, columns))
        self._remember(rows, files, started)
        return rows

    def _target(self) -> S3Location:
        try:
            return parse_uri(self._unload.target)
        except ParameterError as error:
            raise SqlError(f"Invalid S3 path: {error}", "22023") from error

    def _make_room(self, target: S3Location) -> None:
        """Look whether there is something under the prefix already, and delete it if the command says so.

        Raises:
            SqlError: there is, and it may not be overwritten.
        """
        if self._unload.allow_overwrite:
            return
        keys = asking(lambda: self._keys(target), f"Listing bucket={target.bucket} prefix={target.key}")
        if keys and not self._unload.clean_path:
            raise SqlError(
                "Specified unload destination on S3 is not empty. Consider using a different bucket / prefix, manually "
                "removing the target files in S3, or using the ALLOWOVERWRITE option."
            )
        for start in range(0, len(keys), _DELETE_BATCH):
            self._delete(target, keys[start : start + _DELETE_BATCH])

    def _delete(self, target: S3Location, keys: Sequence[str]) -> None:
        batch = {"Objects": [{"Key": key} for key in keys]}
        asking(lambda: self._client.delete_objects(Bucket=target.bucket, Delete=batch), f"Cleaning {target}")

    def _keys(self, target: S3Location) -> list[str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=target.bucket, Prefix=target.key)
        return [item["Key"] for page in pages for item in page.get("Contents", [])]

    def _partitioned(self, target: S3Location, columns: Sequence[Described]) -> tuple[int, list[Written]]:
        """Write each folder; CLEANPATH cleans only those that get new files."""
        unload, rows, files = self._unload, 0, []
        if not unload.clean_path:
            self._make_room(target)
        with partitions(self._upstream, unload, self._query, columns) as folders:
            for name, query in folders:
                folder = S3Location(target.bucket, target.key.removesuffix("/") + "/" + name)
                if unload.clean_path:
                    self._make_room(folder)
                count, written = self._write(folder, query, self._upstream.describe(query), slices=1)
                rows += count
                files += written
        return rows, files

    def _slices(self, target: S3Location, columns: Sequence[Described], count: int) -> tuple[_Form, list[SliceWriter]]:
        if self._unload.parquet:
            arrow = ParquetForm(columns)
            return arrow, [ParquetSlice(self._client, self._unload, target, n, arrow) for n in range(count)]
        form = Form(self._unload, columns)
        return form, [SliceWriter(self._client, self._unload, target, n, form.header) for n in range(count)]

    def _write(
        self, target: S3Location, query: str, columns: Sequence[Described], slices: int = _SLICES
    ) -> tuple[int, list[Written]]:
        """Write the rows of a query, a block to each slice in turn."""
        count, total = (slices if self._unload.parallel else 1), 0
        form, writers = self._slices(target, columns, count)
        blocks = self._upstream.copy_out(form.copy_statement(query))
        try:
            for number, (block, rows) in enumerate(blocks):
                self._session.client.check_open()
                writers[number % count].write(form.convert(block), rows)
                total += rows
            for writer in writers:
                writer.close()
        except BaseException as error:
            if not isinstance(error, Closed):
                for _ in blocks:
                    continue  # Postgres sends what it has; only then it listens again
            for writer in writers:
                writer.abandon()
            raise
        return total, [file for writer in writers for file in writer.files]

    def _manifest(self, files: Sequence[Written], columns: Sequence[Described]) -> bytes:
        types = None
        if self._unload.verbose:
            types = self._types(columns)
        return json.dumps(manifest(files, types), indent=2, ensure_ascii=False).encode()

    def _types(self, columns: Sequence[Described]) -> list[tuple[str, str]]:
        names = ", ".join(f"format_type({column.type}, {column.modifier})" for column in columns)
        reply: Reply = self._upstream.run(f"SELECT {names}")
        return [(column.name, str(kind)) for column, kind in zip(columns, reply.rows[0], strict=True)]

    def _put(self, location: S3Location, body: bytes) -> None:
        arguments: dict[str, Any] = {"Bucket": location.bucket, "Key": location.key, "Body": body}
        asking(lambda: self._client.put_object(**self._unload.encryption, **arguments), f"Writing {location}")

    def _remember(self, rows: int, files: Sequence[Written], started: Any) -> None:
        """Keep what ``pg_last_unload_count()``, ``pg_last_unload_id()`` and ``stl_unload_log`` say."""
        catalog, database = self._session.catalog, self._session.database
        query = catalog.next_query_id(database)
        self._session.running.number(query)
        answer = self._upstream.run(
            f"SELECT set_config('redshift.last_unload_count', '{rows}', false),"
            f" set_config('redshift.last_unload_id', '{query}', false), pg_backend_pid(),"
            " (SELECT oid FROM pg_roles WHERE rolname = current_user)"
        )
        pid, user, ended = answer.rows[0][2], answer.rows[0][3], now()
        kind = self._unload.kind
        head = [(user, query, file.slice, pid, str(file.location), started, ended) for file in files]
        lines = [(*start, file.rows, file.size, kind) for start, file in zip(head, files, strict=True)]
        catalog.keep(database, "stl_unload_log", _LOG, lines)
