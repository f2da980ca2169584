"""What AWS leaves open about activities that copy data."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from core.sections.section import Section


class CopyActivitySettings(Section):
    """What AWS leaves open about CopyActivity."""

    dialect: Literal["documented", "standard"] = Field(
        default="documented",
        description="how files are written: as AWS documents (no quotes, backslash escapes, NULL is `\\n`), or CSV in "
        "quotes and NULL as `\\N`; both are read",
    )
    undeclared_gzip: Literal["read", "refuse"] = Field(
        default="read", description="gzip data of a node without `compression: gzip`: read it, or fail by name"
    )


class RedshiftCopyActivitySettings(Section):
    """What AWS leaves open about RedshiftCopyActivity."""

    iam_role: str | None = Field(
        default=None, description="ARN that COPY and UNLOAD name; default: `redshift.iam_role`, else the worker's keys"
    )
    merge_keys: Literal["primary", "all"] = Field(
        default="primary",
        description="what rows are matched by, if not by `primaryKeys` of the node: the primary key, or sort and "
        "distribution keys where there is none; `all`: the three together, as AWS's page can be read",
    )
    merge_without_keys: Literal["fail", "row"] = Field(
        default="fail", description="a table without any key: fail, or match by all columns"
    )
    csv: Literal["look", "quoted", "escaped"] = Field(
        default="look",
        description="how a CSV is read: as its files show, always with quotes (RFC 4180), or with backslash escapes",
    )
    default_format: Literal["csv", "redshift"] = Field(
        default="csv", description="of files without data format and `commandOptions`: CSV, or COPY's own (pipes)"
    )
    load_records: str = Field(
        default="ductrunner_loads",
        description="table that keeps which APPENDs are done, in the target's schema unless it names one; `off`: none, "
        "so that a retry may append twice",
    )


class DynamoDbSettings(Section):
    """Tables that are exported, imported and copied."""

    consistent_read: bool = Field(
        default=True,
        description="read what was written just before, for twice the capacity; AWS's export tool does not",
    )
    on_demand_capacity: int = Field(
        default=40_000, ge=1, description="units a second that a table on demand is taken to have, as AWS's tool does"
    )
    concurrency: int = Field(default=4, ge=1, le=64, description="segments or batches on their way at the same time")
    tools: Literal["own", "cluster"] = Field(
        default="own", description="who exports and imports where a step names AWS's tools: the worker, or their jar"
    )
    hive_handler: Literal["auto", "cluster", "own"] = Field(
        default="auto",
        description="who reads and writes the tables that a Hive script declares as DynamoDB's: the cluster's storage "
        "handler or the worker; `auto`: the handler where EMR has put it",
    )
    check_before_import: bool = Field(
        default=True, description="read all files once before the first item is put, so that bad lines change nothing"
    )
