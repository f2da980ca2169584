"""What stands ready in a sandbox: databases with their users, a bucket, a topic, and the file that names them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import yaml

from sandbox.aws.servers import Kind, Servers
from sandbox.files import write_private
from sandbox.parts.database import DatabaseAddress
from sandbox.parts.moto import REGION
from sandbox.supervisor import Supervisor

BUCKET = "ductrunner-sandbox"
TOPIC = "ductrunner-failures"
WORKER_GROUP = "ductrunner-sandbox"
SOURCE = "source"  # the name of the MySQL host, of the Postgres database and of the user of both
WAREHOUSE = "warehouse"
#: The role that COPY names. The account is moto's; its S3 asks for no rights.
IAM_ROLE = "arn:aws:iam::123456789012:role/ductrunner-sandbox-copy"


def furnish(sandbox: Supervisor) -> None:
    """Create what is missing and write the configuration file; the parts must be up."""
    Servers.of(sandbox.aws.directory).write(_servers(sandbox))
    document: dict[str, Any] = {
        "etl": {"region": REGION, "s3_etl_bucket": BUCKET, "s3_base_path": "etl"},
        "agent": {"worker_group": WORKER_GROUP, "region": REGION},
        "postgres": _postgres_section(sandbox.postgres.ensure_database(SOURCE, SOURCE)),
        "redshift": _postgres_section(sandbox.postgres.ensure_database(WAREHOUSE, WAREHOUSE)),
    }
    document["etl"]["sns_topic_arn_failure"] = _bucket_and_topic(sandbox.aws.client_environment())
    front = sandbox.redshift
    document["redshift"].update(port=front.port, iam_role=IAM_ROLE, ssl_ca=str(front.authority))
    if sandbox.mariadb.process():
        document["mysql"] = {SOURCE: _mysql_section(sandbox.mariadb.ensure_database(SOURCE, SOURCE))}
    if sandbox.cassandra.process():
        document["cassandra"] = _cassandra_section(sandbox.cassandra.ensure_keyspace(SOURCE, SOURCE))
    write_private(sandbox.state.configuration, yaml.safe_dump(document, sort_keys=False))


def _servers(sandbox: Supervisor) -> dict[Kind, DatabaseAddress]:
    """Return what RDS and Redshift have behind them."""
    superuser = sandbox.postgres.superuser
    servers: dict[Kind, DatabaseAddress] = {
        "postgres": superuser,
        "redshift": replace(superuser, port=sandbox.redshift.port),
    }
    return servers | ({"mysql": sandbox.mariadb.administrator} if sandbox.mariadb.process() else {})


def _bucket_and_topic(variables: dict[str, str]) -> str:
    import boto3
    from botocore.config import Config

    session = boto3.Session(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"], region_name=REGION)
    direct: dict[str, Any] = {"endpoint_url": variables["AWS_ENDPOINT_URL"], "config": Config(proxies={})}
    session.client("s3", **direct).create_bucket(Bucket=BUCKET)
    topic: str = session.client("sns", **direct).create_topic(Name=TOPIC)["TopicArn"]
    return topic


def _postgres_section(address: DatabaseAddress) -> dict[str, Any]:
    return {**_server(address), "database_name": address.database}


def _mysql_section(address: DatabaseAddress) -> dict[str, Any]:
    return {**_server(address), "database": address.database}


def _cassandra_section(address: DatabaseAddress) -> dict[str, Any]:
    server = _server(address)
    return {"contact_points": [server.pop("host")], **server, "keyspace": address.database}


def _server(address: DatabaseAddress) -> dict[str, Any]:
    password = f"file:{address.password_file}"
    return {"host": address.host, "port": address.port, "username": address.username, "password": password}
