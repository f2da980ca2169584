"""Where an RDS instance or a Redshift cluster is, asked from AWS by its id.

Source: *Amazon RDS API Reference*, DescribeDBInstances; *Amazon Redshift API Reference*, DescribeClusters.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from core.errors import NotFound, StoreUnreachable, UnsupportedDatabase
from steps_impl.activities.servers.server import Engine
from stores import aws

#: RDS's names of engines (DescribeDBInstances, Engine).
_ENGINES: dict[str, Engine] = {
    "mysql": "mysql",
    "mariadb": "mysql",
    "aurora": "mysql",
    "aurora-mysql": "mysql",
    "postgres": "postgres",
    "aurora-postgresql": "postgres",
}


class Found(NamedTuple):
    """What AWS says of an instance or cluster."""

    engine: Engine
    host: str
    port: int
    #: The database that was made with it.
    database: str | None


def rds_instance(instance_id: str, region: str | None) -> Found:
    """Return where an RDS instance is.

    Raises:
        UnsupportedDatabase: its engine has no driver here; the message names it.
        NotFound, AccessDenied, StoreUnreachable: AWS does not say, or it is not available yet.
    """
    what = f"find the RDS instance {instance_id}{_in(region)} (rds:DescribeDBInstances)"
    with aws.calling(what), _saying_missing("DBInstanceNotFound", what):
        listed = aws.client("rds", region=region).describe_db_instances(DBInstanceIdentifier=instance_id)
        instance = listed["DBInstances"][0]
        name = str(instance["Engine"]).lower()
    if name not in _ENGINES:
        raise UnsupportedDatabase(
            f"the RDS instance {instance_id} runs {name}, which has no driver here; known are {', '.join(_ENGINES)}"
        )
    host, port = _endpoint(instance, f"the RDS instance {instance_id}", str(instance.get("DBInstanceStatus")))
    return Found(_ENGINES[name], host, port, instance.get("DBName"))


def redshift_cluster(cluster_id: str, region: str | None) -> Found:
    """Return where a Redshift cluster is.

    Raises:
        NotFound, AccessDenied, StoreUnreachable: AWS does not say, or it is not available yet.
    """
    what = f"find the Redshift cluster {cluster_id}{_in(region)} (redshift:DescribeClusters)"
    with aws.calling(what), _saying_missing("ClusterNotFound", what):
        cluster = aws.client("redshift", region=region).describe_clusters(ClusterIdentifier=cluster_id)["Clusters"][0]
    host, port = _endpoint(cluster, f"the Redshift cluster {cluster_id}", str(cluster.get("ClusterStatus")))
    return Found("redshift", host, port, cluster.get("DBName"))


def _endpoint(item: dict[str, Any], what: str, status: str) -> tuple[str, int]:
    endpoint = item.get("Endpoint") or {}
    if not endpoint.get("Address"):
        raise StoreUnreachable(f"{what} has no address yet (it is {status}); wait until it is available")
    return str(endpoint["Address"]), int(endpoint["Port"])


@contextmanager
def _saying_missing(code: str, what: str) -> Iterator[None]:
    """Raise ``NotFound`` when AWS answers with its own code for a thing that is not there."""
    try:
        yield
    except Exception as error:
        answer = getattr(error, "response", {}).get("Error", {})
        if str(answer.get("Code", "")).startswith(code):
            raise NotFound(f"cannot {what}: there is none; check the id and the region") from None
        raise


def _in(region: str | None) -> str:
    return f" in {region}" if region else ""
