"""Temporary credentials of Redshift, by IAM instead of a password that somebody keeps.

Sources: *Amazon Redshift API Reference*, GetClusterCredentials; *Redshift Serverless API Reference*, GetCredentials
(there the user is the one of the caller's role). They are good for 15 minutes to connect with; a session lives on.
"""

from __future__ import annotations

from typing import Any

from core.errors import SettingsError
from core.sections.databases import RedshiftSettings
from stores import aws

#: Seconds that the credentials may be used to connect, the least that the API gives.
_SECONDS = 900


def temporary_credentials(settings: RedshiftSettings, database: str | None) -> tuple[str, str]:
    """Return user and password for a while.

    Raises:
        SettingsError: neither a cluster nor a workgroup is named.
        AccessDenied, NotFound, StoreUnreachable: the service does not give them.
    """
    if settings.workgroup_name:
        return _of_workgroup(settings, settings.workgroup_name, database)
    if settings.cluster_identifier:
        return _of_cluster(settings, settings.cluster_identifier, database)
    raise SettingsError(
        "redshift.authentication is iam: name redshift.cluster_identifier, or redshift.workgroup_name for Serverless"
    )


def _of_cluster(settings: RedshiftSettings, cluster: str, database: str | None) -> tuple[str, str]:
    options: dict[str, Any] = {"DbName": database} if database else {}
    if settings.db_groups:
        options["DbGroups"] = list(settings.db_groups)
    with aws.calling(f"get temporary credentials for {settings.username} at the cluster {cluster}"):
        answer = aws.client("redshift", region=settings.aws_region).get_cluster_credentials(
            DbUser=settings.username,
            ClusterIdentifier=cluster,
            DurationSeconds=_SECONDS,
            AutoCreate=settings.auto_create_user,
            **options,
        )
    return str(answer["DbUser"]), str(answer["DbPassword"])


def _of_workgroup(settings: RedshiftSettings, workgroup: str, database: str | None) -> tuple[str, str]:
    options: dict[str, Any] = {"dbName": database} if database else {}
    with aws.calling(f"get temporary credentials at the workgroup {workgroup}"):
        answer = aws.client("redshift-serverless", region=settings.aws_region).get_credentials(
            workgroupName=workgroup, durationSeconds=_SECONDS, **options
        )
    return str(answer["dbUser"]), str(answer["dbPassword"])
