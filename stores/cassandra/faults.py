"""From the driver's exceptions to the error tree. Cassandra's texts may quote values, so little of them is told."""

from __future__ import annotations

from core.errors import AccessDenied, NotFound, RequestRefused, StoreError, StoreUnreachable, Throttled
from core.extras import optional

#: Names of what may be sent again: nothing says that it was not done, and doing it twice is doing it once.
_AGAIN = ("WriteTimeout", "Unavailable", "WriteFailure", "OperationTimedOut", "CoordinationFailure")
_BUSY = ("OverloadedErrorMessage", "IsBootstrappingErrorMessage", "TruncateError", "ServerError")


def is_passing(error: BaseException) -> bool:
    """Tell whether a request that failed so may succeed when it is sent again."""
    names = {kind.__name__ for kind in type(error).__mro__}
    return bool(names & {*_AGAIN, *_BUSY, "NoHostAvailable", "ConnectionException", "ConnectionShutdown"})


def is_about_a_row(error: BaseException) -> bool:
    """Tell whether the server refused the values of a request."""
    return type(error).__name__ == "InvalidRequest"


def translate(error: BaseException, where: str) -> StoreError:
    """Return the error of the tree; ``where`` names the cluster and the user."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if "NoHostAvailable" in names:
        return _no_host(error, where)
    if names & {"AuthenticationFailed", "Unauthorized"}:
        return AccessDenied(f"{where}: refused; check the user, its password and its grants")
    if names & {*_AGAIN, "ConnectionException", "ConnectionShutdown"}:
        return StoreUnreachable(f"{where}: {_words(error)}; check that enough nodes are up, and try again")
    if names & set(_BUSY):
        return Throttled(f"{where}: {_words(error)}; lower --rate or --in-flight")
    if "InvalidRequest" in names and "does not exist" in str(error):
        return NotFound(f"{where}: the keyspace or table is not there; check its name")
    return RequestRefused(f"{where}: {_words(error)}; correct the request")


def _no_host(error: BaseException, where: str) -> StoreError:
    causes = getattr(error, "errors", {})  # the driver gives a list of nodes where it has tried none
    denied = optional("cassandra").AuthenticationFailed
    if isinstance(causes, dict) and any(isinstance(cause, denied) for cause in causes.values()):
        return AccessDenied(f"{where}: refused; check cassandra.username and cassandra.password")
    return StoreUnreachable(
        f"{where}: no node answers; check contact_points, port, TLS, datacenter and the security group"
    )


def _words(error: BaseException) -> str:
    """Return what kind of failure it is, in words."""
    name = type(error).__name__.removesuffix("ErrorMessage")
    return "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in name).strip()
