r"""The bulk load of lines into one MySQL table: LOAD DATA LOCAL, or INSERTs of many rows where the server forbids it.

Lines are what ``FIELDS TERMINATED BY '\t' ESCAPED BY '\\'`` reads. Binary columns take hexadecimal digits
(``UNHEX``), BIT columns a number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from core.errors import LoadRejected, UnsupportedValue
from steps_impl.activities.copying.feed import Feed, binary_treatment
from steps_impl.activities.copying.insert_query import InsertQuery, parse_insert_query
from steps_impl.activities.copying.inserting import Inserter
from steps_impl.activities.copying.lines import Chunk
from steps_impl.activities.copying.rows import Rows
from stores.mysql.connection import quote_name
from stores.mysql.target import Target, literal

#: Bytes of one LOAD DATA statement: its warnings tell of rows while their lines are still here.
_WINDOW = 12 << 20
#: Texts that mean something else elsewhere, by the beginning of a column's type: what Postgres and Redshift write for a
#: boolean, and the year 0000 that was a number there (MySQL takes the text ``0`` for 2000).
_WORDS: dict[str, dict[bytes | None, bytes]] = {
    "tinyint(1)": {b"t": b"1", b"f": b"0"},
    "bit(1)": {b"t": b"1", b"f": b"0"},
    "year": {b"0": b"0000"},
}


@dataclass(frozen=True)
class Column:
    """A column as SHOW COLUMNS tells it: ``varbinary(9)``, ``bit(1)``; ``extra`` tells what is generated."""

    name: str
    type: str
    extra: str = ""

    @property
    def is_binary(self) -> bool:
        """Whether it takes bytes."""
        return self.type.startswith(("binary", "varbinary", "tinyblob", "blob", "mediumblob", "longblob"))

    @property
    def is_bit(self) -> bool:
        """Whether it takes a number of bits."""
        return self.type.startswith("bit")

    @property
    def words(self) -> dict[bytes | None, bytes]:
        """Texts that stand for something else here, and what for."""
        return next((words for kind, words in _WORDS.items() if self.type.startswith(kind)), {})

    @property
    def generated(self) -> bool:
        """Whether the server makes its values (MySQL 8 calls a default that is an expression DEFAULT_GENERATED)."""
        return "GENERATED" in self.extra.upper().replace("DEFAULT_GENERATED", "")

    @property
    def counts(self) -> bool:
        """Whether the server numbers the rows that bring no value."""
        return "AUTO_INCREMENT" in self.extra.upper()


@dataclass(frozen=True)
class Into:
    """Where a bulk load goes: table and columns as SQL, and the columns as the server describes them."""

    table: str
    columns: tuple[Column, ...]
    #: Whether a row takes the place of one with the same key (LOAD DATA alone does so).
    replaces: bool = False


def columns_of(target: Target, table: str) -> dict[str, Column]:
    """Return the columns by name in small letters; whoever may insert may ask. ``table`` is quoted."""
    shown = target.rows(f"SHOW COLUMNS FROM {table}")
    columns = [Column(str(row[0]), str(row[1]), str(row[5])) for row in shown]
    return {column.name.lower(): column for column in columns}


def keep_zeros(target: Target) -> None:
    """Take a zero of an AUTO_INCREMENT column for a value; MySQL would number the row anew."""
    target.execute("SET SESSION sql_mode = CONCAT(@@SESSION.sql_mode, ',NO_AUTO_VALUE_ON_ZERO')")


def may_load(target: Target) -> bool:
    """Tell whether the server takes LOAD DATA LOCAL."""
    return target.rows("SELECT @@GLOBAL.local_infile")[0][0] == "1"


def load_all(target: Target, into: Into, feed: Feed, rows: Rows) -> None:
    """Load all that is left of a feed, in the transaction that is open (if any).

    Raises:
        Rejected: the server did not take a row as it is.
        LoadRejected: it took another number of rows than were sent.
        UnsupportedValue, StoreError: a value, or the server.
    """
    feed.treat = treatment(rows, into)
    if not may_load(target):
        words = {place: column.words for place, column in enumerate(into.columns) if column.words}
        Inserter(BulkEngine(target), insert_of(into), binary_places(into.columns), words).insert(feed)
        return
    statement = _load_statement(into)
    before, loaded = feed.count, 0
    for window in feed.windows(_WINDOW):
        loaded += target.load(statement, window)
    if loaded != feed.count - before:
        raise LoadRejected(f"{target.where} took {loaded} rows of {feed.count - before}; nothing was loaded")


def treatment(rows: Rows, into: Into) -> Callable[[Chunk], Chunk]:
    """Return what is done to chunks before they are loaded, and refuse what has no meaning over there."""
    for place, column in enumerate(into.columns):
        if column.is_bit and rows.names and (name := rows.names[place]) in rows.foreign:
            raise UnsupportedValue(
                f"column {name} is {rows.foreign[name]}, which MySQL's BIT does not read; select a number"
            )
    return binary_treatment(rows, binary_places(into.columns), [column.name for column in into.columns], b"")


class Engine:
    """MySQL for ``Inserter``."""

    joins = False
    shares_tails = True

    def __init__(self, target: Target) -> None:
        self._target = target

    def literal(self, value: bytes | None, *, binary: bool) -> bytes:
        """Return a value as SQL."""
        return literal(value, binary=binary)

    def execute(self, statement: bytes) -> object:
        """Run a statement."""
        return self._target.execute(statement)

    def mark(self) -> None:
        """Set the place to go back to."""
        self._target.execute("SAVEPOINT batch")

    def undo(self) -> None:
        """Go back there."""
        self._target.execute("ROLLBACK TO SAVEPOINT batch")


class BulkEngine(Engine):
    """In place of LOAD DATA: a row that is not taken as it is is refused."""

    def execute(self, statement: bytes) -> object:
        """Run an INSERT."""
        return self._target.insert(statement)


def binary_places(columns: Sequence[Column]) -> frozenset[int]:
    """Return the places of the columns that take bytes."""
    return frozenset(place for place, column in enumerate(columns) if column.is_binary)


def insert_of(into: Into) -> InsertQuery:
    """Return the INSERT that does what the bulk load would."""
    names = ", ".join(quote_name(column.name) for column in into.columns)
    values = ["CAST(? AS UNSIGNED)" if column.is_bit else "?" for column in into.columns]
    return parse_insert_query(f"INSERT INTO {into.table} ({names}) VALUES ({', '.join(values)})", "mysql")


def _load_statement(into: Into) -> str:
    """Return the LOAD DATA statement; columns that need a conversion go through a variable."""
    targets, conversions = [], []
    for number, column in enumerate(into.columns):
        name = quote_name(column.name)
        conversion = _converted(column, f"@v{number}")
        targets.append(f"@v{number}" if conversion else name)
        if conversion:
            conversions.append(f"{name} = {conversion}")
    return (
        f"LOAD DATA LOCAL INFILE 'rows' {'REPLACE ' * into.replaces}INTO TABLE {into.table} CHARACTER SET utf8mb4 "
        r"FIELDS TERMINATED BY '\t' ESCAPED BY '\\' LINES TERMINATED BY '\n' "
        f"({', '.join(targets)})" + (f" SET {', '.join(conversions)}" if conversions else "")
    )


def _converted(column: Column, value: str) -> str | None:
    """Return the SQL that makes a value of the column of a text in a variable, if it needs one."""
    if column.is_binary:
        return f"UNHEX({value})"
    cases = " ".join(
        f"WHEN {literal(word).decode()} THEN {literal(own).decode()}" for word, own in column.words.items()
    )
    text = f"CASE {value} {cases} ELSE {value} END" if cases else value
    if column.is_bit:
        return f"CAST({text} AS UNSIGNED)"
    return text if cases else None
