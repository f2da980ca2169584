"""One UNLOAD as it was said."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from sandbox.redshift.authorization import Authorization
from sandbox.redshift.tokens import Statement

MEGABYTE: Final = 1 << 20
LARGEST: Final = int(6.2 * 1024 * MEGABYTE)  # bytes; also what MAXFILESIZE is without a word
SMALLEST_GROUP: Final = 32 * MEGABYTE  # bytes; of ROWGROUPSIZE


@dataclass
class UnloadCommand:
    """One UNLOAD; texts of the data are bytes, sizes are bytes."""

    query: Statement
    target: str = ""
    authorization: Authorization = field(default_factory=Authorization)
    csv: bool = False
    fixed_widths: list[int] = field(default_factory=list)
    delimiter: bytes = b""
    null_as: bytes = b""
    header: bool = False
    escape: bool = False
    add_quotes: bool = False
    compression: str = ""  # the keyword in small letters
    extension: str = ""
    manifest: bool = False
    verbose: bool = False
    allow_overwrite: bool = False
    clean_path: bool = False
    parallel: bool = True
    largest: int = LARGEST
    region: str | None = None
    parquet: bool = False
    json: bool = False
    partition_by: list[str] = field(default_factory=list)
    include: bool = False  # the partition columns are in the files too
    row_group: int = SMALLEST_GROUP
    #: What S3 is told about encryption with every object.
    encryption: dict[str, str] = field(default_factory=lambda: {"ServerSideEncryption": "AES256"})

    @property
    def kind(self) -> str:
        """The format as ``stl_unload_log`` names it."""
        return "parquet" if self.parquet else "json" if self.json else "csv" if self.csv else "text"
