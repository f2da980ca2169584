"""Who we are for S3 and where it is: credentials, regions, endpoints and signatures, all as botocore decides them.

Credentials follow boto3's chain (environment, profile, web identity, container, instance profile) and are refreshed by
botocore before they expire. The endpoint is the explicit one, else ``AWS_ENDPOINT_URL_S3``, ``AWS_ENDPOINT_URL``, the
profile's ``endpoint_url``, else the region's; botocore also chooses between path-style and virtual-host addresses.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from core.errors import AccessDenied
from core.redaction import REDACTOR
from stores.s3.faults import translated
from stores.s3.location import S3Location

CONNECT_TIMEOUT = 10.0
#: Seconds without a byte until a connection counts as broken.
READ_TIMEOUT = 60.0
_ATTEMPTS = 4
_DEFAULT_REGION = "us-east-1"


@dataclass(frozen=True)
class Base:
    """The address under which a bucket's keys lie; ``path`` ends with a slash."""

    scheme: str
    host: str
    port: int
    authority: str
    path: str

    @property
    def url(self) -> str:
        """Scheme, host and port, for messages."""
        return f"{self.scheme}://{self.authority}"


class Access:
    """Clients, addresses and signatures of one identity; made at first use, safe to use from several threads."""

    def __init__(self, region: str | None = None, endpoint: str | None = None) -> None:
        self._region = region
        self._endpoint = endpoint
        self._lock = threading.RLock()
        self._session: Any = None
        self._clients: dict[str, Any] = {}
        self._bases: dict[str, Base] = {}
        self._bucket_regions: dict[str, str] = {}
        self._registered: str | None = None

    def client(self, bucket: str = "") -> Any:
        """The botocore S3 client for a bucket's region, for everything that is not bulk data."""
        with self._lock:
            region = self.region(bucket)
            if region not in self._clients:
                self._clients[region] = self._new_client(region)
            return self._clients[region]

    def region(self, bucket: str = "") -> str:
        """The bucket's region where S3 has told it, else the configured one."""
        with self._lock:
            configured = self._region or self._botocore().get_config_variable("region") or _DEFAULT_REGION
            return self._bucket_regions.get(bucket, configured)

    def learn_region(self, bucket: str, region: str) -> bool:
        """Remember what S3 said about a bucket's region; false when that is what was assumed already."""
        with self._lock:
            if self.region(bucket) == region:
                return False
            self._bucket_regions[bucket] = region
            self._bases.pop(bucket, None)
            return True

    def base(self, bucket: str) -> Base:
        """The address of a bucket, taken from a URL that botocore makes for it."""
        with self._lock:
            if bucket not in self._bases:
                with translated(S3Location(bucket, "")):
                    url = self.client(bucket).generate_presigned_url("get_object", {"Bucket": bucket, "Key": "k"})
                parts = urlsplit(url)
                port = parts.port or (443 if parts.scheme == "https" else 80)
                host = parts.hostname or ""
                self._bases[bucket] = Base(parts.scheme, host, port, parts.netloc, parts.path.removesuffix("k"))
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
        S3SigV4Auth(self._credentials(location), "s3", self.region(location.bucket)).add_auth(request)
        return target, dict(request.headers.items())

    def certificates(self) -> str | None:
        """The bundle of certificate authorities that is configured for AWS; ``None`` for the system's."""
        with self._lock:
            bundle = self._botocore().get_config_variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
        return str(bundle) if bundle else None

    def _credentials(self, location: S3Location) -> Any:
        with self._lock, translated(location):
            credentials = self._botocore().get_credentials()
        if credentials is None:
            raise AccessDenied(f"no AWS credentials for {location}; set them up as for the aws command")
        with translated(location):
            frozen = credentials.get_frozen_credentials()
        if frozen.secret_key != self._registered:
            REDACTOR.register(frozen.secret_key)
            REDACTOR.register(frozen.token)
            self._registered = frozen.secret_key
        return frozen

    def _botocore(self) -> Any:
        if self._session is None:
            import botocore.session

            self._session = botocore.session.get_session()
        return self._session

    def _new_client(self, region: str) -> Any:
        from botocore.config import Config

        config = Config(
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=READ_TIMEOUT,
            max_pool_connections=32,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
        )
        with translated(S3Location("", "")):
            return self._botocore().create_client("s3", region_name=region, endpoint_url=self._endpoint, config=config)


@functools.cache
def _unsigned_payload() -> Any:
    """The payload is covered by its CRC-32 header, which is signed; SHA-256 beside it costs half the speed."""
    from botocore.config import Config

    return Config(s3={"payload_signing_enabled": False})
