"""The configuration file: one YAML document with Dataduct's section names (``core.sections``).

Where it is found, and its modes: ``core.configuration_file``. Keys of a section may be written in
Dataduct's capitals (``HOST``) or in small letters. An environment variable ``DUCTRUNNER_<SECTION>_<KEY>`` overrides a
value of the file. A secret may be written as ``secretsmanager:…``, ``ssm:…``, ``env:…`` or ``file:…``; see
``stores.secrets``.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Self, TypeVar

import yaml
from pydantic import Field, ValidationError, model_validator

from core.configuration_file import Found, chosen_mode, find_file, laid_over, take_modes
from core.dataduct import as_settings
from core.errors import SettingsError
from core.sections.activities import CopyActivitySettings, DynamoDbSettings, RedshiftCopyActivitySettings
from core.sections.creation import DatabaseSettings
from core.sections.databases import CassandraSettings, DatabaseLogin, MySqlHost, PostgresSettings, RedshiftSettings
from core.sections.dataducts import CustomStepSettings, Ec2Settings, EmrSettings, EtlSettings
from core.sections.section import Section
from core.sections.telling import AlertSettings, LoggingSettings
from core.sections.worker import AgentSettings, BootstrapSettings

AnyDatabase = TypeVar("AnyDatabase", bound=DatabaseLogin)


class Settings(Section):
    """The whole file."""

    etl: EtlSettings = EtlSettings()
    mysql: dict[str, MySqlHost] = Field(default={})
    postgres: PostgresSettings | None = None
    redshift: RedshiftSettings | None = None
    cassandra: CassandraSettings | None = None
    redshift_copy_activity: RedshiftCopyActivitySettings = RedshiftCopyActivitySettings()
    database: DatabaseSettings = DatabaseSettings()
    copy_activity: CopyActivitySettings = CopyActivitySettings()
    agent: AgentSettings = AgentSettings()
    logging: LoggingSettings = LoggingSettings()
    alerts: AlertSettings = AlertSettings()
    dynamodb: DynamoDbSettings = DynamoDbSettings()
    bootstrap: BootstrapSettings = BootstrapSettings()
    custom_steps: tuple[CustomStepSettings, ...] = ()
    ec2: Ec2Settings = Ec2Settings()
    emr: EmrSettings = EmrSettings()

    @model_validator(mode="after")
    def _group_of_dataduct(self) -> Self:
        group = self.ec2.worker_group or self.emr.worker_group
        if group and not self.agent.worker_group:
            agent = self.agent.model_copy(update={"worker_group": group})
            object.__setattr__(self, "agent", agent)
        return self

    @model_validator(mode="after")
    def _complete_databases(self) -> Self:
        """Give each database the hook of its kind and the region of the steps, where it names none itself."""
        updates = {
            "mysql": {alias: self._completed(host, "mysql") for alias, host in self.mysql.items()},
            "postgres": self.postgres and self._completed(self.postgres, "postgres"),
            "redshift": self.redshift and self._completed(self.redshift, "redshift"),
        }
        for name, value in updates.items():
            object.__setattr__(self, name, value)
        return self

    def _completed(self, database: AnyDatabase, kind: str) -> AnyDatabase:
        hook = database.connect_hook or self.etl.hook(f"connect_to_{kind}")
        region = database.aws_region or self.etl.region
        return database.model_copy(update={"connect_hook": hook, "region": region})


#: Sections whose keys an environment variable may override.
_OVERRIDABLE: dict[str, type[Section]] = {
    "etl": EtlSettings,
    "postgres": PostgresSettings,
    "redshift": RedshiftSettings,
    "cassandra": CassandraSettings,
    "copy_activity": CopyActivitySettings,
    "redshift_copy_activity": RedshiftCopyActivitySettings,
    "agent": AgentSettings,
    "logging": LoggingSettings,
    "alerts": AlertSettings,
    "dynamodb": DynamoDbSettings,
    "bootstrap": BootstrapSettings,
}


def load_settings(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the configuration file (none at all is fine) and the overriding environment variables.

    Raises:
        SettingsError: the file is missing though it was named, unreadable, not YAML, or holds an unknown key or
            a wrong value; the message names the key and the nearest known one.
    """
    found = Found(path) if path else find_file(environment)
    document = _document(found, environment) if found else {}
    where = found.path if found else "environment"
    modes = take_modes(document, Settings.model_fields)
    for name, mode in modes.items():  # a wrong key of a mode is told before the night when it is chosen
        _validated(laid_over(document, mode), f"{where}, mode {name}")
    document = laid_over(document, chosen_mode(modes, environment, where))
    _overlay_environment(document, environment)
    return _validated(document, where)


def _validated(document: Mapping[str, Any], where: object) -> Settings:
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        raise SettingsError(f"{where}: {_explain(error)}") from None


def _document(found: Found, environment: Mapping[str, str]) -> dict[str, Any]:
    document = _read(found.path)
    return as_settings(document, found.path, environment) if found.dataducts else document


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read the configuration {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f" (line {mark.line + 1})" if mark else ""
        raise SettingsError(f"{path} is not a YAML file{place}; check it with a YAML linter") from None
    if not isinstance(document or {}, dict):
        raise SettingsError(f"{path} must hold sections (etl, mysql, redshift, agent, …), not a single value")
    return {str(key).lower(): value for key, value in (document or {}).items() if value is not None}


def _overlay_environment(document: dict[str, Any], environment: Mapping[str, str]) -> None:
    for section, model in _OVERRIDABLE.items():
        for key in model.model_fields:
            value = environment.get(f"DUCTRUNNER_{section}_{key}".upper())
            if value is not None:
                values = {str(name).lower(): kept for name, kept in (document.get(section) or {}).items()}
                document[section] = {**values, key: value}


def _explain(error: ValidationError) -> str:
    parts = []
    for fault in error.errors(include_url=False, include_input=False):
        place = ".".join(map(str, fault["loc"]))
        hint = f"unknown key{_nearest(str(fault['loc'][-1]))}" if fault["type"] == "extra_forbidden" else fault["msg"]
        parts.append(f"{place}: {hint}")
    return "; ".join(parts)


def _nearest(key: str) -> str:
    known = {name for model in _subclasses(Section) for name in model.model_fields}
    close = difflib.get_close_matches(key, sorted(known), n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else ""


def _subclasses(model: type[Section]) -> Iterator[type[Section]]:
    for child in model.__subclasses__():
        yield child
        yield from _subclasses(child)
