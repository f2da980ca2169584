"""Where a bucket is and what S3 wants to see of us: regions, addresses and signatures.

The endpoint is the explicit one, else the configured one (``stores.identity``), else the region's.
"""

from __future__ import annotations

import functools
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from core.errors import ParameterError
from stores.identity import Identity
from stores.s3.location import S3Location
from stores.signing import sign
from stores.web import Address, find_address

#: Where a region's hosts are not below amazonaws.com (General Reference, "AWS partitions").
_SUFFIXES = {
    "cn-": "amazonaws.com.cn",
    "us-iso-": "c2s.ic.gov",
    "us-isob-": "sc2s.sgov.gov",
    "eusc-": "amazonaws.eu",
}
#: Bucket names, old ones of us-east-1 included (User Guide, "Bucket naming rules").
_BUCKET = re.compile(r"[A-Za-z0-9._-]{1,255}")
#: Bucket names that can be a part of a host name under S3's certificate: no dots.
_HOST_LABEL = re.compile(r"[a-z0-9][a-z0-9-]{1,61}[a-z0-9]")


@dataclass(frozen=True)
class Base:
    """The address under which a bucket's keys lie; ``path`` ends with a slash."""

    address: Address
    path: str


class Access:
    """Addresses and signatures of one identity; looked up at first use, safe to use from several threads."""

    def __init__(self, region: str | None = None, endpoint: str | None = None, proxy: str | None = None) -> None:
        self.identity = Identity()
        self._region = region
        self._endpoint = endpoint
        self._proxy = proxy
        self._lock = threading.RLock()
        self._bases: dict[str, Base] = {}
        self._bucket_regions: dict[str, str] = {}

    def region(self, bucket: str) -> str:
        """The bucket's region where S3 has told it, else the configured one."""
        with self._lock:
            return self._bucket_regions.get(bucket) or self._region or self.identity.region

    def learn_region(self, bucket: str, region: str) -> bool:
        """Remember what S3 said about a bucket's region; false when that is what was assumed already."""
        with self._lock:
            if self.region(bucket) == region:
                return False
            self._bucket_regions[bucket] = region
            self._bases.pop(bucket, None)
            return True

    def base(self, bucket: str) -> Base:
        """The address of a bucket: below a configured endpoint, else a host of its own at AWS where its name allows."""
        with self._lock:
            if bucket not in self._bases:
                self._bases[bucket] = self._find_base(bucket)
            return self._bases[bucket]

    def sign(
        self, method: str, location: S3Location, query: Mapping[str, str], headers: Mapping[str, str]
    ) -> tuple[str, dict[str, str]]:
        """The request target (path and query) and the headers to send, signed without the payload (SigV4)."""
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest

        base = self.base(location.bucket)
        target = base.path + quote(location.key, safe="/~") + (f"?{urlencode(query, quote_via=quote)}" if query else "")
        address = base.address
        request = AWSRequest(method=method, url=address.url + target, headers={"Host": address.authority, **headers})
        request.context["client_config"] = _unsigned_payload()
        region = self.region(location.bucket)
        sign(S3SigV4Auth, request, self.identity.keys(), "s3", region, self.identity.time.offset)
        return target, dict(request.headers.items())

    def _find_base(self, bucket: str) -> Base:
        if not _BUCKET.fullmatch(bucket):
            raise ParameterError(f"{bucket!r} cannot be the name of an S3 bucket; write s3://bucket/key")
        endpoint = self._endpoint or self.identity.endpoint("s3")
        if endpoint:
            address, path = find_address(endpoint, "the S3 endpoint", self._proxy)
            return Base(address, f"{path.rstrip('/')}/{bucket}/")
        host = self._regional_host(bucket)
        if _HOST_LABEL.fullmatch(bucket):
            return Base(self._at(f"{bucket}.{host}"), "/")
        return Base(self._at(host), f"/{bucket}/")

    def _at(self, host: str) -> Address:
        return find_address(f"https://{host}", "the address of the bucket", self._proxy)[0]

    def _regional_host(self, bucket: str) -> str:
        region = self.region(bucket)
        suffix = next((suffix for start, suffix in _SUFFIXES.items() if region.startswith(start)), "amazonaws.com")
        service = "s3-fips" if self.identity.variable("use_fips_endpoint") else "s3"
        stack = "dualstack." if self.identity.variable("use_dualstack_endpoint") else ""
        return f"{service}.{stack}{region}.{suffix}"


@functools.cache
def _unsigned_payload() -> Any:
    """The payload is covered by its CRC-32 header, which is signed; SHA-256 beside it costs half the speed."""
    from botocore.config import Config

    return Config(s3={"payload_signing_enabled": False})
