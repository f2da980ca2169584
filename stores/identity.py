"""Who we are for AWS: keys, region, endpoints and certificate authorities, found where boto3 finds them.

Keys follow boto3's chain (environment, profile, web identity, container, instance profile) and are refreshed by
botocore before they expire. No botocore *client* is made: its service model would cost every worker and every step a
quarter of a second and 15 MB.
"""

from __future__ import annotations

import functools
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from core.errors import AccessDenied, SettingsError, StoreError
from core.redaction import REDACTOR
from stores.signing import ServiceTime

DEFAULT_REGION = "us-east-1"
#: Error codes that say that a session token has had its time.
EXPIRED = frozenset({"ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired"})


class Identity:
    """One identity, looked up at first use; safe to use from several threads. Explicit keys win over the chain."""

    def __init__(self, access_id: str | None = None, secret_key: str | None = None) -> None:
        self._explicit = (access_id, secret_key) if access_id and secret_key else None
        self._lock = threading.RLock()
        self._credentials: Any = None
        self._registered: Any = None
        #: At whose time requests are signed.
        self.time = ServiceTime()

    def keys(self) -> Any:
        """The access key, secret key and session token of this moment (botocore's ``ReadOnlyCredentials``).

        Raises:
            AccessDenied: this machine has none.
            SettingsError: the AWS configuration cannot be read.
        """
        with translated():
            frozen = self._current().get_frozen_credentials()
        if frozen != self._registered:
            REDACTOR.register(frozen.secret_key)
            REDACTOR.register(frozen.token)
            self._registered = frozen
        return frozen

    @property
    def source(self) -> str:
        """Where the keys come from, in botocore's words (``env``, ``iam-role`` …). Raises as ``keys`` does."""
        with translated():
            return str(self._current().method)

    def renew(self, refused_token: str | None) -> bool:
        """Look the keys up again after AWS called this token expired; whether there are others now."""
        with self._lock, translated():
            if self._explicit:
                return False
            if self._current().get_frozen_credentials().token != refused_token:
                return True  # another thread was here before
            self._credentials = self._find(_new_session())
            return bool(self._credentials.get_frozen_credentials().token != refused_token)

    def variable(self, name: str) -> Any:
        """A variable of botocore's configuration (environment, else profile)."""
        with self._lock, translated():
            return self._session.get_config_variable(name)

    @functools.cached_property
    def region(self) -> str:
        """The configured region."""
        return str(self.variable("region") or os.environ.get("AWS_REGION") or DEFAULT_REGION)

    @functools.cached_property
    def certificates(self) -> str | None:
        """The certificate authorities that are configured for AWS; ``None`` for botocore's."""
        bundle = self.variable("ca_bundle") or os.environ.get("REQUESTS_CA_BUNDLE")
        return str(bundle) if bundle else None

    def endpoint(self, service: str) -> str | None:
        """The configured endpoint of a service: ``AWS_ENDPOINT_URL_…``, ``AWS_ENDPOINT_URL``, the profile's."""
        from botocore.configprovider import ConfiguredEndpointProvider

        if self.variable("ignore_configured_endpoint_urls"):
            return None
        with self._lock, translated():
            full, profile = self._session.full_config, self._session.get_scoped_config()
        found = ConfiguredEndpointProvider(full_config=full, scoped_config=profile, client_name=service).provide()
        return str(found) if found else None

    @functools.cached_property
    def _session(self) -> Any:
        return _new_session()

    def _current(self) -> Any:
        with self._lock:
            if self._credentials is None:
                self._credentials = self._find(self._session)
            return self._credentials

    def _find(self, session: Any) -> Any:
        if self._explicit:
            session.set_credentials(*self._explicit)
        found = session.get_credentials()
        if found is None:
            raise AccessDenied(
                "no AWS credentials; give this machine a role, or set them up as for the aws command "
                "(AWS_ACCESS_KEY_ID, a profile)"
            )
        return found


def _new_session() -> Any:
    import botocore.session

    return botocore.session.get_session()


@contextmanager
def translated() -> Iterator[None]:
    """Raise core errors in place of botocore's."""
    from botocore import exceptions as boto

    try:
        yield
    except (boto.NoCredentialsError, boto.PartialCredentialsError, boto.CredentialRetrievalError) as error:
        raise AccessDenied(f"the AWS credentials cannot be had ({error}); check the role or the profile") from None
    except (boto.ProfileNotFound, boto.ConfigParseError, boto.ConfigNotFound) as error:
        raise SettingsError(f"the AWS configuration cannot be used: {error}") from None
    except boto.BotoCoreError as error:
        raise StoreError(
            f"AWS credentials or configuration: {type(error).__name__}; see the AWS configuration"
        ) from None
