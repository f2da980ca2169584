"""The output of a job, written beside its place and put there at the end: in S3, or on the cluster's file system."""

from __future__ import annotations

from typing import Any, Protocol
from urllib.parse import urlsplit

from core.errors import CommandFailed, ParameterError
from core.settings import load_settings
from steps_impl.activities.cluster import Cluster
from steps_impl.activities.cluster.applications import run_tag
from steps_impl.activities.cluster.files import is_in_s3
from steps_impl.activities.cluster.publishing import Publication
from stores.s3 import S3Store, parse_uri


class Draft(Protocol):
    """An output that is not in its place yet."""

    @property
    def path(self) -> str:
        """Where the job writes."""

    def target_exists(self) -> bool:
        """Whether there is an output already."""

    def publish(self) -> dict[str, Any]:
        """Put it in its place, instead of what was there; return what is told of it."""

    def discard(self) -> None:
        """Remove what was written; harmless when there is nothing."""


def draft_of(cluster: Cluster, target: str) -> Draft:
    """Return the draft of an output.

    Its name follows from the output's, so that the next run removes what one that was killed has left.

    Raises:
        ParameterError: the output is a whole bucket or file system.
    """
    mark = run_tag("draft", target)
    if is_in_s3(target):
        if not parse_uri(target).key.strip("/"):
            raise ParameterError(f"the output {target} is a whole bucket; name a folder, what is in it is replaced")
        return _InS3(cluster, target, mark)
    if not urlsplit(target).path.strip("/"):
        raise ParameterError(f"the output {target} is a whole file system; name a folder, what is in it is replaced")
    return _OnCluster(cluster, target, mark)


class _InS3:
    """A folder in S3: files are copied inside S3 and appear together."""

    def __init__(self, cluster: Cluster, target: str, mark: str) -> None:
        self._store = S3Store(region=load_settings(environment=cluster.environment).etl.region)
        self._target = target.rstrip("/") + "/"
        self._publication = Publication(self._store, self._target, mark, True, cluster.context.cancelled)
        self.path = self._publication.draft

    def target_exists(self) -> bool:
        return self._store.holds(self._target, directory=True)

    def publish(self) -> dict[str, Any]:
        totals = self._publication.publish()
        return {"files": totals.files, "bytes": totals.bytes}

    def discard(self) -> None:
        self._publication.discard()


class _OnCluster:
    """A folder of the cluster's file system, which renames in one step."""

    def __init__(self, cluster: Cluster, target: str, mark: str) -> None:
        self._cluster = cluster
        self._target = target.rstrip("/")
        self.path = f"{self._target}_{mark}"

    def target_exists(self) -> bool:
        try:
            self._hadoop("-test", "-e", self._target)
        except CommandFailed:
            return False
        return True

    def publish(self) -> dict[str, Any]:
        self._hadoop("-rm", "-r", "-f", "-skipTrash", self._target)
        self._hadoop("-mkdir", "-p", self._target.rpartition("/")[0] or "/")
        self._hadoop("-mv", self.path, self._target)
        return {}

    def discard(self) -> None:
        if not self._cluster.context.cancelled.is_set():  # it will be with the next run
            self._hadoop("-rm", "-r", "-f", "-skipTrash", self.path)

    def _hadoop(self, *words: str) -> None:
        self._cluster.run([self._cluster.program("hadoop"), "fs", *words], f"hadoop fs {words[0]}")
