"""Secrets by reference: a value in the configuration may name where the secret lies.

::

    secretsmanager:NAME_OR_ARN            the whole secret string
    secretsmanager:NAME_OR_ARN#key        one key of a JSON secret (the form RDS and Redshift use)
    ssm:/path/of/parameter                a (decrypted) parameter
    env:NAME                              an environment variable
    file:/path                            the first line of a file that others cannot read
    anything else                         the secret itself

Every secret that is resolved is registered with the redactor of the process.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from pydantic import SecretStr

from core.errors import NotFound, SettingsError
from core.redaction import REDACTOR
from stores import aws


def resolve(reference: str | SecretStr, region: str | None = None) -> str:
    """Return the secret that ``reference`` names, and register it with the redactor.

    ``region`` is that of a name; an ARN has its own. Default: the one of the environment.

    Raises:
        NotFound, AccessDenied, StoreUnreachable: the place that it names does not give it.
        SettingsError: a file that others may read, or a JSON secret without the key.
    """
    text = reference.get_secret_value() if isinstance(reference, SecretStr) else reference
    scheme, separator, rest = text.partition(":")
    read = _READERS.get(scheme) if separator else None
    secret = read(rest, region) if read else text
    REDACTOR.register(secret)
    return secret


def _from_environment(name: str, _region: str | None) -> str:
    try:
        return os.environ[name]
    except KeyError:
        raise NotFound(f"the secret env:{name} is not set in the environment") from None


def _from_file(name: str, _region: str | None) -> str:
    path = Path(name).expanduser()
    try:
        if path.stat().st_mode & 0o077:
            raise SettingsError(f"the secret file {path} may be read by others; run: chmod 600 {path}")
        return path.read_text(encoding="utf-8").split("\n", 1)[0].rstrip("\r")
    except FileNotFoundError:
        raise NotFound(f"the secret file {path} is not there") from None
    except UnicodeDecodeError:
        raise SettingsError(f"the secret file {path} is not text in UTF-8; write the secret alone into it") from None
    except OSError as error:
        raise SettingsError(f"cannot read the secret file {path}: {error.strerror}") from None


def _from_secrets_manager(name: str, region: str | None) -> str:
    secret_id, _, key = name.partition("#")
    with aws.calling(f"read the secret {secret_id}"):
        client = aws.client("secretsmanager", region=aws.region_of(secret_id) or region)
        answer = client.get_secret_value(SecretId=secret_id)
        if "SecretBinary" in answer:
            raise SettingsError(f"the secret {secret_id} is binary; store it as text")
        text = str(answer["SecretString"])
    return _key_of(text, key, secret_id) if key else text


def _from_parameter_store(name: str, region: str | None) -> str:
    with aws.calling(f"read the parameter {name}"):
        client = aws.client("ssm", region=aws.region_of(name) or region)
        return str(client.get_parameter(Name=name, WithDecryption=True)["Parameter"]["Value"])


def _key_of(text: str, key: str, secret_id: str) -> str:
    value = None
    with suppress(ValueError, KeyError, TypeError):
        value = json.loads(text)[key]
    if value is None:
        raise SettingsError(f"the secret {secret_id} is not a JSON object with the key {key!r}")
    return str(value)


_READERS: dict[str, Callable[[str, str | None], str]] = {
    "env": _from_environment,
    "file": _from_file,
    "secretsmanager": _from_secrets_manager,
    "ssm": _from_parameter_store,
}
