"""What one COPY says."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.redshift.authorization import Authorization


@dataclass
class CopyCommand:
    """One COPY; texts of the data are bytes."""

    table: tuple[str, ...] = ()
    columns: list[str] | None = None
    source: str = ""
    authorization: Authorization = field(default_factory=Authorization)
    manifest: bool = False
    csv: bool = False
    json: str = ""  # 'auto', 'auto ignorecase', 'noshred' or the address of a JSONPaths file; of AVRO too
    avro: bool = False
    columnar: str = ""  # 'parquet', 'orc' or nothing
    serialize_to_json: bool = False
    fixed_widths: list[int] = field(default_factory=list)  # characters of each column
    compression: str = ""  # the keyword in small letters
    encoding: str = "utf8"
    delimiter: bytes = b""
    quote: bytes = b'"'
    escape: bool = False
    remove_quotes: bool = False
    null_as: bytes = b"\\N"
    ignore_header: int = 0
    max_errors: int = 0
    truncate_columns: bool = False
    replacement: str | None = None  # ACCEPTINVCHARS
    region: str | None = None
    read_ratio: int = 100  # percent of a DynamoDB table's throughput
    empty_as_null: bool = False
    blanks_as_null: bool = False
    trim_blanks: bool = False
    fill_record: bool = False
    ignore_blank_lines: bool = False
    round_decimals: bool = False
    explicit_ids: bool = False
    accept_any_date: bool = False
    date_format: str = ""  # 'auto', a format, or nothing for YYYY-MM-DD
    time_format: str = ""  # 'auto', 'epochsecs', 'epochmillisecs', a format, or nothing for the default
    no_load: bool = False

    @property
    def from_dynamodb(self) -> bool:
        """Say whether it loads a DynamoDB table."""
        return self.source.startswith("dynamodb://")

    @property
    def form(self) -> str:
        """The format as the system tables name it."""
        if self.columnar or self.avro:
            return (self.columnar or "avro").capitalize()
        return "Json" if self.json else "Text"

    @property
    def by_name(self) -> bool:
        """Say whether values find their columns by name, from JSON or from the attributes of items."""
        return bool(self.json) or self.from_dynamodb

    @property
    def line_by_line(self) -> bool:
        """Say whether Postgres' own COPY reads no record of such files as Redshift's does."""
        return bool(self.by_name or self.fixed_widths or self.remove_quotes or self.blanks_as_null or self.trim_blanks)
