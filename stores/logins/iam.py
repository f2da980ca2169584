"""IAM database authentication of RDS: a signed token in the place of a password.

Source: *Amazon RDS User Guide*, "IAM database authentication". A token is good for 15 minutes to connect with; the
connection lives on after them. It is made here, without a call to AWS.
"""

from __future__ import annotations

import re

from core.sections.databases import DatabaseLogin
from stores import aws

#: ``name.hash.region.rds.amazonaws.com`` (also ``.com.cn``), and proxies and clusters of the same form.
_ENDPOINT = re.compile(r"\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com", re.IGNORECASE)


def database_token(settings: DatabaseLogin) -> str:
    """Return a token for this server and user.

    Raises:
        StoreError: this machine has no credentials for AWS to sign with.
    """
    region = settings.region or _region_of(settings.host)
    with aws.calling(f"sign a token for {settings.username} at {settings.host}"):
        client = aws.client("rds", region=region)
        token: str = client.generate_db_auth_token(
            DBHostname=settings.host, Port=settings.port, DBUsername=settings.username
        )
    return token


def _region_of(host: str) -> str | None:
    found = _ENDPOINT.search(host)
    return found["region"].lower() if found else None
