"""Who COPY and UNLOAD are for S3 and DynamoDB, and in which region these are."""

from __future__ import annotations

import re

from steps_impl.activities.redshift_copy.command_options import CommandOptions
from steps_impl.tables.model import literal
from stores.identity import Identity

#: The region in the name of a cluster or workgroup: ``name.id.us-east-1.redshift.amazonaws.com``.
_REGION = re.compile(r"\.([a-z]{2}(?:-[a-z]+)+-\d)\.redshift(?:-serverless)?\.")
#: Formats for which COPY and UNLOAD take no REGION (Developer Guide, "COPY from columnar data formats").
_COLUMNAR = ("PARQUET", "ORC")


def authorization(options: CommandOptions, role: str | None, identity: Identity) -> str:
    """Return the clause: what ``commandOptions`` say, else the configured role, else the worker's own keys.

    The keys are known to the redactor, and the statement's text is never logged.

    Raises:
        AccessDenied: there is no role, and this machine has no keys.
    """
    if options.authorization:
        return options.authorization
    if role:
        return "IAM_ROLE default" if role == "default" else f"IAM_ROLE {literal(role)}"
    keys = identity.keys()
    clause = f"ACCESS_KEY_ID {literal(keys.access_key)} SECRET_ACCESS_KEY {literal(keys.secret_key)}"
    return f"{clause} SESSION_TOKEN {literal(keys.token)}" if keys.token else clause


def region_of(host: str, stated: str | None, default: str) -> str:
    """Return the region of a cluster: the database object's, else the one in its address, else the worker's."""
    match = _REGION.search(host)
    return stated or (match[1] if match else default)


def region_clause(options: CommandOptions, data: str, cluster: str) -> str:
    """Return REGION when the data is in another region than the cluster and the format allows to say so."""
    columnar = options.has(*_COLUMNAR) or any(word in options.for_copy.upper().split() for word in _COLUMNAR)
    if data == cluster or options.has("REGION") or columnar:
        return ""
    return f"REGION {literal(data)}"
