"""Runs a script on the machine's own ``hive``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from core.sections.activities import DynamoDbSettings
from core.settings import load_settings
from steps_impl.activities.cluster import Cluster
from steps_impl.activities.cluster.files import keep_script
from steps_impl.activities.hive.handler import HandlerTable, rewrite
from steps_impl.activities.hive.staging import Staging
from steps_impl.activities.objects.nodes import DataNode, S3DataNode

#: Where EMR keeps DynamoDB's storage handler for Hive.
_HANDLER_JARS = Path("/usr/share/aws/emr/ddb/lib")
#: Asks for server-side encryption: EMR's file system, Hadoop's own.
_ENCRYPTION = {
    "fs.s3.enableServerSideEncryption": "true",
    "fs.s3a.server-side-encryption-algorithm": "AES256",
}


@dataclass(frozen=True)
class HiveRun:
    """How scripts are run for one activity; ``copies`` is where they are kept for people to read, if anywhere."""

    cluster: Cluster
    copies: str | None = None

    def run(self, script: str, variables: Mapping[str, str], title: str = "the Hive script") -> int:
        """Run a script; return how many items it has put into tables of DynamoDB, as far as that is done here.

        Args:
            script: The statements.
            variables: Hive's variables that they use, where they are needed to read declarations.
            title: What messages call it.

        Raises:
            ProgramMissing: there is no ``hive`` here.
            CommandFailed, CommandKilled: a statement failed; the log says which.
            StoreError, UnsupportedValue, InterruptedError: of tables of DynamoDB.
        """
        program = self.cluster.program("hive")
        settings = load_settings().dynamodb
        folder = self.cluster.new_file("tables")
        script, tables = self._without_handler(script, variables, folder, settings)
        staging = Staging(tables, folder, settings, self.cluster.context)
        staging.fill()
        path = keep_script(self.cluster, "script.q", script, self.copies)
        self.cluster.run([program, "-f", path], title)
        return staging.put_back()

    def _without_handler(
        self, script: str, variables: Mapping[str, str], folder: Path, settings: DynamoDbSettings
    ) -> tuple[str, list[HandlerTable]]:
        if settings.hive_handler == "cluster" or (settings.hive_handler == "auto" and has_handler()):
            return script, []
        return rewrite(script, variables, str(folder))


def job_settings(queue: str | None, outputs: Sequence[DataNode]) -> dict[str, str]:
    """Return the properties that all jobs get: the queue, and encryption if an output wants it."""
    queues = {"mapreduce.job.queuename": queue, "tez.queue.name": queue} if queue else {}
    encrypted = any(node.encrypted for node in outputs if isinstance(node, S3DataNode))
    return {**queues, **(_ENCRYPTION if encrypted else {})}


def has_handler(folder: Path = _HANDLER_JARS) -> bool:
    """Whether this machine's Hive has DynamoDB's storage handler, as on an EMR cluster."""
    return any(folder.glob("*hive*.jar"))
