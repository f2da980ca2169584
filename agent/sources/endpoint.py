"""Where the service of one region is, and who we are there.

The endpoint is the explicit one, else the configured one (``AWS_ENDPOINT_URL_DATA_PIPELINE``, ``AWS_ENDPOINT_URL``, the
profile's ``endpoint_url``), else the region's. A botocore *client* is not made: it costs 0.6 s of start-up and 1.6 ms
of CPU per call, against 0.4 ms of ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from stores.identity import Identity
from stores.web import Address, find_address


@dataclass(frozen=True)
class Endpoint:
    """The service of one region, as seen from this machine."""

    address: Address
    path: str
    region: str
    identity: Identity

    @property
    def url(self) -> str:
        """The whole address."""
        return self.address.url + self.path


def find_endpoint(url: str | None, region: str | None, access_id: str | None, secret_key: str | None) -> Endpoint:
    """Return the endpoint of Data Pipeline; explicit values win over the environment and the AWS profile.

    Raises:
        AccessDenied: this machine has no AWS credentials.
        SettingsError: the endpoint is not an http(s) address, or the AWS configuration cannot be read.
    """
    identity = Identity(access_id, secret_key)
    # Keys of the environment are in the environment of every child too, and a child may print it: known from here on.
    identity.keys()
    place = region or identity.region
    found = url or identity.endpoint("datapipeline") or f"https://datapipeline.{place}.amazonaws.com"
    address, path = find_address(found, "the endpoint")
    return Endpoint(address, path, place, identity)
