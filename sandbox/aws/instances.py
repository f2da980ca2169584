"""RDS and Redshift of moto, with the sandbox's servers behind them."""

from __future__ import annotations

from typing import Any

from moto.rds.models import DBInstance, RDSBackend
from moto.redshift.models import Cluster, RedshiftBackend

from sandbox.aws.servers import ENGINES, Servers

_create_instance = RDSBackend.create_db_instance
_create_cluster = RedshiftBackend.create_cluster
_credentials = RedshiftBackend.get_cluster_credentials
_instance_endpoint: Any = DBInstance.__dict__["endpoint"]
_cluster_endpoint: Any = Cluster.__dict__["endpoint"]


def install_rds(servers: Servers) -> None:
    """Give instances a server."""

    def create_db_instance(backend: RDSBackend, db_kwargs: dict[str, Any]) -> DBInstance:
        instance = _create_instance(backend, db_kwargs)
        if kind := ENGINES.get(str(instance.engine).lower()):
            password = db_kwargs.get("master_user_password") or ""
            servers.make_login(kind, str(instance.master_username), password, instance.db_name)
        return instance

    def endpoint(instance: DBInstance) -> dict[str, Any]:
        server = servers.of_engine(str(instance.engine))
        return {"Address": server["host"], "Port": server["port"]} if server else _instance_endpoint.fget(instance)

    setattr(RDSBackend, create_db_instance.__name__, create_db_instance)
    setattr(DBInstance, endpoint.__name__, property(endpoint))


def install_redshift(servers: Servers) -> None:
    """Give clusters the front."""

    def create_cluster(backend: RedshiftBackend, **cluster_kwargs: Any) -> Cluster:
        cluster = _create_cluster(backend, **cluster_kwargs)
        password = str(cluster_kwargs.get("master_user_password") or "")
        servers.make_login("redshift", str(cluster.master_username), password, cluster.db_name)
        return cluster

    def get_cluster_credentials(
        backend: RedshiftBackend, cluster_identifier: str, db_user: str, auto_create: bool, duration_seconds: int
    ) -> dict[str, Any]:
        told: dict[str, Any] = _credentials(backend, cluster_identifier, db_user, auto_create, duration_seconds)
        if auto_create:
            servers.make_role(db_user)
        servers.make_temporary(told["DbUser"], db_user, told["DbPassword"], told["Expiration"].isoformat())
        return told

    def endpoint(cluster: Cluster) -> dict[str, Any]:
        server = servers.find("redshift")
        return {"Address": server["host"], "Port": server["port"]} if server else _cluster_endpoint.fget(cluster)

    for method in (create_cluster, get_cluster_credentials):
        setattr(RedshiftBackend, method.__name__, method)
    setattr(Cluster, endpoint.__name__, property(endpoint))
