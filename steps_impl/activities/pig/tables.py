r"""A table of a database as a relation of Pig: a file of its rows before Pig runs, or of Pig's rows after it.

Between the two stands text: values between U+0001, a line feed at the end of a row, nothing for NULL. Pig reads such
fields without a type, so that a script may calculate with them; an empty text is NULL for Pig.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from core.errors import UnsupportedValue
from core.settings import load_settings
from steps_impl.activities.cluster import Cluster
from steps_impl.activities.copying.ends import Ends
from steps_impl.activities.copying.lines import Chunk, Place, from_rows, to_rows
from steps_impl.activities.copying.rows import Rows
from steps_impl.activities.objects.nodes import AnySqlNode
from steps_impl.activities.pig.quoting import column_name, literal
from steps_impl.activities.servers.resolve import resolve_node

_SEPARATOR, _END = b"\x01", b"\n"
#: Rows that go into the database in one chunk.
_ROWS = 5000


class TableOfDatabase:
    """One data node of a database, known as ``relation`` to the script."""

    def __init__(self, cluster: Cluster, node: AnySqlNode, relation: str) -> None:
        settings = load_settings()
        self._cluster = cluster
        self._node = node
        self._relation = relation
        self._ends = Ends(cluster.label, settings.copy_activity, settings.etl.connection_retries, cluster.context)
        self._place = cluster.shared_place(relation)

    def load(self) -> str:
        """Bring the rows to where Pig reads them; return the statement that loads them."""
        local = self._cluster.new_file("rows")
        with self._ends.rows(self._node, None) as rows, local.open("wb") as file:
            for chunk in rows.chunks:
                file.write(self._for_pig(rows, chunk))
            names = [column_name(name, self._node.label) for name in rows.names or ()]
        self._hadoop("-put", "-f", str(local), self._place)
        schema = f" AS ({', '.join(names)})" if names else ""
        return (
            f"{self._relation} = LOAD {literal(self._place)} USING PigStorage({literal(_SEPARATOR.decode())}){schema};"
        )

    def store(self) -> str:
        """Return the statement that writes the rows to where ``insert`` finds them."""
        self._clear()
        return f"STORE {self._relation} INTO {literal(self._place)} USING PigStorage({literal(_SEPARATOR.decode())});"

    def insert(self) -> int:
        """Insert the rows that Pig has written, as one transaction; return how many."""
        folder = self._cluster.new_file("rows")
        self._hadoop("-get", self._place, str(folder))
        self._clear()
        server = resolve_node(self._node)
        result = self._ends.into_database(Rows(self._chunks(folder)), self._node, server)
        return result.rows or 0

    def _clear(self) -> None:
        """Remove what stands at the place; on this machine's disk that goes with the activity's folder."""
        if self._cluster.distributed:
            self._hadoop("-rm", "-r", "-f", self._place)

    def _for_pig(self, rows: Rows, chunk: Chunk) -> bytes:
        if b"\\" not in chunk.text and _SEPARATOR not in chunk.text:
            return chunk.text.replace(b"\t", _SEPARATOR)
        lines = []
        for index, row in enumerate(to_rows(chunk.text)):
            for place, value in enumerate(row):
                if value is not None and (_SEPARATOR in value or _END in value):
                    raise UnsupportedValue(
                        f"{chunk.place_of(index)}, {rows.column_name(place)}: a line feed or U+0001, which a text for "
                        "Pig cannot hold"
                    )
            lines.append(_SEPARATOR.join(value or b"" for value in row) + _END)
        return b"".join(lines)

    def _chunks(self, folder: Path) -> Iterator[Chunk]:
        for path in sorted(folder.glob("part-*")):
            place = Place(f"{self._node.label} of Pig, {path.name}", unit="line")
            with path.open("rb") as file:
                while lines := [line for line, _ in zip(file, range(_ROWS), strict=False)]:
                    rows = [[value or None for value in line.rstrip(_END).split(_SEPARATOR)] for line in lines]
                    chunk = Chunk(from_rows(rows), place)
                    place = Place(place.name, place.number + len(rows), "line")
                    yield chunk

    def _hadoop(self, *words: str) -> None:
        program = self._cluster.program("hadoop")
        self._cluster.run([program, "fs", *words], f"hadoop fs {words[0]} for {self._node.label}")
