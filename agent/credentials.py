"""The AWS keys that the command line gives: by flags, or in TaskRunner's ``credentials.json``.

Flags win over the file, and the file over the default chain (environment, profile, role). A file that holds no keys
leaves them to the chain. Source: Developer Guide, *Task Runner configuration options*; its file may have any name.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent import log
from core.errors import SettingsError
from core.redaction import REDACTOR
from steps_impl.contract import LENT_VARIABLE

_ACCESS_ID, _SECRET_KEY = "access-id", "private-key"
_KEY_VARIABLES = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")
_ENDPOINT_VARIABLE = "AWS_ENDPOINT_URL_DATA_PIPELINE"
_REGION_VARIABLES = ("AWS_DEFAULT_REGION", "AWS_REGION")
_PROXY_VARIABLES = ("HTTPS_PROXY", "https_proxy", "NO_PROXY", "no_proxy")
#: Permissions of a file for anybody but its owner.
_OTHERS = 0o077


@dataclass(frozen=True)
class Credentials:
    """What a ``credentials.json`` holds; both keys are empty when it leaves them to the default chain."""

    path: Path
    access_id: str = ""
    secret_key: str = ""


def read_credentials(path: Path | None) -> Credentials | None:
    """Return the keys of a file of TaskRunner's; ``None``: it is another one (a configuration), or none is named.

    Raises:
        SettingsError: it cannot be read, or holds one key alone.
    """
    if path is None:
        return None
    named = path.suffix == ".json"
    try:
        text = path.read_text(encoding="utf-8-sig")
        document = json.loads(text) if text.strip() else {}
    except (OSError, ValueError) as error:
        if not named:
            return None  # whoever reads the configuration says what is wrong with it
        raise SettingsError(f"cannot read the credentials {path}: {_reason(error)}") from None
    if not isinstance(document, dict) or not (named or {_ACCESS_ID, _SECRET_KEY} & document.keys()):
        return None
    return _checked(path, document)


def use_credentials(access_id: str | None, secret_key: str | None) -> None:
    """Give keys from flags or file to every AWS client of this process (its commands do not get them)."""
    if bool(access_id) != bool(secret_key):
        raise SettingsError("give both --accessId and --secretKey, or neither")
    if access_id and secret_key:
        REDACTOR.register(secret_key)
        os.environ["AWS_ACCESS_KEY_ID"], os.environ["AWS_SECRET_ACCESS_KEY"] = access_id, secret_key
        os.environ.pop("AWS_SESSION_TOKEN", None)


def own_access(region: str | None, endpoint: str | None = None) -> dict[str, str]:
    """Return this process's AWS keys, region and proxy as variables, for a child that is our own program.

    A session token that does not belong to the keys is blanked. ``endpoint`` is the one of Data Pipeline that was
    configured: a step asks the service too, for what became of a former attempt.
    """
    service = {_ENDPOINT_VARIABLE: endpoint} if endpoint and "://" in endpoint else {}
    keys = {name: os.environ.get(name, "") for name in _KEY_VARIABLES} if _KEY_VARIABLES[0] in os.environ else {}
    proxy = {name: os.environ[name] for name in _PROXY_VARIABLES if name in os.environ}
    return keys | proxy | service | (dict.fromkeys(_REGION_VARIABLES, region) if region else {})


def lent_keys(access: Mapping[str, str], environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variable that names the keys in ``access`` which a user's command does not find in its environment."""
    lent = [name for name in _KEY_VARIABLES if name in access and access[name] != environment.get(name, "")]
    return {LENT_VARIABLE: ",".join(lent)} if lent else {}


def warn_of_file(credentials: Credentials) -> None:
    """Say what is amiss with a file; TaskRunner's installations often have it so, which is no reason to stop."""
    path = str(credentials.path)
    if not credentials.access_id:
        log.event("credentials_empty", level="WARNING", path=path, advice="the keys of the default chain are used")
    elif credentials.path.stat().st_mode & _OTHERS:
        log.event("credentials_readable", level="WARNING", path=path, advice=f"chmod 600 {path}")


def _checked(path: Path, document: Mapping[str, Any]) -> Credentials:
    keys = [document.get(key) or "" for key in (_ACCESS_ID, _SECRET_KEY)]
    foreign = bool(document) and not {_ACCESS_ID, _SECRET_KEY} & document.keys()
    if foreign or not all(isinstance(key, str) for key in keys) or bool(keys[0]) != bool(keys[1]):
        raise SettingsError(f'{path} must hold {{"{_ACCESS_ID}": …, "{_SECRET_KEY}": …}}')
    return Credentials(path, *(key.strip() for key in keys))


def _reason(error: Exception) -> str:
    """Return why it cannot be read, without a word of what it holds."""
    return (error.strerror if isinstance(error, OSError) else None) or "it is not JSON"
