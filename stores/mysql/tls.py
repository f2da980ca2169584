"""Whether a connection to MySQL is encrypted, and whom it trusts; one meaning, spelt for both drivers.

Source: *MySQL Reference Manual*, ``--ssl-mode``. ``prefer`` encrypts when the server offers it. What is demanded is
checked once the connection is there: a driver may go on without TLS when the server has none.
"""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from typing import Any, Literal

from core.sections.databases import DatabaseLogin
from stores.mysql.faults import DriverFault

Mode = Literal["disable", "prefer", "require", "verify-ca", "verify-full"]
#: Tells the cipher of this connection; empty when it is not encrypted.
CIPHER = "SHOW STATUS LIKE 'Ssl_cipher'"
_SSL_REQUIRED = 2026  # the client library's number for "SSL connection error"


@dataclass(frozen=True)
class Tls:
    """What is demanded; ``authority`` is the file of the certificates that are trusted, else the machine's are."""

    mode: Mode = "prefer"
    authority: str | None = None

    @classmethod
    def of(cls, settings: DatabaseLogin) -> Tls:
        """Return what the configuration demands."""
        return cls(settings.tls, str(settings.ssl_ca.expanduser()) if settings.ssl_ca else None)

    @property
    def demanded(self) -> bool:
        """Tell whether a connection without TLS is to be refused."""
        return self.mode not in ("disable", "prefer")

    def for_pymysql(self) -> dict[str, Any]:
        """Return the arguments of ``pymysql.connect``."""
        if self.mode == "disable":
            return {"ssl_disabled": True}
        return {"ssl": self._context()} if self.demanded else {}

    def for_compiled(self) -> dict[str, Any]:
        """Return the arguments of the C extension's ``connect``."""
        if self.mode in ("disable", "prefer"):
            return {"ssl_disabled": True} if self.mode == "disable" else {}
        return {
            "ssl_disabled": False,
            "ssl_ca": self.authority or ssl.get_default_verify_paths().cafile,
            "ssl_verify_cert": self.mode in ("verify-ca", "verify-full"),
            "ssl_verify_identity": self.mode == "verify-full",
        }

    def check(self, cipher: bytes | str | None) -> None:
        """Raise ``DriverFault`` if TLS is demanded and the connection has no cipher."""
        if self.demanded and not cipher:
            raise DriverFault(_SSL_REQUIRED, "the server offers no TLS, which is demanded")

    def _context(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=self.authority)
        context.check_hostname = self.mode == "verify-full"
        if self.mode == "require":
            context.verify_mode = ssl.CERT_NONE
        return context
