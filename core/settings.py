"""The configuration file: one YAML document with Dataduct's section names.

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
from typing import Annotated, Any, Literal, Self, TypeVar

import yaml
from pydantic import (
    BaseModel,
    ByteSize,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from core.configuration_file import Found, chosen_mode, find_file, laid_over, take_modes
from core.dataduct import as_settings
from core.errors import SettingsError


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

    s3_etl_bucket: str | None = Field(default=None, description="bucket of the steps' data, without `s3://`")
    s3_base_path: str = Field(default="", description="folder in it")
    region: str | None = Field(default=None, description="AWS region of the steps")
    name_prefix: str = Field(default="", description="goes before the names of pipelines")
    connection_retries: int = Field(default=2, ge=0, le=20, description="further tries to connect to a database")
    sns_topic_arn_failure: str | None = Field(default=None, description="who is told of failures")
    sns_topic_arn_warning: str | None = Field(default=None, description="who is told of checks that warn")
    qa_log_path: str = Field(default="qa", description="folder of the results of checks")
    dp_qa_tests_log_path: str = Field(default="dba_table_qa_tests", description="folder of Dataduct's table of checks")
    hooks_base_path: Path | None = Field(
        default=None, description="directory of `connect_to_redshift.py`, `…_mysql`, `…_postgres`, `activate_pipeline`"
    )
    custom_steps_path: Path | None = Field(
        default=None, description="directory that the files of `custom_steps` are relative to"
    )

    def hook(self, name: str) -> Path | None:
        """Return the file of a hook, if it is there."""
        found = self.hooks_base_path and self.hooks_base_path.expanduser() / f"{name}.py"
        return found if found and found.is_file() else None


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
    region: str | None = Field(default=None, description="AWS region for `iam`; default: as the host's name says")
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
        return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


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


#: What can be granted on a table or view (Redshift Developer Guide, GRANT).
_PRIVILEGES = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "DROP", "REFERENCES", "ALTER", "TRUNCATE"})
_ALL_PRIVILEGES = frozenset({"ALL", "ALL PRIVILEGES"})


class Permission(Section):
    """A grant given when a table or view is created: to a user, a group, a role or everybody."""

    user: str | None = Field(default=None, description="to whom")
    group: str | None = Field(default=None, description="to which group")
    role: str | None = Field(default=None, description="to which role")
    public: bool = Field(default=False, description="to everybody")
    permission: str = Field(description="`SELECT`, `SELECT, INSERT`, `ALL` …")
    grant_option: bool | None = Field(
        default=None, description="whether a user may pass it on (groups and roles cannot); default: yes, as Dataduct"
    )

    @field_validator("permission")
    @classmethod
    def _known(cls, value: str) -> str:
        words = [" ".join(word.upper().split()) for word in value.split(",")]
        if words[0] in _ALL_PRIVILEGES and len(words) == 1:
            return words[0]
        if unknown := [word for word in words if word not in _PRIVILEGES]:
            raise ValueError(
                f"{unknown[0]!r} is not a privilege on tables; known are ALL, {', '.join(sorted(_PRIVILEGES))}"
            )
        return ", ".join(words)

    @model_validator(mode="after")
    def _one_grantee(self) -> Self:
        if sum(map(bool, (self.user, self.group, self.role, self.public))) != 1:
            raise ValueError("each permission needs exactly one of user, group, role and public")
        if self.grant_option and not self.user:
            raise ValueError("grant_option goes with a user: groups, roles and public cannot pass a privilege on")
        return self


class DatabaseSettings(Section):
    """What is done when a table or view is created."""

    permissions: tuple[Permission, ...] = Field(
        default=(), description="`{user, group, role or public, permission}` of new tables and views"
    )
    owner: str | None = Field(
        default=None,
        description="to whom new tables and views are handed over; the step's own user has to stay able to load them",
    )


class AgentSettings(Section):
    """The worker. A key that has a flag of ``ductrunner agent`` is overridden by it."""

    worker_group: str | None = Field(default=None, description="exact, case-sensitive")
    taskrunner_id: str | None = Field(default=None, description="unique in the account; made from the host if absent")
    tasks: int = Field(default=2, ge=1, le=256, description="attempts at the same time")
    worker_groups: dict[str, Annotated[int, Field(ge=1, le=256)]] = Field(
        default={}, description="further groups of this process with their slots: `{reports: 1}`, or `reports=1,etl2=4`"
    )
    output: Path = Field(default=Path("output"), description="local logs, journal, staging and temporary files")
    log_uri: str | None = Field(default=None, description="`s3://…` for attempt logs without `pipelineLogUri`")
    endpoint: str | None = Field(default=None, description="of Data Pipeline; default: the region's")
    region: str | None = Field(default=None, description="AWS region; default: the environment's, else us-east-1")
    # Calls of the service: rates of the whole account are 2, 10 and 10 a second.
    max_polls_per_second: float = Field(default=2.0, gt=0, description="polls of this process, all groups together")
    max_reports_per_second: float = Field(default=8.0, gt=0, description="progress reports; 100 may go at once")
    max_statuses_per_second: float = Field(default=8.0, gt=0, description="terminal statuses; 100 may go at once")
    report_interval: float = Field(default=60.0, gt=0, description="seconds between progress reports")
    ownership_window: float = Field(default=300.0, gt=0, description="silent seconds until a task counts as lost")
    heartbeat_interval: float = Field(default=900.0, gt=0, description="seconds")
    evaluate_scripts: bool = Field(
        default=False, description="evaluate `#{…}` in scripts behind a `scriptUri` (a task's `myEvaluateScript` wins)"
    )
    # Preconditions that the worker evaluates.
    preconditions: int = Field(default=2, ge=1, le=64, description="evaluations at the same time, beside `tasks`")
    maximum_preconditions: int = Field(
        default=240, ge=1, description="held at the same time; each is a report a minute. With more, no task is taken"
    )
    precondition_retry_delay: float = Field(default=600.0, ge=0, description="seconds, without a `retryDelay`")
    precondition_timeout: float = Field(default=86_400.0, gt=0, description="seconds, without a `preconditionTimeout`")
    # The processes of an attempt.
    kill_grace: float = Field(default=10.0, ge=0, description="seconds between TERM and KILL")
    keep_daemons: bool = Field(default=False, description="let processes that left the group outlive their attempt")
    nice: int = Field(default=0, ge=-20, le=19, description="niceness of attempts")
    memory_limit: ByteSize | None = Field(default=None, description="of all processes of an attempt: `4GiB`")
    run_as_user: str | None = Field(default=None, description="of attempts (a task's `myRunAsUser` wins); needs root")
    working_directory: Path | None = Field(default=None, description="default: a directory of the attempt's own")
    oom_score: int = Field(default=300, ge=0, le=1000, description="added to attempts' score: they go before the agent")
    hooks: Path | None = Field(default=Path("/etc/ductrunner/hooks"), description="directory of hooks; may be absent")
    hook_timeout: float = Field(default=600.0, gt=0, description="seconds a hook may take")
    # Going away.
    drain_timeout: float | None = Field(default=None, description="seconds a drain waits for running attempts")
    max_uptime: float | None = Field(default=None, gt=0, description="seconds until the agent drains by itself")
    instance_notices: Literal["auto", "on", "off"] = Field(
        default="auto", description="watch EC2's spot, rebalance and Auto Scaling notices; `auto`: on EC2"
    )
    notice_interval: float = Field(default=5.0, gt=0, description="seconds between looks for a notice")
    notice_reserve: float = Field(default=20.0, ge=0, description="seconds before the end for reports and logs")
    lifecycle_hook: str | None = Field(
        default=None, description="the one hook of Auto Scaling to complete; default: all of the termination"
    )
    rebalance: Literal["drain", "ignore"] = Field(default="drain", description="what a rebalance recommendation does")
    # When no task is taken.
    minimum_free_disk: int = Field(default=64 * 1024 * 1024, ge=0, description="bytes of the work directory")
    minimum_free_inodes: int = Field(default=1000, ge=0, description="of the work directory")
    minimum_free_memory: int = Field(default=64 * 1024 * 1024, ge=0, description="bytes available on the machine")
    maximum_load: float | None = Field(default=None, gt=0, description="load average per processor")
    staging_concurrency: int = Field(default=16, ge=1, le=256, description="objects on their way at the same time")
    # For operators.
    listen: str = Field(default="127.0.0.1:8717", description="status and metrics, loopback only; `off`: nowhere")
    metrics_interval: float = Field(default=60.0, gt=0, description="seconds between lines of metrics")

    @field_validator("worker_groups", mode="before")
    @classmethod
    def _read_groups(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        pairs = [entry.strip().rpartition("=") for entry in value.split(",") if entry.strip()]
        if not all(name and slots for name, _, slots in pairs):
            raise ValueError("write NAME=SLOTS, several with a comma between, for example reports=1,backfill=2")
        return {name.strip(): slots.strip() for name, _, slots in pairs}

    @model_validator(mode="after")
    def _name_each_group_once(self) -> Self:
        if self.worker_group in self.worker_groups:
            raise ValueError(f"the worker group {self.worker_group!r} stands in worker_groups too; name it once")
        return self


class LoggingSettings(Section):
    """What the agent says about itself, and what becomes of the output of attempts."""

    level: str = Field(default="INFO", description="of the agent's own lines: `DEBUG`, `INFO`, `WARNING`, `ERROR`")
    cloudwatch: bool = Field(default=True, description="send logs to CloudWatch Logs while they are written")
    cloudwatch_group: str | None = Field(default=None, description="default: `/ductrunner/<workerGroup>`")
    cloudwatch_interval: float = Field(default=1.0, gt=0, description="seconds that a line waits for others")
    backlog_limit: ByteSize = Field(
        default=ByteSize(4 * 1024**3), description="bytes that may wait for CloudWatch; what is older is dropped"
    )
    attempt_limit: ByteSize | None = Field(default=None, description="bytes kept of one stream of an attempt")
    s3_interval: float = Field(default=300.0, gt=0, description="seconds between uploads of a running attempt's logs")
    redacted_vars: tuple[str, ...] = Field(
        default=(
            "*_PASSWORD",
            "*_SECRET",
            "*_TOKEN",
            "*_PRIVATE_KEY",
            "*_ACCESS_KEY",
            "*_SECRET_KEY",
            "*_API_KEY",
            "*_CONNECTION_STRING",
        ),
        description="environment variables whose values are secret; in a variable: separated by commas",
    )
    keep_days: float = Field(default=14.0, gt=0, description="days that local logs are kept")
    keep_attempts: int = Field(default=10_000, ge=0, description="attempts whose local logs are kept")
    keep_disk_share: float = Field(default=0.2, gt=0, le=1, description="share of the disk that local logs may take")

    @field_validator("redacted_vars", mode="before")
    @classmethod
    def _separated(cls, value: Any) -> Any:
        return [name.strip() for name in value.split(",") if name.strip()] if isinstance(value, str) else value


class AlertSettings(Section):
    """Messages about failed attempts."""

    topic: str | None = Field(default=None, description="SNS topic; default: `etl.sns_topic_arn_failure`")
    per_hour: int = Field(default=60, ge=1, description="messages an hour at most; the rest is counted and told later")
    repeat_after: float = Field(default=900.0, ge=0, description="seconds until the same failure is told again")


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


class Ec2Settings(Section):
    """Machines that a pipeline's definition starts (Dataduct's section)."""

    instance_type: str | None = Field(default=None, description="for example `m5.large`")
    etl_ami: str | None = Field(default=None, description="image")
    security_group: str | None = Field(default=None, description="name of the security group")
    security_group_id: str | None = Field(default=None, description="or its id")
    subnet_id: str | None = Field(default=None, description="subnet")
    worker_group: str | None = Field(default=None, description="run on these workers; default of `agent.worker_group`")


class EmrSettings(Section):
    """Clusters that a pipeline's definition starts (Dataduct's section)."""

    master_instance_type: str | None = Field(default=None, description="of the primary node")
    core_instance_type: str | None = Field(default=None, description="of core nodes")
    task_instance_type: str | None = Field(default=None, description="of task nodes")
    num_core_instances: int | None = Field(default=None, ge=0, description="core nodes")
    task_instance_bid_price: float | None = Field(default=None, ge=0, description="US dollars an hour")
    cluster_ami: str | None = Field(default=None, description="release or AMI version")
    cluster_timeout: str | None = Field(default=None, description="for example `6 Hours`")
    hadoop_version: str | None = Field(default=None, description="for AMI versions that let choose")
    hive_version: str | None = Field(default=None, description="for AMI versions that let choose")
    pig_version: str | None = Field(default=None, description="for AMI versions that let choose")
    default_bootstrap: str | None = Field(default=None, description="bootstrap action of every cluster")
    worker_group: str | None = Field(default=None, description="run on these workers")


class BootstrapSettings(Section):
    """Where releases come from."""

    releases: str | None = Field(default=None, description="`s3://…` folder of the releases")


class CustomStepSettings(Section):
    """A step of your own: a class in a Python file, run as `ductrunner step <step_type>` (Dataduct's three keys)."""

    class_name: str = Field(description="class, or object of the class `Step`, in the file")
    file_path: Path = Field(description="the file; relative ones to `etl.custom_steps_path`")
    step_type: str = Field(pattern=r"^[a-z][a-z0-9-]*$", description="the step's name: small letters, digits and -")


AnyDatabase = TypeVar("AnyDatabase", bound=DatabaseLogin)


class Settings(Section):
    """The whole file."""

    etl: EtlSettings = EtlSettings()
    mysql: dict[str, MySqlHost] = {}
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
        if self.ec2.worker_group and not self.agent.worker_group:
            agent = self.agent.model_copy(update={"worker_group": self.ec2.worker_group})
            object.__setattr__(self, "agent", agent)
        return self

    @model_validator(mode="after")
    def _hooks_of_the_directory(self) -> Self:
        """Give each database the hook of its kind, where it names none itself."""
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
        return database.model_copy(update={"connect_hook": hook})


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
    known = {name for model in _subclasses(Section) for name in model.model_fields}
    close = difflib.get_close_matches(key, sorted(known), n=1, cutoff=0.5)
    return f", did you mean {close[0]!r}?" if close else ""


def _subclasses(model: type[Section]) -> Iterator[type[Section]]:
    for child in model.__subclasses__():
        yield child
        yield from _subclasses(child)
