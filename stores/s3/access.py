"""Who we are for S3 and where it is: credentials, regions, endpoints and signatures.

Credentials follow boto3's chain (environment, profile, web identity, container, instance profile) and are refreshed by
botocore before they expire. The endpoint is the explicit one, else ``AWS_ENDPOINT_URL_S3``, ``AWS_ENDPOINT_URL``, the
profile's ``endpoint_url``, else the region's. No botocore *client* is made: its service model would cost every worker
and every step a quarter of a second and 15 MB.
"""

from __future__ import annotations

import functools
import os
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from core.errors import AccessDenied, ParameterError, SettingsError
from core.redaction import REDACTOR
from stores.s3.faults import translated
from stores.s3.location import S3Location
from stores.s3.proxies import Proxy, find_proxy

_DEFAULT_REGION = "us-east-1"
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

    scheme: str
    host: str
    port: int
    authority: str
    path: str
    proxy: Proxy | None

    @property
    def url(self) -> str:
        """Scheme, host and port, for messages."""
        return f"{self.scheme}://{self.authority}"


class Access:
    """Addresses and signatures of one identity; looked up at first use, safe to use from several threads."""

    def __init__(self, region: str | None = None, endpoint: str | None = None) -> None:
        self._region = region
        self._endpoint = endpoint
        self._lock = threading.RLock()
        self._bases: dict[str, Base] = {}
        self._bucket_regions: dict[str, str] = {}
        self._registered: str | None = None

    def region(self, bucket: str) -> str:
        """The bucket's region where S3 has told it, else the configured one."""
        with self._lock:
            return self._bucket_regions.get(bucket) or self._configured_region

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
        request = AWSRequest(method=method, url=base.url + target, headers={"Host": base.authority, **headers})
        request.context["client_config"] = _unsigned_payload()
        S3SigV4Auth(self._frozen_credentials(location), "s3", self.region(location.bucket)).add_auth(request)
        return target, dict(request.headers.items())

    @functools.cached_property
    def certificates(self) -> str | None:
        """The bundle of certificate authorities that is configured for AWS; ``None`` for botocore's."""
        bundle = self._variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
        return str(bundle) if bundle else None

    @functools.cached_property
    def _session(self) -> Any:
        import botocore.session

        return botocore.session.get_session()

    @functools.cached_property
    def _configured_region(self) -> str:
        return self._region or str(self._variable("region") or os.environ.get("AWS_REGION") or _DEFAULT_REGION)

    @functools.cached_property
    def _configured_endpoint(self) -> str | None:
        from botocore.configprovider import ConfiguredEndpointProvider

        if self._endpoint or self._variable("ignore_configured_endpoint_urls"):
            return self._endpoint
        with translated(S3Location("", "")):
            full, profile = self._session.full_config, self._session.get_scoped_config()
        found = ConfiguredEndpointProvider(full_config=full, scoped_config=profile, client_name="s3").provide()
        return str(found) if found else None

    @functools.cached_property
    def _credentials(self) -> Any:
        return self._session.get_credentials()

    def _variable(self, name: str) -> Any:
        with self._lock, translated(S3Location("", "")):
            return self._session.get_config_variable(name)

    def _find_base(self, bucket: str) -> Base:
        if not _BUCKET.fullmatch(bucket):
            raise ParameterError(f"{bucket!r} cannot be the name of an S3 bucket; write s3://bucket/key")
        endpoint = self._configured_endpoint
        if endpoint:
            parts = urlsplit(endpoint)
            if parts.scheme not in {"http", "https"} or not parts.hostname:
                raise SettingsError(f"the S3 endpoint {endpoint!r} is not an address; write http://host:port")
            return _base(parts.scheme, parts.netloc, f"{parts.path.rstrip('/')}/{bucket}/")
        host = self._regional_host(bucket)
        if _HOST_LABEL.fullmatch(bucket):
            return _base("https", f"{bucket}.{host}", "/")
        return _base("https", host, f"/{bucket}/")

    def _regional_host(self, bucket: str) -> str:
        region = self.region(bucket)
        suffix = next((suffix for start, suffix in _SUFFIXES.items() if region.startswith(start)), "amazonaws.com")
        service = "s3-fips" if self._variable("use_fips_endpoint") else "s3"
        stack = "dualstack." if self._variable("use_dualstack_endpoint") else ""
        return f"{service}.{stack}{region}.{suffix}"

    def _frozen_credentials(self, location: S3Location) -> Any:
        with self._lock, translated(location):
            credentials = self._credentials
        if credentials is None:
            raise AccessDenied(f"no AWS credentials for {location}; set them up as for the aws command")
        with translated(location):
            frozen = credentials.get_frozen_credentials()
        if frozen.secret_key != self._registered:
            REDACTOR.register(frozen.secret_key)
            REDACTOR.register(frozen.token)
            self._registered = frozen.secret_key
        return frozen


def _base(scheme: str, authority: str, path: str) -> Base:
    parts = urlsplit(f"//{authority}")
    port = parts.port or (443 if scheme == "https" else 80)
    host = parts.hostname or ""
    return Base(scheme, host, port, authority, path, find_proxy(scheme, host))


@functools.cache
def _unsigned_payload() -> Any:
    """The payload is covered by its CRC-32 header, which is signed; SHA-256 beside it costs half the speed."""
    from botocore.config import Config

    return Config(s3={"payload_signing_enabled": False})
