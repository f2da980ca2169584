"""EMR's scripts of Hive that export and import tables, which definitions named before there was a tool for it.

A step of the older template and samples, in one line::

    s3://elasticmapreduce/libs/script-runner/script-runner.jar, s3://elasticmapreduce/libs/hive/hive-script,
    --run-hive-script, --hive-versions, latest, --args, -f,
    s3://elasticmapreduce/libs/hive/dynamodb/exportDynamoDBTableToS3, -d, DYNAMODB_INPUT_TABLE=…,
    -d, S3_OUTPUT_BUCKET=…, -d, DYNAMODB_READ_PERCENT=0.25, -d, DYNAMODB_ENDPOINT=dynamodb.us-east-1.amazonaws.com

The scripts are in a bucket of AWS and need Hive's storage handler; what they do is what a HiveCopyActivity does.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence
from dataclasses import dataclass

from core.errors import ParameterError
from core.settings import load_settings
from steps_impl.activities.dynamodb.copying import ItemCopy
from steps_impl.activities.objects.nodes import DynamoDBDataNode, S3DataNode
from steps_impl.contract import StepContext, StepResult

_SCRIPT = re.compile(
    r"s3[na]?://(?:[\w-]+\.)?elasticmapreduce/libs/hive/dynamodb/(exportDynamoDBTableToS3|importDynamoDBTableFromS3)"
)
_ENDPOINT = re.compile(r"(?:https?://)?dynamodb\.([a-z0-9-]+)\.amazonaws\.com/?")


@dataclass(frozen=True)
class EmrScript:
    """One of the scripts with its variables."""

    exports: bool
    variables: dict[str, str]

    def run(self, context: StepContext) -> StepResult:
        """Do what the script does.

        Raises:
            ParameterError: a variable is missing or wrong.
            StoreError, UnsupportedValue, InterruptedError: as ``ItemCopy.straight``.
        """
        table, files = self._table(), self._files()
        source, target = (table, files) if self.exports else (files, table)
        return ItemCopy(source, target, load_settings().dynamodb, context).straight().result()

    def _table(self) -> DynamoDBDataNode:
        endpoint = _ENDPOINT.fullmatch(self.variables.get("DYNAMODB_ENDPOINT", ""))
        share = self._share("DYNAMODB_READ_PERCENT" if self.exports else "DYNAMODB_WRITE_PERCENT")
        name = self._variable("DYNAMODB_INPUT_TABLE" if self.exports else "DYNAMODB_OUTPUT_TABLE")
        return DynamoDBDataNode(
            table_name=name,
            region=endpoint[1] if endpoint else None,
            read_throughput_percent=share,
            write_throughput_percent=share,
        )

    def _files(self) -> S3DataNode:
        return S3DataNode(directory_path=self._variable("S3_OUTPUT_BUCKET" if self.exports else "S3_INPUT_BUCKET"))

    def _variable(self, name: str) -> str:
        if value := self.variables.get(name):
            return value
        raise ParameterError(f"the step that runs EMR's script for DynamoDB gives no {name}; write -d,{name}=…")

    def _share(self, name: str) -> float:
        text = self.variables.get(name, "0.5")
        try:
            share = float(text)
        except ValueError:
            share = 0.0
        if not 0.1 <= share <= 1.5:
            raise ParameterError(f"{name} is {text!r}; write a number from 0.1 to 1.0")
        return min(share, 1.0)


def emr_script(arguments: Sequence[str]) -> EmrScript | None:
    """Return the script that a step's arguments run, if it is one of these."""
    words = [argument.strip() for argument in arguments]
    found = next((match for word in words if (match := _SCRIPT.fullmatch(word))), None)
    if found is None:
        return None
    given = [after for word, after in itertools.pairwise(words) if word in ("-d", "--define", "--hivevar")]
    return EmrScript(found[1].startswith("export"), dict(pair.split("=", 1) for pair in given if "=" in pair))
