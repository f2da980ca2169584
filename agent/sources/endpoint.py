"""Where the service is, who we are there, and how to get through: endpoint, credentials, proxy, certificates.

The same places as botocore looks in: explicit values, ``AWS_ENDPOINT_URL_DATA_PIPELINE``, ``AWS_ENDPOINT_URL``, the
profile's ``endpoint_url``; the default credential chain; ``AWS_CA_BUNDLE``; ``HTTPS_PROXY``/``NO_PROXY``
(plain http is for a sandbox and goes directly).
A botocore *client* is not made: it costs 0.6 s of start-up and 1.6 ms of CPU per call, against 0.4 ms of ours.
"""

from __future__ import annotations

import base64
import os
import ssl
import urllib.request
from dataclasses import dataclass
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from core.errors import AccessDenied, SettingsError
from core.redaction import REDACTOR

DEFAULT_REGION = "us-east-1"  # TaskRunner's default


@dataclass(frozen=True)
class Endpoint:
    """The service of one region, as seen from this machine."""

    url: str
    region: str
    credentials: Any  # botocore.credentials.Credentials: refreshes itself

    @property
    def parts(self) -> SplitResult:
        """The address, taken apart."""
        return urlsplit(self.url)


def find_endpoint(url: str | None, region: str | None, access_id: str | None, secret_key: str | None) -> Endpoint:
    """Return the endpoint of Data Pipeline; explicit values win over the environment and the AWS profile.

    Raises:
        AccessDenied: this machine has no AWS credentials.
        SettingsError: the endpoint is not an http(s) address.
    """
    import botocore.session

    session = botocore.session.get_session()
    if access_id and secret_key:
        session.set_credentials(access_id, secret_key)
    credentials = session.get_credentials()
    if credentials is None:
        raise AccessDenied("no AWS credentials; give this machine a role, set AWS_ACCESS_KEY_ID, or use --config")
    # Keys of the environment are in the environment of every child too, and a child may print it.
    for secret in (credentials.secret_key, credentials.token):
        REDACTOR.register(secret)
    place = region or session.get_config_variable("region") or DEFAULT_REGION
    found = url or _configured_url(session) or f"https://datapipeline.{place}.amazonaws.com"
    address = urlsplit(found)
    if address.scheme not in {"http", "https"} or not address.hostname:
        raise SettingsError(f"the endpoint {found!r} is not an address; write https://host[:port]")
    return Endpoint(found, place, credentials)


def _configured_url(session: Any) -> str | None:
    named = os.environ.get("AWS_ENDPOINT_URL_DATA_PIPELINE") or os.environ.get("AWS_ENDPOINT_URL")
    return named or session.get_scoped_config().get("endpoint_url")


def proxy_for(endpoint: SplitResult) -> SplitResult | None:
    """Return the proxy that the environment names for this endpoint."""
    host = endpoint.hostname or ""
    if endpoint.scheme != "https" or urllib.request.proxy_bypass(host):
        return None
    named = urllib.request.getproxies().get(endpoint.scheme)
    if not named:
        return None
    return urlsplit(named if "//" in named else f"http://{named}")


def proxy_headers(proxy: SplitResult) -> dict[str, str]:
    """Return the header with which a proxy lets us through; empty without a user name."""
    if not proxy.username:
        return {}
    login = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}".encode()
    return {"Proxy-Authorization": "Basic " + base64.b64encode(login).decode()}


def tls_context() -> ssl.SSLContext:
    """Return the certificates to trust: ``AWS_CA_BUNDLE``, else botocore's, as every AWS client does."""
    from botocore.httpsession import get_cert_path

    bundle = os.environ.get("AWS_CA_BUNDLE") or os.environ.get("REQUESTS_CA_BUNDLE")
    return ssl.create_default_context(cafile=bundle or get_cert_path(True))
