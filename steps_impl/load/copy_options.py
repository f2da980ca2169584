"""The COPY statement as a pure function of what is loaded where."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from core.errors import ParameterError
from steps_impl.tables.model import TableName, literal
from steps_impl.tables.render import column_list
from stores.redshift import Statement

#: What the end of a file's name says about its compression, and COPY's word for it.
_COMPRESSIONS = {".gz": "GZIP", ".bz2": "BZIP2", ".zst": "ZSTD", ".lzo": "LZOP"}

#: Formats whose files name their columns. Parquet's are nevertheless taken by their place.
_WITH_NAMES = {
    "json": "FORMAT AS JSON 'auto ignorecase'",
    "avro": "FORMAT AS AVRO 'auto ignorecase'",
    "parquet": "FORMAT AS PARQUET",
}
COLUMNAR = "parquet"
#: Formats that are compressed within the file, of which COPY is told nothing.
_PACKED_INSIDE = frozenset({"avro", "parquet"})

#: COPY's own default for ``NULL AS``.
DEFAULT_NULL = "\\N"


@dataclass(frozen=True)
class CopyOptions:
    """How the files are written, and what may be wrong in them (see ``LoadParameters``)."""

    format: str = "tsv"
    #: Whether nobody said what the format is.
    assumed: bool = False
    #: COPY's word for how the files are compressed, empty for not at all; ``None``: their names tell.
    compression: str | None = None
    null_as: str = DEFAULT_NULL
    escape: bool = True
    ignore_header: int = 0
    max_error: int = 0
    replace_invalid_char: str | None = None
    truncate_columns: bool = False
    round_decimals: bool = False
    #: A text in place of all options above.
    instead: str | None = None

    @property
    def may_refuse(self) -> bool:
        """Whether COPY may leave out rows without failing."""
        return self.max_error > 1 or "MAXERROR" in (self.instead or "").upper()

    @property
    def by_name(self) -> bool:
        """Whether COPY looks for the columns by their names in each object of the files."""
        return self.format in ("json", "avro") and not self.instead

    @property
    def rounds(self) -> bool:
        """Whether COPY rounds decimals that have too many digits (else it cuts them)."""
        return self.round_decimals or "ROUNDEC" in (self.instead or "").upper()

    @property
    def may_replace(self) -> bool:
        """Whether COPY may put other characters in place of invalid ones."""
        return self.replace_invalid_char is not None or "ACCEPTINVCHARS" in (self.instead or "").upper()


@dataclass(frozen=True)
class CopyTarget:
    """Where the rows go: a table and the columns that the files hold, in their order."""

    table: TableName
    columns: tuple[str, ...]


def copy_statement(
    target: CopyTarget, manifest: str, files: Sequence[str], role: str, options: CopyOptions
) -> Statement:
    """Return the COPY of a manifest's files into a table, columns named.

    ``COMPUPDATE OFF`` keeps the encodings of the definition, ``STATUPDATE OFF`` leaves statistics to the ANALYZE after.

    Raises:
        ParameterError: the files' names say different compressions.
    """
    lines = [
        f"COPY {target.table.sql} ({column_list(target.columns)})",
        f"FROM {literal(manifest)}",
        "IAM_ROLE default" if role == "default" else f"IAM_ROLE {literal(role)}",
        "MANIFEST",
        *(
            [options.instead]
            if options.instead
            else [*_format(options), *filter(None, [compression(options, files)]), *_leniency(options)]
        ),
        # COPY of Parquet does not know COMPUPDATE: it never chooses encodings.
        "STATUPDATE OFF" if options.format == COLUMNAR and not options.instead else "COMPUPDATE OFF STATUPDATE OFF",
    ]
    return Statement("\n".join(lines), f"load {len(files)} file(s)")


def _format(options: CopyOptions) -> Iterator[str]:
    if options.format in _WITH_NAMES:
        yield _WITH_NAMES[options.format]
        return
    if options.format == "csv":
        yield "FORMAT AS CSV"
    else:
        yield "DELIMITER '\\t'"
        if options.escape:
            yield "ESCAPE"
    # The default is not written out: whether '\N' or '\\N' means it depends on how the server reads backslashes.
    if options.null_as != DEFAULT_NULL:
        yield f"NULL AS {literal(options.null_as)}"
    if options.ignore_header:
        yield f"IGNOREHEADER {options.ignore_header}"


def compression(options: CopyOptions, files: Sequence[str]) -> str:
    """Return COPY's word for how the files are compressed; empty for not at all.

    Raises:
        ParameterError: the files' names say different compressions.
    """
    if options.format in _PACKED_INSIDE:
        return ""
    if options.compression is not None:
        return options.compression
    told = {next((word for end, word in _COMPRESSIONS.items() if name.endswith(end)), "") for name in files}
    if len(told) > 1:
        raise ParameterError("the files are compressed in different ways, by their names; load them one kind at a time")
    return told.pop() if told else ""


def _leniency(options: CopyOptions) -> Iterator[str]:
    if options.truncate_columns:
        yield "TRUNCATECOLUMNS"
    if options.round_decimals:
        yield "ROUNDEC"
    if options.max_error:
        yield f"MAXERROR {options.max_error}"
    if options.replace_invalid_char is not None:
        yield f"ACCEPTINVCHARS AS {literal(options.replace_invalid_char)}"
