"""Parameters that every step with a bulk load has."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator, model_validator

from core.errors import DefinitionError, ParameterError
from steps_impl.load.copy_options import CopyOptions
from steps_impl.registry import Parameters
from steps_impl.tables.drift import DriftChoice, DriftPolicy, policy_of
from steps_impl.tables.tokens import Kind, tokenize

#: COPY states these itself, or may not be given them in a text that others can read.
_REFUSED_OPTIONS = frozenset(
    {"MANIFEST", "FROM", "IAM_ROLE", "CREDENTIALS", "ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN"}
    | {"COMPUPDATE", "STATUPDATE", "NOLOAD"}
)


class CopyParameters(Parameters):
    """How the files are written, and what may be wrong in them."""

    input_format: Literal["tsv", "csv", "json", "parquet", "avro"] | None = Field(
        default=None,
        description="tsv: tabs with backslash escapes; csv: commas with double quotes (RFC 4180); json: objects; "
        "default: as the manifest of an extract says, else tsv",
    )
    null_as: str = Field(default="\\N", description="the text that stands for NULL")
    escape: bool = Field(default=True, description="tsv only: a backslash takes the next character literally")
    ignore_header: int = Field(default=0, ge=0, description="lines to skip at the top of each file")
    replace_invalid_char: str | None = Field(
        default=None, description="one ASCII character to put in place of each byte that is not valid UTF-8"
    )
    truncate_columns: bool = Field(default=False, description="cut texts that are longer than their column")
    round_decimals: bool = Field(
        default=False,
        description="round decimals that have more digits behind the point than their column (default: refuse them, "
        "where the manifest tells)",
    )
    command_options: str | None = Field(
        default=None, description="COPY options in place of all of the above, as Redshift spells them"
    )
    columns: tuple[str, ...] = Field(
        default=(), description="columns that the files hold, in order; default: as the manifest or the definition says"
    )
    queue: str | None = Field(default=None, description="query group, which chooses the queue of the warehouse")
    on_drift: tuple[DriftChoice, ...] = Field(
        default=("refuse",),
        description="a table that is not as defined: refuse it; or add-columns that are missing at its end, widen "
        "VARCHAR columns that are too short, keep-extra columns that the definition does not have; the rest is refused",
    )

    @field_validator("columns")
    @classmethod
    def _as_stored(cls, names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name.strip().lower() for name in names)

    @field_validator("on_drift")
    @classmethod
    def _refuse_alone(cls, chosen: tuple[DriftChoice, ...]) -> tuple[DriftChoice, ...]:
        if "refuse" in chosen and len(set(chosen)) > 1:
            raise ValueError("refuse stands alone: it excludes what else may be done")
        return chosen

    @property
    def drift_policy(self) -> DriftPolicy:
        """What is done about a table that is not as defined."""
        return policy_of(self.on_drift)

    @field_validator("replace_invalid_char")
    @classmethod
    def _one_character(cls, value: str | None) -> str | None:
        """Dataduct's arguments never passed a shell, so that the quotes of its documentation arrive here."""
        if value is None:
            return None
        bare = value[1:-1] if len(value) == 3 and value[0] == value[-1] and value[0] in "'\"" else value
        if len(bare) != 1 or not bare.isascii() or not bare.isprintable():
            raise ValueError("takes one printable ASCII character")
        return bare

    @field_validator("command_options")
    @classmethod
    def _only_options(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            tokens = tokenize(value)
        except DefinitionError as error:
            raise ValueError(str(error)) from None
        for token in tokens:
            if token.text == ";" or token.word in _REFUSED_OPTIONS:
                raise ValueError(f"{token.text} may not be given here; the step sets it itself")
            if token.kind is Kind.QUOTED:
                raise ValueError(f"{token.text}: texts of COPY stand in single quotes")
        return value

    @model_validator(mode="after")
    def _fits_together(self) -> CopyParameters:
        if self.command_options and self.model_fields_set & _REPLACED:
            raise ValueError("command-options replaces all other options of COPY; give only one of the two kinds")
        return self

    @property
    def told_compression(self) -> str | None:
        """COPY's word for how the files are compressed, empty for not at all; ``None``: their names tell."""
        return None

    @property
    def refusable(self) -> int:
        """Rows that may be refused before the load fails."""
        return 0

    def copy_options(self, told: str | None) -> CopyOptions:
        """Return the options as COPY wants them; ``told`` is the format that the manifest names.

        Raises:
            ParameterError: COPY reads no such files, or takes no such option with them.
        """
        chosen = self.input_format or told or "tsv"
        if chosen not in _FOREIGN:
            raise ParameterError(
                f"the manifest says that the files are {chosen}, which COPY does not read; write them as "
                f"{', '.join(sorted(_FOREIGN))}, or say with --input-format what they are"
            )
        foreign = sorted(self.model_fields_set & _FOREIGN[chosen])
        if foreign:
            named = ", ".join("--" + name.replace("_", "-") for name in foreign)
            raise ParameterError(f"{named}: COPY takes no such option with {chosen} files; leave it out")
        return CopyOptions(
            format=chosen,
            assumed=not (self.input_format or told or self.command_options),
            compression=self.told_compression,
            null_as=self.null_as,
            escape=self.escape,
            ignore_header=self.ignore_header,
            max_error=self.refusable,
            replace_invalid_char=self.replace_invalid_char,
            truncate_columns=self.truncate_columns,
            round_decimals=self.round_decimals,
            instead=self.command_options,
        )


class FileParameters(CopyParameters):
    """How the files are compressed, and how many rows may be refused."""

    gzip: bool | None = Field(default=None, description="whether the files are gzip; default: told by their names")
    max_error: int = Field(default=0, ge=0, le=100_000, description="rows that may be refused before the load fails")

    @property
    def told_compression(self) -> str | None:
        """See ``CopyParameters``."""
        return {None: None, True: "GZIP", False: ""}[self.gzip]

    @property
    def refusable(self) -> int:
        """See ``CopyParameters``."""
        return self.max_error


class LoadParameters(FileParameters):
    """A load into a table that a definition describes."""

    table_definition: str = Field(
        description="the table, as CREATE TABLE: a file, s3://bucket/key, or the text itself",
    )


_OF_TEXT = frozenset({"null_as", "escape", "ignore_header"})
#: Options that COPY does not take with a format.
_FOREIGN: dict[str, frozenset[str]] = {
    "tsv": frozenset(),
    "csv": frozenset(),
    "json": _OF_TEXT,
    "avro": _OF_TEXT | {"gzip", "compression"},
    "parquet": _OF_TEXT | {"gzip", "compression", "max_error", "max_errors", "truncate_columns", "round_decimals"},
}
_REPLACED = frozenset(
    {"input_format", "gzip", "compression", "null_as", "escape", "ignore_header", "max_error", "max_errors"}
    | {"replace_invalid_char", "truncate_columns", "round_decimals"}
)
