"""IAM database authentication of RDS: a signed token in the place of a password.

Source: *Amazon RDS User Guide*, "IAM database authentication". A token is good for 15 minutes to connect with; the
connection lives on after them. It is made here, without a call to AWS.
"""

from __future__ import annotations

from core.sections.databases import DatabaseLogin
from stores import aws


def database_token(settings: DatabaseLogin) -> str:
    """Return a token for this server and user.

    Raises:
        StoreError: this machine has no credentials for AWS to sign with.
    """
    with aws.calling(f"sign a token for {settings.username} at {settings.host}"):
        client = aws.client("rds", region=settings.aws_region)
        token: str = client.generate_db_auth_token(
            DBHostname=settings.host, Port=settings.port, DBUsername=settings.username
        )
    return token
