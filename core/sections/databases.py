"""Databases and the warehouse: where they are, and how they are entered."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SecretStr, field_validator, model_validator

from core.sections.section import Section, separated

#: ``name.hash.region.rds.amazonaws.com`` (also ``.com.cn``), and proxies, clusters and warehouses of the same form.
_ENDPOINT = re.compile(
    r"\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.(?:rds|redshift|redshift-serverless)\.amazonaws\.com", re.IGNORECASE
)


class DatabaseLogin(Section):
    """What every database has: where it is, and how it is entered."""

    host: str = Field(description="name or address")
    port: int = Field(ge=1, le=65535, description="TCP port")
    username: str = Field(description="who logs in")
    password: SecretStr = Field(default=SecretStr(""), description="better a reference than the password itself")
    authentication: Literal["password", "iam"] = Field(
        default="password",
        description="`iam`: a token of RDS or temporary credentials of Redshift, by this machine's role",
    )
    region: str | None = Field(
        default=None,
        description="AWS region of its credentials and of a secret that is its password; default: as the host's name "
        "says, else `etl.region`",
    )
    ssl_mode: Literal["disable", "prefer", "require", "verify-ca", "verify-full"] = Field(
        default="prefer", description="TLS: whether it is demanded, and what of the server's certificate is checked"
    )
    ssl_ca: Path | None = Field(default=None, description="file of the certificates that are trusted")
    connect_hook: Path | None = Field(
        default=None, description="Python file around connecting; default: the one in `etl.hooks_base_path`"
    )

    @model_validator(mode="after")
    def _token_needs_tls(self) -> Self:
        if self.authentication == "iam" and self.ssl_mode == "disable":
            raise ValueError("ssl_mode is disable, but a token goes over TLS only")
        return self

    @property
    def tls(self) -> Literal["disable", "prefer", "require", "verify-ca", "verify-full"]:
        """The mode that is meant: a token is never sent without TLS."""
        return "require" if self.authentication == "iam" and self.ssl_mode == "prefer" else self.ssl_mode

    @property
    def aws_region(self) -> str | None:
        """The region of the settings, else the one in the host's name; of other hosts none."""
        found = _ENDPOINT.search(self.host)
        return self.region or (found["region"].lower() if found else None)

    @property
    def default_database(self) -> str | None:
        """The database that is meant when a step names none."""
        raise NotImplementedError


class MySqlHost(DatabaseLogin):
    """One MySQL server (``mysql: {alias: {HOST, USERNAME, PASSWORD}}``)."""

    port: int = Field(default=3306, ge=1, le=65535, description="TCP port")
    database: str | None = Field(default=None, description="the one that is meant when a step names none")

    @property
    def default_database(self) -> str | None:
        """The database that is meant when a step names none."""
        return self.database


class PostgresSettings(DatabaseLogin):
    """The Postgres source or target."""

    port: int = Field(default=5432, ge=1, le=65535, description="TCP port")
    database_name: str = Field(description="the database to log in to")

    @property
    def default_database(self) -> str | None:
        """The database to log in to."""
        return self.database_name


class RedshiftSettings(DatabaseLogin):
    """The warehouse."""

    port: int = Field(default=5439, ge=1, le=65535, description="TCP port")
    database_name: str = Field(description="the database to log in to")
    iam_role: str | None = Field(default=None, description="ARN that COPY and UNLOAD name; 'default' is allowed")
    cluster_identifier: str | None = Field(default=None, description="for `authentication: iam`: the cluster's name")
    workgroup_name: str | None = Field(default=None, description="for `authentication: iam`: Serverless' workgroup")
    db_groups: tuple[str, ...] = Field(default=(), description="for `authentication: iam`: groups joined meanwhile")
    auto_create_user: bool = Field(default=False, description="for `authentication: iam`: create the user if missing")

    @property
    def default_database(self) -> str | None:
        """The database to log in to."""
        return self.database_name


class CassandraSettings(Section):
    """A Cassandra cluster."""

    contact_points: tuple[str, ...] = Field(min_length=1, description="names or addresses of some nodes")
    port: int = Field(default=9042, ge=1, le=65535, description="TCP port of CQL")
    username: str | None = Field(default=None, description="who logs in; default: nobody (`AllowAllAuthenticator`)")
    password: SecretStr = Field(default=SecretStr(""), description="better a reference than the password itself")
    keyspace: str | None = Field(default=None, description="the one that is meant when a step names none")
    datacenter: str | None = Field(
        default=None, description="the local one, whose nodes are asked; default: that of the first contact point"
    )
    consistency: Literal["LOCAL_QUORUM", "LOCAL_ONE", "ONE", "TWO", "THREE", "QUORUM", "EACH_QUORUM", "ALL"] = Field(
        default="LOCAL_QUORUM", description="how many replicas must have a row before it counts as written"
    )
    request_timeout: float = Field(default=30.0, gt=0, description="seconds until a request is sent again")
    ssl_mode: Literal["disable", "require", "verify-ca", "verify-full"] = Field(
        default="disable", description="TLS: whether it is used, and what of the nodes' certificates is checked"
    )
    ssl_ca: Path | None = Field(default=None, description="file of the certificates that are trusted")
    ssl_certificate: Path | None = Field(default=None, description="our own certificate, where nodes ask for one")
    ssl_key: Path | None = Field(default=None, description="its key")

    @field_validator("contact_points", mode="before")
    @classmethod
    def _separated(cls, value: Any) -> Any:
        return separated(value)
