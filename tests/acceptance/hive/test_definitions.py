"""Whole definitions of the kinds that are public, through sandbox, agent and engines; checked by their data."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from tests.conftest import RunningSandbox
from tests.dynamodb_tables import Tables
from tests.integration.dynamodb.test_export_and_import import EVERYTHING

SCHEDULE = {
    "id": "Once",
    "type": "Schedule",
    "startAt": "FIRST_ACTIVATION_DATE_TIME",
    "period": "1 day",
    "occurrences": "1",
}
DEFAULT = {
    "id": "Default",
    "scheduleType": "CRON",
    "schedule": {"ref": "Once"},
    "failureAndRerunMode": "CASCADE",
    "role": "DataPipelineDefaultRole",
    "resourceRole": "DataPipelineDefaultResourceRole",
    "maximumRetries": "0",
}
CLUSTER = {
    "id": "Cluster",
    "type": "EmrCluster",
    "amiVersion": "3.8.0",
    "region": "us-east-1",
    "terminateAfter": "2 Hours",
}
JAR = "s3://dynamodb-emr-#{myRegion}/emr-ddb-storage-handler/2.1.0/emr-ddb-2.1.0.jar"
TOOLS = "org.apache.hadoop.dynamodb.tools"
EXPORTED = "#{output.directoryPath},#{input.tableName},#{input.readThroughputPercent}"
NEWER = "s3://dynamodb-dpl-us-east-1/emr-ddb-storage-handler/4.11.0/emr-dynamodb-tools-4.11.0-SNAPSHOT-jar-with-dependencies.jar"
HANDLER = "org.apache.hadoop.hive.dynamodb.DynamoDBStorageHandler"


@pytest.fixture
def tables(sandbox: RunningSandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Tables]:
    """Tables of the whole sandbox."""
    for name, value in sandbox.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    made = Tables()
    yield made
    made.client.close()


@pytest.fixture
def run(sandbox: RunningSandbox, tables: Tables, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a definition of these objects with these parameters."""

    def pipeline(*objects: dict[str, Any], **values: str) -> subprocess.CompletedProcess[str]:
        path = tmp_path / "definition.json"
        parameters = [{"id": name, "type": "String"} for name in values]
        path.write_text(json.dumps({"objects": [DEFAULT, SCHEDULE, CLUSTER, *objects], "parameters": parameters}))
        words = [word for name, value in values.items() for word in ("-p", f"{name}={value}")]
        done = sandbox.ductrunner("pipeline", "run", str(path), *words, "--output", str(tmp_path / "out"))
        assert done.returncode == 0, done.stdout + done.stderr
        return done

    return pipeline


def test_the_template_that_copies_a_table_through_s3(run: Any, tables: Tables, s3_of_sandbox: str) -> None:
    source, target, third = tables.create(), tables.create(), tables.create()
    tables.fill(source, [EVERYTHING, {"id": {"S": "b"}}])
    run(
        {"id": "From", "type": "DynamoDBDataNode", "tableName": "#{myFrom}", "readThroughputPercent": "#{myRatio}"},
        {
            "id": "Temp",
            "type": "S3DataNode",
            "directoryPath": "#{myPlace}/#{format(@scheduledStartTime, 'YYYY-MM-dd')}",
        },
        {"id": "To", "type": "DynamoDBDataNode", "tableName": "#{myTo}", "writeThroughputPercent": "#{myRatio}"},
        {
            "id": "Backup",
            "type": "EmrActivity",
            "runsOn": {"ref": "Cluster"},
            "input": {"ref": "From"},
            "output": {"ref": "Temp"},
            "resizeClusterBeforeRunning": "true",
            "step": [f"{JAR},{TOOLS}.DynamoDbExport,{EXPORTED}"],
        },
        {
            "id": "Load",
            "type": "EmrActivity",
            "runsOn": {"ref": "Cluster"},
            "dependsOn": {"ref": "Backup"},
            "input": {"ref": "Temp"},
            "output": {"ref": "To"},
            "step": f"\n{JAR},\n  {TOOLS}.DynamoDbImport,\n  "
            "#{input.directoryPath},\n #{output.tableName},\n #{output.writeThroughputPercent}",
        },
        {
            "id": "LoadByHadoop",
            "type": "HadoopActivity",
            "runsOn": {"ref": "Cluster"},
            "dependsOn": {"ref": "Load"},
            "input": {"ref": "Temp"},
            "jarUri": NEWER,
            "argument": [f"{TOOLS}.DynamoDBImport", "#{input.directoryPath}", third, "0.90"],
        },
        myFrom=source,
        myTo=target,
        myRatio="0.25",
        myRegion="us-east-1",
        myPlace=f"s3://{s3_of_sandbox}/template",
    )
    assert tables.items(target) == tables.items(source)
    assert tables.items(third) == tables.items(source)


@pytest.mark.usefixtures("engines")
def test_the_samples_that_export_a_table_as_csv_and_import_a_csv(run: Any, tables: Tables, s3_of_sandbox: str) -> None:
    source, target = tables.create(), tables.create()
    tables.fill(source, [{"id": {"S": "a"}, "Age": {"N": "7"}}, {"id": {"S": "b"}}])
    place = f"s3://{s3_of_sandbox}/samples"
    run(
        {"id": "Schema", "type": "DynamoDBExportDataFormat", "column": "not_used STRING"},
        {"id": "Csv", "type": "CSV", "column": "id"},
        {"id": "Table", "type": "DynamoDBDataNode", "tableName": "#{myTable}", "dataFormat": {"ref": "Schema"}},
        {"id": "Files", "type": "S3DataNode", "directoryPath": f"{place}/out/", "dataFormat": {"ref": "Csv"}},
        {
            "id": "Export",
            "type": "HiveActivity",
            "runsOn": {"ref": "Cluster"},
            "input": {"ref": "Table"},
            "output": {"ref": "Files"},
            "hiveScript": "DROP TABLE IF EXISTS tempHiveTable;\n\nDROP TABLE IF EXISTS s3TempTable;\n\n"
            f"CREATE EXTERNAL TABLE tempHiveTable (#{{myColumns}})\nSTORED BY '{HANDLER}' \n"
            'TBLPROPERTIES ("dynamodb.table.name" = "#{myTable}", "dynamodb.column.mapping" = "#{myMapping}");\n\n'
            "CREATE EXTERNAL TABLE s3TempTable (#{myColumns})\n"
            f"ROW FORMAT DELIMITED FIELDS TERMINATED BY ',' LINES TERMINATED BY '\\n'\nLOCATION '{place}/out';\n\n"
            "INSERT OVERWRITE TABLE s3TempTable SELECT * FROM tempHiveTable;",
        },
        {
            "id": "Import",
            "type": "HiveActivity",
            "runsOn": {"ref": "Cluster"},
            "dependsOn": {"ref": "Export"},
            "stage": "false",
            "input": {"ref": "Table"},
            "output": {"ref": "Files"},
            "hiveScript": "DROP TABLE IF EXISTS tempHiveTable;\n"
            f"CREATE EXTERNAL TABLE tempHiveTable (#{{myColumns}})\nSTORED BY '{HANDLER}' \n"
            f'TBLPROPERTIES ("dynamodb.table.name" = "{target}", "dynamodb.column.mapping" = "#{{myMapping}}");\n'
            "INSERT OVERWRITE TABLE tempHiveTable SELECT * FROM s3TempTable;",
        },
        myTable=source,
        myColumns="id string,age bigint",
        myMapping="id:id,age:Age",
    )
    assert tables.items(target) == tables.items(source)


@pytest.fixture
def s3_of_sandbox(tables: Tables) -> Iterator[str]:
    """A bucket of the whole sandbox."""
    client = boto3.client("s3")
    client.create_bucket(Bucket="definitions")
    yield "definitions"
    client.close()
