"""The configuration file: one YAML document with Dataduct's section names.

Found at ``$DUCTRUNNER_CONFIG``, else ``~/.ductrunner/ductrunner.yaml``, else ``/etc/ductrunner/ductrunner.yaml``
(the first that exists; no merging). Keys of a section may be written in Dataduct's capitals (``HOST``) or in
small letters. An environment variable ``DUCTRUNNER_<SECTION>_<KEY>`` overrides a value of the file. A secret may
be written as ``secretsmanager:…``, ``ssm:…``, ``env:…`` or ``file:…``; see ``stores.secrets``.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from core.errors import SettingsError

ENVIRONMENT_VARIABLE = "DUCTRUNNER_CONFIG"
LOCATIONS = (Path("~/.ductrunner/ductrunner.yaml"), Path("/etc/ductrunner/ductrunner.yaml"))


class Section(BaseModel):
    """A section of the file: unknown keys are refused, capitals are accepted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _small_letters(cls, values: Any) -> Any:
        if isinstance(values, Mapping):
            return {str(key).lower(): value for key, value in values.items()}
        return values


class EtlSettings(Section):
    """Where things lie and whom to tell (Dataduct's ``etl`` section)."""

    s3_etl_bucket: str | None = None
    s3_base_path: str = ""
    region: str | None = None
    name_prefix: str = ""
    connection_retries: int = Field(default=2, ge=0, le=20)
    sns_topic_arn_failure: str | None = None
    sns_topic_arn_warning: str | None = None
    qa_log_path: str = "qa"
    dp_qa_tests_log_path: str = "dba_table_qa_tests"


class MySqlHost(Section):
    """One MySQL server (``mysql: {alias: {HOST, USERNAME, PASSWORD}}``)."""

    host: str
    port: int = Field(default=3306, ge=1, le=65535)
    username: str
    password: SecretStr = SecretStr("")
    database: str | None = None


class PostgresSettings(Section):
    """The Postgres source or target."""

    host: str
    port: int = Field(default=5432, ge=1, le=65535)
    database_name: str
    username: str
    password: SecretStr = SecretStr("")


class RedshiftSettings(Section):
    """The warehouse."""

    host: str
    port: int = Field(default=5439, ge=1, le=65535)
    database_name: str
    username: str
    password: SecretStr = SecretStr("")
    iam_role: str | None = Field(default=None, description="ARN that COPY and UNLOAD name; 'default' is allowed")


class Permission(Section):
    """A grant given when a table is created: to a user or to a group."""

    user: str | None = None
    group: str | None = None
    permission: str


class DatabaseSettings(Section):
    """What is done when a table is created."""

    permissions: tuple[Permission, ...] = ()


class AgentSettings(Section):
    """The worker; each key has a flag of ``ductrunner agent`` that overrides it."""

    worker_group: str | None = None
    taskrunner_id: str | None = None
    tasks: int = Field(default=2, ge=1, le=256)
    output: Path = Path("output")
    log_uri: str | None = None
    endpoint: str | None = None
    region: str | None = None
    max_polls_per_second: float = Field(default=2.0, gt=0)
    report_interval: float = Field(default=60.0, gt=0, description="seconds between progress reports")
    ownership_window: float = Field(default=300.0, gt=0, description="silent seconds until a task counts as lost")
    heartbeat_interval: float = Field(default=900.0, gt=0)
    kill_grace: float = Field(default=10.0, ge=0, description="seconds between TERM and KILL")
    drain_timeout: float | None = Field(default=None, description="seconds a drain waits for running attempts")
    minimum_free_disk: int = Field(default=64 * 1024 * 1024, ge=0, description="bytes kept free while staging")
    staging_concurrency: int = Field(default=16, ge=1, le=256)


class LoggingSettings(Section):
    """How much the agent says about itself."""

    level: str = "INFO"


class Settings(Section):
    """The whole file."""

    etl: EtlSettings = EtlSettings()
    mysql: dict[str, MySqlHost] = {}
    postgres: PostgresSettings | None = None
    redshift: RedshiftSettings | None = None
    database: DatabaseSettings = DatabaseSettings()
    agent: AgentSettings = AgentSettings()
    logging: LoggingSettings = LoggingSettings()


#: Sections whose keys an environment variable may override.
_OVERRIDABLE: dict[str, type[Section]] = {
    "etl": EtlSettings,
    "postgres": PostgresSettings,
    "redshift": RedshiftSettings,
    "agent": AgentSettings,
    "logging": LoggingSettings,
}


def load_settings(path: Path | None = None, environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the configuration file (none at all is fine) and the overriding environment variables.

    Raises:
        SettingsError: the file is missing though it was named, unreadable, not YAML, or holds an unknown key or
            a wrong value; the message names the key and the nearest known one.
    """
    found = path or _find(environment)
    document = _read(found) if found else {}
    _overlay_environment(document, environment)
    try:
        return Settings.model_validate(document)
    except ValidationError as error:
        raise SettingsError(f"{found or 'environment'}: {_explain(error)}") from None


def _find(environment: Mapping[str, str]) -> Path | None:
    if named := environment.get(ENVIRONMENT_VARIABLE):
        return Path(named)
    return next((place for entry in LOCATIONS if (place := entry.expanduser()).exists()), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"cannot read the configuration {path}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError):
        raise SettingsError(f"{path} is not a YAML file; check it with a YAML linter") from None
    if not isinstance(document or {}, dict):
        raise SettingsError(f"{path} must hold sections (etl, mysql, redshift, agent, …), not a single value")
    return {str(key).lower(): value for key, value in (document or {}).items()}


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
    models: list[type[Section]] = Section.__subclasses__()
    known = {name for model in models for name in model.model_fields}
    close = difflib.get_close_matches(key, sorted(known), n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else ""
