"""Clients of AWS services, made lazily, and their errors in our words.

The endpoint comes from the argument, else from the standard variables (``AWS_ENDPOINT_URL_<SERVICE>``,
``AWS_ENDPOINT_URL``), so that the sandbox needs no flag; credentials come from boto3's default chain.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.errors import AccessDenied, NotFound, StoreError, StoreUnreachable

DEFAULT_REGION = "us-east-1"
CONNECT_TIMEOUT = 10  # seconds
READ_TIMEOUT = 60  # seconds
ATTEMPTS = 5

DENIED = frozenset(
    {
        "403",
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "AuthorizationError",
        "ExpiredToken",
        "ExpiredTokenException",
        "InvalidAccessKeyId",
        "InvalidClientTokenId",
        "SignatureDoesNotMatch",
        "UnrecognizedClientException",
    }
)
MISSING = frozenset(
    {
        "404",
        "ClusterNotFound",
        "NoSuchBucket",
        "NoSuchKey",
        "NotFound",
        "NotFoundException",
        "ParameterNotFound",
        "PipelineDeletedException",
        "PipelineNotFoundException",
        "ResourceNotFoundException",
    }
)


def client(service: str, *, region: str | None = None, endpoint: str | None = None, **config: Any) -> Any:
    """Return a boto3 client with bounded time-outs and standard retries; ``config`` overrides botocore's options."""
    import boto3
    from botocore.config import Config

    options = {
        "connect_timeout": CONNECT_TIMEOUT,
        "read_timeout": READ_TIMEOUT,
        "retries": {"mode": "standard", "total_max_attempts": ATTEMPTS},
        **config,
    }
    session = boto3.session.Session()
    return session.client(
        service,
        region_name=region or session.region_name or DEFAULT_REGION,
        endpoint_url=endpoint,
        config=Config(**options),
    )


def region_of(arn: str) -> str | None:
    """Return the region that an ARN names; of any other text none."""
    return (arn.split(":")[3] or None) if arn.startswith("arn:") and arn.count(":") >= 5 else None


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Raise our errors in place of botocore's; ``what`` says what is tried, for example ``read the secret x``.

    Raises:
        StoreError: the service refused, was not reached, or what answered is not the service: then
            ``StoreUnreachable``, since half an answer or a proxy's page may be another one the next time.
    """
    from botocore.exceptions import BotoCoreError, ClientError
    from botocore.parsers import ResponseParserError

    try:
        yield
    except (BotoCoreError, ClientError) as error:
        raise translate(error, what) from None
    except (ResponseParserError, AttributeError, LookupError, TypeError, ValueError):  # what botocore makes of it
        raise StoreUnreachable(f"cannot {what}: what answered is not the service; check the proxy") from None


def translate(error: Exception, what: str) -> StoreError:
    """Return botocore's error in our words; ``what`` says what was tried, for example ``read s3://b/k``."""
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        return _translate_answer(error.response.get("Error", {}), what)
    if isinstance(error, exceptions.NoCredentialsError | exceptions.PartialCredentialsError):
        return AccessDenied(f"cannot {what}: no AWS credentials; give this machine a role or set AWS_ACCESS_KEY_ID")
    if isinstance(error, exceptions.HTTPClientError | exceptions.EndpointConnectionError):
        return StoreUnreachable(f"cannot {what}: no connection to the service ({type(error).__name__})")
    return StoreError(f"cannot {what}: {type(error).__name__}")


def _translate_answer(answer: dict[str, Any], what: str) -> StoreError:
    code = str(answer.get("Code", "Unknown"))
    if code in DENIED:
        return AccessDenied(f"cannot {what}: {code}; check the credentials and the policy of this machine's role")
    if code in MISSING:
        return NotFound(f"cannot {what}: {code}; check the name and the region")
    return StoreError(f"cannot {what}: {code}: {answer.get('Message', '')}".rstrip(": "))
