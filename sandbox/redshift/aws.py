"""AWS as COPY and UNLOAD see it: clients for who is authorised, and errors in Redshift's words."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.redshift.authorization import Authorization
from sandbox.redshift.errors import SqlError
from stores.aws import DEFAULT_REGION, client

_T = TypeVar("_T")
_TITLES = {"s3": "S3ServiceException", "dynamodb": "DynamoDBServiceException"}


def authorised_client(service: str, authorization: Authorization, region: str | None) -> Any:
    """Return a client of a service with the command's keys, or the front's own in place of a role's."""
    if not authorization.access_key:
        return _own_client(service, region)
    import boto3

    session = boto3.session.Session(authorization.access_key, authorization.secret_key, authorization.token or None)
    return session.client(service, region_name=region or session.region_name or DEFAULT_REGION)


@lru_cache(maxsize=8)
def _own_client(service: str, region: str | None) -> Any:
    return client(service, region=region)


def asking(ask: Callable[[], _T], what: str, service: str = "s3") -> _T:
    """Return what a call brings.

    Raises:
        SqlError: the service refused or did not answer; ``what`` says what was tried.
    """
    try:
        return ask()
    except (ClientError, BotoCoreError) as error:
        raise refused(error, what, service) from error


def is_missing(error: Exception) -> bool:
    """Say whether the bucket or object is not there."""
    code = error.response.get("Error", {}).get("Code") if isinstance(error, ClientError) else ""
    return code in ("404", "NoSuchKey", "NoSuchBucket")


def refused(error: Exception, what: str, service: str = "s3") -> SqlError:
    """Return a service's error in the words of Redshift."""
    title = _TITLES[service]
    if not isinstance(error, ClientError):
        return SqlError(f"{title}: no answer from the service ({type(error).__name__})", detail=detail(what, title))
    answer, meta = error.response.get("Error", {}), error.response.get("ResponseMetadata", {})
    text = f"{answer.get('Message', '')},Status {meta.get('HTTPStatusCode', '')},Error {answer.get('Code', '')}"
    return SqlError(f"{title}:{text},Rid {meta.get('RequestId', '')},CanRetry 1", detail=detail(what, title))


def detail(context: str, title: str = _TITLES["s3"]) -> str:
    """Return the DETAIL of an error as Redshift lays it out."""
    return f"\n  error:  {title}\n  code:   8001\n  context: {context}\n"
