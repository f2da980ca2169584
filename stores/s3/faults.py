"""Turns what S3 and the disk answer into the errors of ``core.errors``."""

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
    ObjectReplaced,
    ParameterError,
    StagingFailed,
    StoreError,
    StoreUnreachable,
)
from stores.identity import EXPIRED
from stores.s3.location import S3Location
from stores.web import clock_error

#: Error codes that mean "these credentials may not" (S3 API Reference, "List of error codes").
_DENIED = EXPIRED | {
    "AccessDenied",
    "AccountProblem",
    "AllAccessDisabled",
    "AuthorizationHeaderMalformed",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestExpired",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
}
#: Refusals that a wrong clock explains (403: answers to HEAD carry no code), and how wrong it may be, in seconds.
_CLOCK = {"403", "RequestExpired", "RequestTimeTooSkewed", "SignatureDoesNotMatch"}
_TOLERANCE = 14 * 60.0
#: Error codes worth another try although their status is not 5xx.
_TRANSIENT = {"RequestTimeout", "SlowDown", "Throttling", "InternalError", "ServiceUnavailable"}
#: A conditional request that came too late, or together with another one.
_REPLACED = {"PreconditionFailed", "ConditionalRequestConflict"}
_ELEMENT = rb"<%s>([A-Za-z0-9.-]{1,100})</%s>"
_FULL = {errno.ENOSPC, errno.EDQUOT}


def from_answer(status: int, code: str, where: S3Location, date: str | None = None) -> DuctrunnerError:
    """The error for an HTTP status and an S3 error code (empty when the answer had no body, as for HEAD).

    ``date`` is the answer's ``Date`` header: many a refused signature is a wrong clock.
    """
    if code in _DENIED or status in {401, 403}:
        return _denied(code or str(status), where, date)
    if code == "InvalidBucketName":
        return ParameterError(f"{where} names no bucket that could exist; check the bucket's name")
    if code == "NoSuchBucket":
        return NotFound(f"the bucket {where.bucket!r} of {where} does not exist; check its name")
    if status == 404:
        return NotFound(f"{where} does not exist; check the bucket and the key")
    if status == 412 or code in _REPLACED:
        return ObjectReplaced(f"{where} was replaced by another writer in between; run it again")
    if status in {301, 307}:
        return StoreError(f"{where} is not served at this endpoint ({code or status}); use that of the bucket's region")
    if status >= 500 or status == 429 or code in _TRANSIENT:
        return StoreUnreachable(f"S3 did not serve {where} ({code or status}), also after several tries; try later")
    return StoreError(f"S3 refused the request for {where} ({code or status}); look the code up in the S3 reference")


def may_be_clock(status: int, code: str) -> bool:
    """Whether a refusal may be that of a wrong clock; ``code`` is empty for an answer to HEAD."""
    return (code or str(status)) in _CLOCK


def _denied(code: str, where: S3Location, date: str | None) -> AccessDenied:
    if code in _CLOCK and (clock := clock_error(date, _TOLERANCE)):
        why = clock
    elif code == "RequestTimeTooSkewed":
        why = "the clock of this machine is wrong; set it (chrony, NTP)"
    elif code == "SignatureDoesNotMatch":
        why = "the secret key is not that of the access key id, or a proxy has changed the request; check both"
    elif code in EXPIRED:
        why = "the session token has expired; get new credentials"
    else:
        why = "check the credentials and that they allow s3:GetObject, s3:PutObject and s3:ListBucket there"
    return AccessDenied(f"S3 refused access to {where} ({code}); {why}")


def element(name: bytes, document: bytes) -> str:
    """The text of ``<Code>`` or ``<Region>`` in an S3 error document; empty when there is none."""
    match = re.search(_ELEMENT % (name, name), document)
    return match[1].decode("ascii") if match else ""


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
