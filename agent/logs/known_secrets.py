"""The secrets of configuration and environment, made known to the redactor before anything is logged.

References to Secrets Manager and Parameter Store are read beside the work: ``agent.logs.remote_secrets``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from pydantic import BaseModel, SecretStr

from agent import log
from core.errors import DuctrunnerError
from core.redaction import REDACTOR
from core.settings import Settings
from stores.secrets import resolve

REMOTE = ("secretsmanager:", "ssm:")


def register_secrets(settings: Settings) -> None:
    """Register every secret of the configuration that lies on this machine; one that cannot be read is logged."""
    for secret in _secrets(settings):
        if secret.get_secret_value().startswith(REMOTE):
            continue
        try:
            resolve(secret)
        except DuctrunnerError as error:
            log.event("secret_not_read", level="WARNING", error=str(error))


def remote_references(settings: Settings) -> list[str]:
    """Return the references of the configuration to Secrets Manager and Parameter Store, each once."""
    found = (secret.get_secret_value() for secret in _secrets(settings))
    return list(dict.fromkeys(reference for reference in found if reference.startswith(REMOTE)))


def register_variables(environment: Mapping[str, str], patterns: Sequence[str]) -> None:
    """Register the value of every variable whose name says that it is a secret (``logging.redacted_vars``)."""
    for name, value in environment.items():
        if names_secret(name, patterns):
            REDACTOR.register(value)


def names_secret(variable: str, patterns: Sequence[str]) -> bool:
    """Return whether a variable of this name holds a secret; the patterns are those of a shell (``*_TOKEN``)."""
    return any(fnmatchcase(variable, pattern) for pattern in patterns)


def _secrets(value: object) -> Iterator[SecretStr]:
    if isinstance(value, SecretStr):
        yield value
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _secrets(getattr(value, name))
    elif isinstance(value, dict):
        for entry in value.values():
            yield from _secrets(entry)
