"""Data nodes: where data is read or written.

Source: Developer Guide, *S3DataNode*, *SqlDataNode*, *MySqlDataNode*, *RedshiftDataNode*, *DynamoDBDataNode*.
"""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from steps_impl.activities.objects.base import PipelineObject, Several
from steps_impl.activities.objects.databases import PASSWORD_ALIASES, Database
from steps_impl.activities.objects.formats import DataFormat


class S3DataNode(PipelineObject):
    """An object in S3, or all objects below a folder."""

    type: Literal["S3DataNode"] = "S3DataNode"
    file_path: str | None = Field(default=None, description="`s3://bucket/key`; or `directoryPath`")
    directory_path: str | None = Field(default=None, description="`s3://bucket/folder`")
    compression: Literal["none", "gzip"] = Field(default="none", description="of the data")
    data_format: DataFormat | None = Field(default=None, description="of the records")
    manifest_file_path: str | None = Field(default=None, description="manifest in Redshift's form, instead of a path")
    s3_encryption_type: str = Field(
        default="SERVER_SIDE_ENCRYPTION", alias="s3EncryptionType", description="`NONE` switches it off"
    )

    @model_validator(mode="before")
    @classmethod
    def _any_case(cls, values: object) -> object:
        if isinstance(values, dict) and isinstance(compression := values.get("compression"), str):
            return {**values, "compression": compression.strip().lower()}
        return values

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        places = [self.file_path, self.directory_path, self.manifest_file_path]
        if self.file_path and self.directory_path:
            raise ValueError(f"{self.label} has filePath and directoryPath; give one of them")
        if not any(places):
            raise ValueError(f"{self.label} has neither filePath nor directoryPath; give one of them")
        return self

    @property
    def encrypted(self) -> bool:
        """Tell whether what is written is to be encrypted at rest; AWS's default."""
        return self.s3_encryption_type.strip().upper() != "NONE"

    @property
    def uri(self) -> str:
        """The file, or the directory with a slash at its end."""
        if self.directory_path:
            return (
                self.directory_path.rstrip("/") + "/" if not self.directory_path.endswith("/") else self.directory_path
            )
        return self.file_path or self.manifest_file_path or ""


class SqlDataNode(PipelineObject):
    """A table or query of a database."""

    type: Literal["SqlDataNode"] = "SqlDataNode"
    table: str | None = Field(default=None, description="the table")
    database: Database | None = Field(default=None, description="where it is")
    schema_name: str | None = Field(default=None, description="the table's schema")
    select_query: str | None = Field(default=None, description="what is read")
    insert_query: str | None = Field(default=None, description="how a row is written: `INSERT … VALUES (?, ?)`")
    create_table_sql: str | None = Field(default=None, description="run when the table is not there")
    connection_string: str | None = Field(default=None, description="JDBC address, in place of `database`")
    username: str | None = Field(default=None, description="with `connectionString`: who logs in")
    password: SecretStr | None = Field(
        default=None, alias="*password", validation_alias=PASSWORD_ALIASES, description="with `connectionString`"
    )


class MySqlDataNode(SqlDataNode):
    """The older form of ``SqlDataNode``, of a MySQL server."""

    type: Literal["MySqlDataNode"] = "MySqlDataNode"  # type: ignore[assignment]


class RedshiftDataNode(PipelineObject):
    """A table of a Redshift cluster."""

    type: Literal["RedshiftDataNode"] = "RedshiftDataNode"
    database: Database = Field(description="the cluster's database")
    table_name: str = Field(description="the table; `schema.table` is read too")
    schema_name: str | None = Field(default=None, description="the table's schema; default PUBLIC")
    create_table_sql: str | None = Field(default=None, description="run as it is when the table is not there")
    primary_keys: Several[str] = Field(default=(), description="columns that make a row; default: the table's keys")


class DynamoDBDataNode(PipelineObject):
    """A DynamoDB table."""

    type: Literal["DynamoDBDataNode"] = "DynamoDBDataNode"
    table_name: str = Field(description="the table")
    region: str | None = Field(default=None, description="where it is")
    read_throughput_percent: float = Field(default=0.5, ge=0.1, le=1.0, description="share of its reads, 0.1 to 1.0")
    write_throughput_percent: float = Field(default=0.5, ge=0.1, le=1.0, description="share of its writes, 0.1 to 1.0")
    data_format: DataFormat | None = Field(default=None, description="its schema; `dynamoDBDataFormat` is read too")

    @model_validator(mode="before")
    @classmethod
    def _older_spelling(cls, values: object) -> object:
        if isinstance(values, dict) and "dynamoDBDataFormat" in values and "dataFormat" not in values:
            renamed = {key: value for key, value in values.items() if key != "dynamoDBDataFormat"}
            return {**renamed, "dataFormat": values["dynamoDBDataFormat"]}
        return values

    @property
    def region_name(self) -> str | None:
        """The region as AWS writes it; the guide's example has ``us_west_1``."""
        return self.region.strip().replace("_", "-").lower() if self.region else None


AnySqlNode = SqlDataNode | MySqlDataNode
DataNode = Annotated[
    S3DataNode | SqlDataNode | MySqlDataNode | RedshiftDataNode | DynamoDBDataNode, Field(discriminator="type")
]
