"""The places in S3: an object is written, read and removed where logs and staged files go."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator

from agent.doctor.finding import Finding, failed, ok, skipped, warning
from agent.doctor.patient import Patient
from agent.doctor.policy import statement_for
from core.errors import AccessDenied, DuctrunnerError, NotFound
from stores.s3 import S3Store, parse_uri

NAME = "s3"
_CONTENT = b"ductrunner doctor\n"
_KMS = "and kms:GenerateDataKey and kms:Decrypt, if the bucket encrypts with a KMS key"


def check_storage(patient: Patient) -> Iterator[Finding]:
    """Try each place that the configuration names, once."""
    etl = patient.settings.etl
    base = "/".join(filter(None, (etl.s3_etl_bucket, etl.s3_base_path.strip("/"))))
    places = {"logs": patient.agent.log_uri, "staging": f"s3://{base}" if base else None}
    if not any(places.values()):
        yield skipped(NAME, "neither agent.log_uri nor etl.s3_etl_bucket is set: pipelines bring their own places")
    store = S3Store(region=patient.region)
    for what, place in places.items():
        if place:
            yield _try(patient, store, what, place)
    store.close()


def _try(patient: Patient, store: S3Store, what: str, place: str) -> Finding:
    probe = f"{place.rstrip('/')}/.ductrunner-doctor-{secrets.token_hex(8)}"
    bucket = parse_uri(probe).bucket
    steps: dict[str, Callable[[], object]] = {
        "written": lambda: store.put_bytes(probe, _CONTENT),
        "read": lambda: store.get_bytes(probe, len(_CONTENT)),
        "removed": lambda: store.delete([probe]),
    }
    worst: Finding | None = None
    for step, action in steps.items():
        try:
            action()
        except DuctrunnerError as error:
            worst = worst or _fault(what, place, bucket, step, error)
            if step == "written":
                break  # otherwise it has to be removed, whether or not it could be read
    if worst:
        return worst
    found = store.region(bucket)
    if found != patient.region:
        message = f"{what}: the bucket {bucket} is in {found}, the worker works for {patient.region}"
        return warning(NAME, message, "a bucket of the same region is faster and costs no transfer")
    return ok(NAME, f"{what}: {place} can be written, read and removed")


def _fault(what: str, place: str, bucket: str, step: str, error: DuctrunnerError) -> Finding:
    message = f"{what}: an object below {place} cannot be {step}"
    if isinstance(error, AccessDenied):
        return failed(NAME, f"{message} (denied)", _KMS, statement_for("s3:PutObject", BUCKET=bucket))
    if isinstance(error, NotFound):
        return failed(NAME, f"{message}: there is no bucket {bucket}", "check its name, or create it")
    return failed(NAME, f"{message}: {error}")
