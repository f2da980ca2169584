"""What becomes of each activity of the definitions when it is run here; what is not named finishes."""

from __future__ import annotations

#: Definition → activity → how it ends: the kind of its error, or a status.
OTHERWISE: dict[str, dict[str, set[str]]] = {
    # No Spark on this machine.
    "guide/emr_spark_release": {"EmrActivityObj": {"ProgramMissing"}},
    "projects/samples_spark_on_demand": {"EmrActivityId_Bo5Zd": {"ProgramMissing"}},
    "projects/hyperion_compiled": {"EmrActivity_1": {"ProgramMissing"}},
    # The guide's own command ends with another status, so that its alarm has something to tell.
    "guide/alarms_and_nodes": {"ShellOut": {"CommandFailed"}},
    # There is no such jar; whether that or its lateness comes first is a matter of time.
    "guide/terminate_what_is_late": {"DefaultActivity1": {"ScriptNotFound", "NotFound", "CANCELED"}},
    # Jars and scripts of AWS that only AWS has.
    "projects/samples_terasort": {
        "TeraGen-10GB": {"ScriptNotFound"},
        "TeraSort": {"CASCADE_FAILED"},
        "ProcessJHIST": {"CASCADE_FAILED"},
    },
    "projects/samples_sqoop_as_a_step": {"ActivityId_6vvjv": {"CommandFailed"}},
    # The guide's example has the name of a database where a reference belongs.
    "guide/sql_data_node": {"CopyEvents": {"InvalidParameters"}},
    # A step that fails, and a teardown that tells it.
    "dataduct/failed_pipeline": {
        "failing_step.ShellCommandActivity0": {"CommandFailed"},
        "teardown_step.ShellCommandActivity0": {"CASCADE_FAILED"},
    },
    # No driver but those for MySQL, Postgres and Redshift.
    "projects/samples_oracle_backup": {"BackupTable": {"UnsupportedDatabase"}},
}
#: Definition → activity → words that its error must hold: it says by name what is missing.
NAMED: dict[str, dict[str, str]] = {
    "guide/emr_spark_release": {"EmrActivityObj": "spark-submit"},
    "guide/sql_data_node": {"CopyEvents": "SqlDataNode.database: must be a reference"},
    "projects/samples_terasort": {"TeraGen-10GB": "hadoop-examples-1.0.3.jar"},
    "projects/samples_sqoop_as_a_step": {"ActivityId_6vvjv": "sqoop-is-not-here"},
    "projects/samples_oracle_backup": {"BackupTable": "jdbc:oracle"},
}
