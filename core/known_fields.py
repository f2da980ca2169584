"""Fields that some type of object has, in AWS's spelling.

An object inherits everything that ``Default`` has, also what its own type has no use for: the guide's HadoopActivity
writes ``preActivityTaskConfig`` into ``Default``, so that data nodes and the script itself have it too. Such a field is
read past; one that no type has is an error. (Source: Developer Guide, *Pipeline object reference*, one page per type.)
"""

from __future__ import annotations

KNOWN_FIELDS = frozenset({
    "*password", "EbsBlockDeviceConfig", "additionalMasterSecurityGroupIds", "additionalSlaveSecurityGroupIds",
    "amiVersion", "applications", "argument", "associatePublicIpAddress", "bootstrapAction", "classification",
    "clusterId", "column", "columnSeparator", "command", "commandOptions", "compression", "configuration",
    "connectionString", "coreEbsConfiguration", "coreInstanceBidPrice", "coreInstanceCount", "coreInstanceType",
    "createTableSql", "customAmiId", "dataFormat", "database", "databaseName", "directoryPath",
    "dynamoDBDataFormat", "ebsBlockDeviceConfig", "ebsOptimized", "emrLogUri", "emrManagedMasterSecurityGroupId",
    "emrManagedSlaveSecurityGroupId", "emrVersion", "enableDebugging", "endDateTime", "escapeChar", "filePath",
    "filterSql", "generatedScriptsPath", "hadoopQueue", "hadoopSchedulerType", "hadoopVersion", "hiveScript",
    "hiveVersion", "imageId", "input", "inputRegEx", "insertMode", "insertQuery", "installHive", "installPig",
    "instanceCount", "iops", "jarUri", "jdbcDriverClass", "jdbcDriverJarUri", "jdbcProperties", "key", "logUri",
    "mainClass", "manifestFilePath", "masterEbsConfiguration", "masterInstanceBidPrice", "masterInstanceType",
    "masterSecurityGroupId", "maxInstanceCount", "message", "minInstanceCount", "occurrences", "output",
    "outputFormat", "password", "period", "pigVersion", "port", "postActivityTaskConfig", "postStepCommand",
    "preActivityTaskConfig", "preStepCommand", "preconditionTimeout", "primaryKeys", "property", "queue",
    "rdsInstanceId", "readThroughputPercent", "recordSeparator", "region", "releaseLabel",
    "resizeClusterBeforeRunning", "resizeClusterMaxInstances", "s3EncryptionType", "s3Key", "s3NoProxy", "s3Prefix",
    "schemaName", "script", "scriptArgument", "scriptUri", "scriptVariable", "selectQuery",
    "serviceAccessSecurityGroupId", "sizeInGB", "slaveSecurityGroupId", "spotBidPrice", "stage",
    "standardBootstrapAction", "startAt", "startDateTime", "stderr", "stdout", "step", "subject",
    "supportedProducts", "table", "tableName", "taskEbsConfiguration", "taskInstanceBidPrice", "taskInstanceCount",
    "taskInstanceType", "topicArn", "transformSql", "username", "value", "visibleToAllUsers", "volumeSpecification",
    "volumeType", "volumesPerInstance", "windowsDomain", "windowsWorkGroup", "windowsWorkgroup",
    "writeThroughputPercent",
})  # fmt: skip
