"""Who we are for AWS, where the keys come from, and which region's service is asked."""

from __future__ import annotations

from collections.abc import Iterator

from agent.doctor.finding import Finding, failed, ok, warning
from agent.doctor.patient import Patient
from core.errors import AccessDenied, StoreError

#: Where Data Pipeline is (General Reference, *AWS Data Pipeline endpoints*).
REGIONS = ("ap-northeast-1", "ap-southeast-2", "eu-west-1", "us-east-1", "us-west-2")
#: botocore's names of its sources of keys, in words.
_SOURCES = {
    "assume-role": "a profile's role",
    "assume-role-with-web-identity": "a web identity",
    "config-file": "the AWS configuration file",
    "container-role": "the container's role",
    "env": "the environment",
    "iam-role": "the machine's role",
    "shared-credentials-file": "~/.aws/credentials",
    "sso": "single sign-on",
}
#: What a long-lived access key id begins with; those of roles begin with ASIA.
_LONG_LIVED = "AKIA"
_OTHERS = 0o077


def check_identity(patient: Patient) -> Iterator[Finding]:
    """Ask STS who the keys belong to."""
    name = "identity"
    keys = patient.identity.keys()
    source = str(patient.credentials) if patient.credentials else _SOURCES.get(patient.identity.source, "boto3's chain")
    try:
        arn = patient.caller["Arn"]
    except AccessDenied as error:
        yield failed(name, str(error), f"the keys come from {source}")
        return
    except StoreError as error:
        yield warning(name, f"{error} (keys from {source})", "the worker itself does not need STS")
        return
    if patient.credentials and patient.credentials.stat().st_mode & _OTHERS:
        yield warning(name, f"others may read {patient.credentials}", f"run: chmod 600 {patient.credentials}")
    if patient.credentials or (keys.access_key.startswith(_LONG_LIVED) and not keys.token):
        yield warning(name, f"{arn}, with long-lived keys from {source}", "give the machine a role instead")
    else:
        yield ok(name, f"{arn}, keys from {source}")


def check_region(patient: Patient) -> Iterator[Finding]:
    """Look at the region, and at others that are named beside it."""
    name, region, endpoint = "region", patient.region, patient.endpoint
    at_aws = endpoint.address.host.endswith(".amazonaws.com")
    if at_aws and region not in REGIONS:
        yield failed(name, f"AWS Data Pipeline is not in {region}", f"it is in {', '.join(REGIONS)}")
        return
    others = {
        "agent.region": patient.agent.region,
        "etl.region": patient.settings.etl.region,
        "AWS_REGION": patient.environment.get("AWS_REGION"),
        "AWS_DEFAULT_REGION": patient.environment.get("AWS_DEFAULT_REGION"),
    }
    odd = [f"{where} says {other}" for where, other in others.items() if other and other != region]
    if odd:
        yield warning(
            name, f"{region} is used, but {' and '.join(odd)}", "make them agree: pipelines are of one region"
        )
    else:
        yield ok(name, f"{region}, service at {endpoint.url}")
