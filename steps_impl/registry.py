"""Which steps there are, and what a step is made of."""

from __future__ import annotations

import importlib
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict

from steps_impl.contract import StepContext, StepResult

#: Name of each step that Ductrunner brings, and the module whose ``STEP`` it is. Imported only when it is run.
#: A new step adds its line here; then ``make docs`` makes its help and its reference page.
MODULES = {
    "column-check": "steps_impl.quality.column_check",
    "compare": "steps_impl.quality.compare",
    "copy-activity": "steps_impl.activities.copy_activity",
    "count-check": "steps_impl.quality.count_check",
    "create-load-redshift": "steps_impl.load.create_load_redshift",
    "create-update-sql": "steps_impl.warehouse.create_update_sql",
    "create-view": "steps_impl.warehouse.create_view",
    "delta-load": "steps_impl.warehouse.delta_load",
    "emr-activity": "steps_impl.activities.emr_activity",
    "emr-step": "steps_impl.compute.emr_step",
    "emr-streaming": "steps_impl.compute.emr_streaming",
    "exists": "steps_impl.activities.exists",
    "extract-dynamodb": "steps_impl.extract.dynamodb",
    "extract-local": "steps_impl.extract.local",
    "extract-postgres": "steps_impl.extract.postgres",
    "extract-rds": "steps_impl.extract.rds",
    "extract-redshift": "steps_impl.extract.redshift",
    "extract-s3": "steps_impl.extract.s3",
    "freshness-check": "steps_impl.quality.freshness_check",
    "hadoop-activity": "steps_impl.activities.hadoop_activity",
    "history": "steps_impl.warehouse.history",
    "hive-activity": "steps_impl.activities.hive_activity",
    "hive-copy-activity": "steps_impl.activities.hive_copy_activity",
    "load-cassandra": "steps_impl.load.load_cassandra",
    "load-dynamodb": "steps_impl.load.dynamodb",
    "load-mysql": "steps_impl.load.load_mysql",
    "load-postgres": "steps_impl.load.load_postgres",
    "load-redshift": "steps_impl.load.load_redshift",
    "load-reload-pk": "steps_impl.warehouse.load_reload_pk",
    "load-s3": "steps_impl.load.s3",
    "notify": "steps_impl.control.notify",
    "null-rate-check": "steps_impl.quality.null_rate_check",
    "pig-activity": "steps_impl.activities.pig_activity",
    "pipeline-dependencies": "steps_impl.control.pipeline_dependencies",
    "primary-key-check": "steps_impl.quality.primary_key_check",
    "qa-transform": "steps_impl.compute.qa_transform",
    "redshift-copy-activity": "steps_impl.activities.redshift_copy_activity",
    "reload": "steps_impl.warehouse.reload",
    "sql-activity": "steps_impl.activities.sql_activity",
    "sql-check": "steps_impl.quality.sql_check",
    "sql-command": "steps_impl.warehouse.sql_command",
    "teardown": "steps_impl.control.teardown",
    "transform": "steps_impl.compute.transform",
    "upsert": "steps_impl.warehouse.upsert",
    "wait-for-data": "steps_impl.control.wait_for_data",
}


class Parameters(BaseModel):
    """Base of every step's parameters; flags, validation, help and the reference page come from its fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


@dataclass(frozen=True)
class Step:
    """A step: its name, one line about it, its parameters and the function that does it."""

    name: str
    summary: str
    parameters: type[Parameters]
    #: Called as ``run(parameters, context)``; the parameters are an instance of ``parameters``.
    run: Callable[[Any, StepContext], StepResult]


def load_step(name: str, environment: Mapping[str, str] = os.environ) -> Step:
    """Return a step: the ``STEP`` of its module, or one of the user's own.

    Raises:
        ParameterError: no step has this name.
        SettingsError, HookFailed: a step of the user's own cannot be loaded.
    """
    if name in MODULES:
        step: Step = importlib.import_module(MODULES[name]).STEP
        return step
    from steps_impl.custom import load_custom  # only where a step is not one of ours

    return load_custom(name, environment)
