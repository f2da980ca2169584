"""Where Data Pipeline is, and who we are there."""

from __future__ import annotations

from stores.endpoint import Endpoint, service_endpoint
from stores.identity import Identity


def find_endpoint(url: str | None, region: str | None, access_id: str | None, secret_key: str | None) -> Endpoint:
    """Return the endpoint of Data Pipeline; explicit values win over the environment and the AWS profile.

    Raises:
        AccessDenied: this machine has no AWS credentials.
        SettingsError: the endpoint is not an http(s) address, or the AWS configuration cannot be read.
    """
    identity = Identity(access_id, secret_key)
    # Keys of the environment are in the environment of every child too, and a child may print it: known from here on.
    identity.keys()
    return service_endpoint("datapipeline", identity, url=url, region=region)
