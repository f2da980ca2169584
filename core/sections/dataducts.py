"""Sections that Dataduct's file has, too."""

from __future__ import annotations

from pathlib import Path

from pydantic import ConfigDict, Field

from core.sections.section import Section


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


#: What is said of keys that are read so that Dataduct's sections can be kept, and do nothing here.
_COMPILER = "for Dataduct's compiler alone, which wrote it into definitions; nothing here uses it: "


class Ec2Settings(Section):
    """Machines of Dataduct's definitions. Of these keys only ``worker_group`` has an effect here."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    instance_type: str | None = Field(default=None, description=f"{_COMPILER}type of the machine, such as `m5.large`")
    etl_ami: str | None = Field(default=None, description=f"{_COMPILER}its image")
    security_group: str | None = Field(default=None, description=f"{_COMPILER}name of its security group")
    security_group_id: str | None = Field(default=None, description=f"{_COMPILER}id of its security group")
    subnet_id: str | None = Field(default=None, description=f"{_COMPILER}its subnet")
    worker_group: str | None = Field(
        default=None, description="the worker's group where neither `--workerGroup` nor `agent.worker_group` names one"
    )


class EmrSettings(Section):
    """Clusters of Dataduct's definitions. Of these keys only ``worker_group`` has an effect here."""

    model_config = ConfigDict(coerce_numbers_to_str=True)

    master_instance_type: str | None = Field(default=None, description=f"{_COMPILER}type of the primary node")
    core_instance_type: str | None = Field(default=None, description=f"{_COMPILER}type of core nodes")
    task_instance_type: str | None = Field(default=None, description=f"{_COMPILER}type of task nodes")
    num_core_instances: int | None = Field(default=None, ge=0, description=f"{_COMPILER}number of core nodes")
    task_instance_bid_price: float | None = Field(
        default=None, ge=0, description=f"{_COMPILER}price of task nodes, US dollars an hour"
    )
    cluster_ami: str | None = Field(default=None, description=f"{_COMPILER}release or AMI version")
    cluster_timeout: str | None = Field(default=None, description=f"{_COMPILER}when it ends, such as `6 Hours`")
    hadoop_version: str | None = Field(default=None, description=f"{_COMPILER}Hadoop of old AMI versions")
    hive_version: str | None = Field(default=None, description=f"{_COMPILER}Hive of old AMI versions")
    pig_version: str | None = Field(default=None, description=f"{_COMPILER}Pig of old AMI versions")
    default_bootstrap: str | None = Field(default=None, description=f"{_COMPILER}bootstrap action of every cluster")
    worker_group: str | None = Field(
        default=None, description="the worker's group where `ec2.worker_group` names none either: a worker of a cluster"
    )


class CustomStepSettings(Section):
    """A step of your own: a class in a Python file, run as `ductrunner step <step_type>` (Dataduct's three keys)."""

    class_name: str = Field(description="class, or object of the class `Step`, in the file")
    file_path: Path = Field(description="the file; relative ones to `etl.custom_steps_path`")
    step_type: str = Field(pattern=r"^[A-Za-z][\w-]*$", description="the step's name: letters, digits, - and _")
