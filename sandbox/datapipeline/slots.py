"""What the value of a field may be: the "slot type" that the developer guide gives it.

Source: AWS Data Pipeline Developer Guide, *Pipeline object reference* and *Simple data types*. A field of the catalogue
that stands in none of these tables is a string; users' own fields (``my…``, ``_…``) may be anything.
"""

from __future__ import annotations

from sandbox.datapipeline import limits
from sandbox.datapipeline.catalogue import Kind

_ACTIONS = frozenset({Kind.ACTION})
_RUNNABLE = frozenset({Kind.ACTIVITY, Kind.DATA_NODE, Kind.RESOURCE})
_CONFIGURATION = frozenset({Kind.CONFIGURATION})
_DATA_FORMAT = frozenset({Kind.DATA_FORMAT})
_DATA_NODE = frozenset({Kind.DATA_NODE})
#: Fields whose value is a reference, with the kinds of object that it may lead to.
REFERENCES: dict[str, frozenset[Kind]] = {
    "schedule": frozenset({Kind.SCHEDULE}),
    "runsOn": frozenset({Kind.RESOURCE}),
    "input": _DATA_NODE,
    "output": _DATA_NODE,
    "dependsOn": _RUNNABLE,
    "onFail": _ACTIONS,
    "onSuccess": _ACTIONS,
    "onLateAction": _ACTIONS,
    "precondition": frozenset({Kind.PRECONDITION}),
    "database": frozenset({Kind.DATABASE}),
    "dataFormat": _DATA_FORMAT,
    "dynamoDBDataFormat": _DATA_FORMAT,
    "parent": frozenset(Kind),
    "node": frozenset(Kind),
    **dict.fromkeys(("httpProxy", "configuration", "property"), _CONFIGURATION),
    **dict.fromkeys(("preActivityTaskConfig", "postActivityTaskConfig"), _CONFIGURATION),
    **dict.fromkeys(("coreEbsConfiguration", "masterEbsConfiguration", "taskEbsConfiguration"), _CONFIGURATION),
    **dict.fromkeys(("ebsBlockDeviceConfig", "volumeSpecification"), _CONFIGURATION),
}
#: References that are text in an example of the guide (*SqlDataNode*), with their type.
TEXTS_TOO = frozenset({("SqlDataNode", "database")})
#: Fields of which an object has one value at most.
SINGLE = frozenset(
    {
        *("type", "parent", "schedule", "scheduleType", "failureAndRerunMode", "workerGroup", "runsOn"),
        *("command", "scriptUri", "script", "hiveScript", "database", "stage", "insertMode", "transformSql"),
        *("period", "startDateTime", "startAt", "endDateTime", "occurrences"),
        *("filePath", "directoryPath", "dataFormat", "table", "tableName", "connectionString", "clusterId"),
    }
)
ENUMERATIONS: dict[str, tuple[str, ...]] = {
    "scheduleType": ("cron", "ondemand", "timeseries"),
    "failureAndRerunMode": ("cascade", "none"),
    "insertMode": ("KEEP_EXISTING", "OVERWRITE_EXISTING", "TRUNCATE", "APPEND"),
    "compression": ("none", "gzip"),
    "s3EncryptionType": ("SERVER_SIDE_ENCRYPTION", "NONE"),
    "startAt": ("FIRST_ACTIVATION_DATE_TIME", "ONDEMAND_ACTIVATION_TIME"),
    "actionOnResourceFailure": ("retryall", "retrynone"),
    "actionOnTaskFailure": ("continue", "terminate"),
    "hadoopSchedulerType": ("PARALLEL_FAIR_SCHEDULING", "PARALLEL_CAPACITY_SCHEDULING", "DEFAULT_SCHEDULER"),
}
BOOLEANS = frozenset(
    {
        *("stage", "associatePublicIpAddress", "ebsOptimized", "resizeClusterBeforeRunning", "s3NoProxy"),
        "useOnDemandOnLastAttempt",
    }
)
MOST = 2**31 - 1
#: Whole numbers, with the lowest and the highest.
INTEGERS: dict[str, tuple[int, int]] = {
    "maximumRetries": (0, limits.MAX_RETRIES),
    "occurrences": (1, MOST),
    **dict.fromkeys(("maxActiveInstances", "resizeClusterMaxInstances", "volumesPerInstance", "sizeInGB"), (1, MOST)),
    **dict.fromkeys(("coreInstanceCount", "taskInstanceCount", "instanceCount", "iops"), (0, MOST)),
    **dict.fromkeys(("minInstanceCount", "maxInstanceCount"), (0, MOST)),
}
#: Whole numbers of which these kinds may have more: the limit is on the "retries of a pipeline activity" (*Limits*).
UNLIMITED: dict[str, frozenset[Kind]] = {"maximumRetries": frozenset({Kind.PRECONDITION})}
#: Decimal numbers, with the lowest and the highest.
DOUBLES: dict[str, tuple[float, float]] = {
    "readThroughputPercent": (0.1, 1.0),
    "writeThroughputPercent": (0.1, 1.0),
}
PERIODS = frozenset(
    {
        *("period", "attemptTimeout", "retryDelay", "lateAfterTimeout", "reportProgressTimeout"),
        *("preconditionTimeout", "terminateAfter", "initTimeout"),
    }
)
DATETIMES = frozenset({"startDateTime", "endDateTime"})
