"""What every section of the configuration file is like."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """A section of the file: unknown keys are refused, capitals are accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    @model_validator(mode="before")
    @classmethod
    def _small_letters(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            return {str(key).lower(): value for key, value in values.items()}
        return values


def separated(value: Any) -> Any:
    """Return the parts of a text, as an environment variable gives it; anything else as it is."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value
