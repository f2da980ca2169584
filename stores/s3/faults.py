"""Turns what S3, botocore, the network and the disk answer into the errors of ``core.errors``."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import (
    AccessDenied,
    DiskFull,
    DuctrunnerError,
    NotFound,
    ParameterError,
    SettingsError,
    StagingFailed,
    StoreError,
    StoreUnreachable,
)
from stores.s3.location import S3Location

#: Error codes that mean "these credentials may not" (S3 API Reference, "List of error codes").
_DENIED = {
    "AccessDenied",
    "AccountProblem",
    "AllAccessDisabled",
    "AuthorizationHeaderMalformed",
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "SignatureDoesNotMatch",
    "TokenRefreshRequired",
}
#: Error codes worth another try although their status is not 5xx.
_TRANSIENT = {"RequestTimeout", "SlowDown", "Throttling", "InternalError", "ServiceUnavailable"}
_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,100})</Code>")
_FULL = {errno.ENOSPC, errno.EDQUOT}


def from_answer(status: int, code: str, where: S3Location) -> DuctrunnerError:
    """The error for an HTTP status and an S3 error code (empty when the answer had no body, as for HEAD)."""
    if code == "RequestTimeTooSkewed":
        return AccessDenied(f"S3 refused {where}: the clock of this machine is wrong; set it (chrony, NTP)")
    if code in _DENIED or status in {401, 403}:
        return AccessDenied(
            f"S3 refused access to {where} ({code or status}); "
            "check the credentials and that they allow s3:GetObject, s3:PutObject and s3:ListBucket there"
        )
    if code == "InvalidBucketName":
        return ParameterError(f"{where} names no bucket that could exist; check the bucket's name")
    if code == "NoSuchBucket":
        return NotFound(f"the bucket {where.bucket!r} of {where} does not exist; check its name")
    if status == 404:
        return NotFound(f"{where} does not exist; check the bucket and the key")
    if status == 412:
        return StoreError(f"{where} was replaced while it was being read; run it again")
    if status >= 500 or status == 429 or code in _TRANSIENT:
        return StoreUnreachable(f"S3 did not serve {where} ({code or status}), also after several tries; try later")
    return StoreError(f"S3 refused the request for {where} ({code or status}); look the code up in the S3 reference")


def error_code(body: bytes) -> str:
    """The ``<Code>`` of an S3 error document; empty when there is none."""
    match = _CODE.search(body)
    return match[1].decode("ascii") if match else ""


def unreachable(where: S3Location, endpoint: str, error: BaseException) -> StoreUnreachable:
    """The error for a connection that could not be made or broke."""
    reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return StoreUnreachable(f"no answer from {endpoint} for {where} ({reason}); check the endpoint and the network")


@contextmanager
def translated(where: S3Location) -> Iterator[None]:
    """Raise core errors in place of botocore's."""
    from botocore import exceptions as boto

    try:
        yield
    except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError):
        raise AccessDenied(f"no AWS credentials for {where}; set them up as for the aws command") from None
    except (boto.ProfileNotFound, boto.ConfigParseError, boto.ConfigNotFound) as error:
        raise SettingsError(f"the AWS configuration cannot be used: {error}") from None
    except boto.BotoCoreError as error:
        raise StoreError(
            f"the request for {where} failed ({type(error).__name__}); see the AWS configuration"
        ) from None


@contextmanager
def local_file(path: Path) -> Iterator[None]:
    """Raise ``DiskFull`` or ``StagingFailed`` in place of an ``OSError`` about a local file."""
    try:
        yield
    except InterruptedError:
        raise
    except OSError as error:
        raise from_disk(error, path) from None


def from_disk(error: OSError, path: Path) -> DuctrunnerError:
    """The error for a local file that cannot be read or written."""
    if error.errno in _FULL:
        return DiskFull(f"the disk is full at {path}; free space there or give the machine a larger disk")
    return StagingFailed(f"cannot use the local file {str(path)!r}: {error.strerror or error}")
