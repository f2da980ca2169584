"""The object types of AWS Data Pipeline and the fields that each has.

Source: AWS Data Pipeline Developer Guide, *Pipeline object reference*, one page per type. A name in ``required`` may
be a group ``a|b``: exactly one of its fields must be there.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Kind(Enum):
    """What sort of thing an object is."""

    DEFAULT = "Default"
    ACTIVITY = "activity"
    DATA_NODE = "data node"
    RESOURCE = "resource"
    PRECONDITION = "precondition"
    ACTION = "action"
    SCHEDULE = "schedule"
    DATABASE = "database"
    DATA_FORMAT = "data format"
    CONFIGURATION = "configuration"
    ABSTRACT = "object without a type"
    UNKNOWN = "object of an unknown type"


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One type: its kind, the fields it must have and those it may have."""

    kind: Kind
    required: tuple[str, ...] = ()
    optional: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        """Return every field that an object of the type may have."""
        return self.optional | {name for group in self.required for name in group.split("|")} | COMMON_FIELDS


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


#: Fields that any object may carry. Runtime fields (``@…``) and user fields (``my…``, ``_…``) come on top.
COMMON_FIELDS = _names("id name type parent")
#: Fields that the service and the worker fill in while an object runs.
RUNTIME_SLOTS = _names(
    "attemptStatus cancellationReason currentRetryCount emrStepLog errorId errorMessage errorStackTrace hadoopJobLog "
    "hostname lastRetryTime reportProgressTime"
)
_RUNNABLE = RUNTIME_SLOTS | _names(
    "attemptTimeout dependsOn failureAndRerunMode lateAfterTimeout maxActiveInstances maximumRetries onFail "
    "onLateAction onSuccess pipelineLogUri precondition reportProgressTimeout retryDelay schedule scheduleType "
    "runsOn workerGroup"
)
_ACTIVITY = _RUNNABLE | _names("description httpProxy input output")
_RESOURCE = _RUNNABLE | _names(
    "actionOnResourceFailure actionOnTaskFailure availabilityZone httpProxy initTimeout keyPair region resourceRole "
    "role subnetId terminateAfter useOnDemandOnLastAttempt logUri"
)
_PRECONDITION = RUNTIME_SLOTS | _names(
    "attemptTimeout failureAndRerunMode lateAfterTimeout maximumRetries node onFail onLateAction onSuccess "
    "preconditionTimeout reportProgressTimeout retryDelay runsOn workerGroup pipelineLogUri"
)
_DATABASE = _names("databaseName jdbcProperties jdbcDriverJarUri region")

_ACTIVITIES = {
    "ShellCommandActivity": ("command|scriptUri", "scriptArgument stage stderr stdout"),
    "CopyActivity": ("input output", ""),
    "SqlActivity": ("database script|scriptUri", "scriptArgument queue"),
    "RedshiftCopyActivity": ("insertMode input output", "commandOptions queue transformSql"),
    "EmrActivity": ("", "step preStepCommand postStepCommand resizeClusterBeforeRunning resizeClusterMaxInstances"),
    "HadoopActivity": ("jarUri", "argument hadoopQueue mainClass preActivityTaskConfig postActivityTaskConfig"),
    "HiveActivity": (
        "hiveScript|scriptUri",
        (
            "hadoopQueue scriptVariable stage preActivityTaskConfig postActivityTaskConfig resizeClusterBeforeRunning "
            "resizeClusterMaxInstances"
        ),
    ),
    "HiveCopyActivity": (
        "",
        (
            "filterSql generatedScriptsPath preActivityTaskConfig postActivityTaskConfig resizeClusterBeforeRunning "
            "resizeClusterMaxInstances"
        ),
    ),
    "PigActivity": (
        "script|scriptUri",
        (
            "scriptVariable stage generatedScriptsPath preActivityTaskConfig postActivityTaskConfig "
            "resizeClusterBeforeRunning resizeClusterMaxInstances"
        ),
    ),
}
_DATA_NODES = {
    "S3DataNode": ("", "compression dataFormat directoryPath filePath manifestFilePath s3EncryptionType"),
    "SqlDataNode": (
        "table",
        "connectionString createTableSql database insertQuery password *password schemaName selectQuery username",
    ),
    "MySqlDataNode": (
        "table",
        "connectionString createTableSql database insertQuery password *password schemaName selectQuery username",
    ),
    "RedshiftDataNode": ("database tableName", "createTableSql primaryKeys schemaName"),
    "DynamoDBDataNode": (
        "tableName",
        "dataFormat dynamoDBDataFormat readThroughputPercent region writeThroughputPercent",
    ),
}
_RESOURCES = {
    "Ec2Resource": (
        "resourceRole role",
        (
            "associatePublicIpAddress imageId instanceCount "
            "instanceType maximumRetries minInstanceCount maxInstanceCount "
            "runAsUser "
            "securityGroupIds securityGroups spotBidPrice"
        ),
    ),
    "EmrCluster": (
        "",
        (
            "additionalMasterSecurityGroupIds additionalSlaveSecurityGroupIds amiVersion applications bootstrapAction "
            "configuration coreEbsConfiguration coreInstanceBidPrice coreInstanceCount coreInstanceType "
            "customAmiId EbsBlockDeviceConfig emrManagedMasterSecurityGroupId emrManagedSlaveSecurityGroupId "
            "enableDebugging hadoopSchedulerType hadoopVersion initTimeout masterEbsConfiguration "
            "masterInstanceBidPrice masterInstanceType masterSecurityGroupId releaseLabel serviceAccessSecurityGroupId "
            "slaveSecurityGroupId supportedProducts taskEbsConfiguration taskInstanceBidPrice taskInstanceCount "
            "taskInstanceType standardBootstrapAction emrVersion visibleToAllUsers "
            # of editions before 2014, still seen in definitions that run since then
            "installHive installPig hiveVersion pigVersion emrLogUri"
        ),
    ),
}
_PRECONDITIONS = {
    "Exists": ("", ""),
    "ShellCommandPrecondition": ("command|scriptUri", "scriptArgument stderr stdout"),
    "S3KeyExists": ("role s3Key", ""),
    "S3PrefixNotEmpty": ("role s3Prefix", ""),
    "DynamoDBDataExists": ("role tableName", "region"),
    "DynamoDBTableExists": ("role tableName", "region"),
}
_OTHERS = {
    "Schedule": (Kind.SCHEDULE, "period startAt|startDateTime", "endDateTime occurrences"),
    "SnsAlarm": (Kind.ACTION, "message role subject topicArn", "node"),
    "Terminate": (Kind.ACTION, "", "node"),
    "CSV": (Kind.DATA_FORMAT, "", "column escapeChar recordSeparator"),
    "TSV": (Kind.DATA_FORMAT, "", "column columnSeparator escapeChar recordSeparator"),
    "Custom": (Kind.DATA_FORMAT, "columnSeparator", "column recordSeparator"),
    "RegEx": (Kind.DATA_FORMAT, "", "column inputRegEx outputFormat"),
    "DynamoDBDataFormat": (Kind.DATA_FORMAT, "", "column"),
    "DynamoDBExportDataFormat": (Kind.DATA_FORMAT, "", "column"),
    "HttpProxy": (
        Kind.CONFIGURATION,
        "hostname port",
        "username password *password windowsDomain windowsWorkGroup windowsWorkgroup s3NoProxy",
    ),
    "ShellScriptConfig": (Kind.CONFIGURATION, "", "scriptUri scriptArgument"),
    "EmrConfiguration": (Kind.CONFIGURATION, "classification", "configuration property"),
    "Property": (Kind.CONFIGURATION, "key value", ""),
    "EbsConfiguration": (Kind.CONFIGURATION, "", "ebsBlockDeviceConfig ebsOptimized"),
    "EbsBlockDeviceConfig": (Kind.CONFIGURATION, "", "volumeSpecification volumesPerInstance"),
    "VolumeSpecification": (Kind.CONFIGURATION, "sizeInGB", "iops volumeType"),
}
_DATABASES = {
    "RdsDatabase": ("rdsInstanceId username *password|password", ""),
    "RedshiftDatabase": ("clusterId|connectionString username *password|password", ""),
    "JdbcDatabase": ("connectionString jdbcDriverClass username *password|password", ""),
}


def _build() -> dict[str, ObjectType]:
    table: dict[str, ObjectType] = {}
    families = (
        (Kind.ACTIVITY, _ACTIVITIES, _ACTIVITY),
        (Kind.DATA_NODE, _DATA_NODES, _RUNNABLE),
        (Kind.RESOURCE, _RESOURCES, _RESOURCE),
        (Kind.PRECONDITION, _PRECONDITIONS, _PRECONDITION | {"role"}),
        (Kind.DATABASE, _DATABASES, _DATABASE),
    )
    for kind, members, shared in families:
        for name, (required, optional) in members.items():
            table[name] = ObjectType(kind, tuple(required.split()), _names(optional) | shared)
    for name, (kind, required, optional) in _OTHERS.items():
        table[name] = ObjectType(kind, tuple(required.split()), _names(optional))
    return table


#: Every type by its name.
TYPES = _build()


def kind_of(type_name: str | None) -> Kind:
    """Return the kind of a type; an object without a type is an abstract parent."""
    if type_name is None:
        return Kind.ABSTRACT
    return TYPES[type_name].kind if type_name in TYPES else Kind.UNKNOWN
