"""Dataduct's configuration files, read as they are, for machines that have no file of ours.

The first that is there of ``/etc/dataduct.cfg``, ``~/.dataduct/dataduct.cfg`` and those of ``$DATADUCT_CONFIG_PATH`` (a
list with colons); nothing is merged. A mode (``$DATADUCT_MODE`` names a section of the file) is laid over the rest.
What only Dataduct's definition side needs is left out. Source: coursera/dataduct, config/config.py.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

from core.errors import SettingsError

PATH_VARIABLE = "DATADUCT_CONFIG_PATH"
MODE_VARIABLE = "DATADUCT_MODE"
_LOCATIONS = ("/etc/dataduct.cfg", "~/.dataduct/dataduct.cfg")
_ETL = frozenset({
    "s3_etl_bucket", "s3_base_path", "region", "name_prefix", "connection_retries", "sns_topic_arn_failure",
    "sns_topic_arn_warning", "qa_log_path", "dp_qa_tests_log_path", "hooks_base_path", "custom_steps_path",
})  # fmt: skip
_CUSTOM = frozenset({"class_name", "file_path", "step_type"})
_LOGIN = frozenset({"host", "port", "username", "password", "database_name"})
#: What COPY reads S3 with: Dataduct pasted its own keys into the statement instead.
_IAM_ROLE = "default"
_REFERENCES = ("secretsmanager:", "ssm:", "env:", "file:")
_warned: set[Path] = set()


def find_dataduct_file(environment: Mapping[str, str]) -> Path | None:
    """Return the file that Dataduct would read, the first that opens; of none that opens the first that is there."""
    listed = [*_LOCATIONS, *environment.get(PATH_VARIABLE, "").split(":")]
    there = [path for text in listed if text and (path := Path(text).expanduser()).is_file()]
    return next((path for path in there if os.access(path, os.R_OK)), there[0] if there else None)


def as_settings(document: Mapping[str, Any], path: Path, environment: Mapping[str, str]) -> dict[str, Any]:
    """Return the document in our form; passwords that stand in it are told on stderr, once a process.

    Raises:
        SettingsError: it does not have the mode that the environment names.
    """
    merged = _small(document)
    _warn(merged, path)
    if mode := environment.get(MODE_VARIABLE):
        merged = _merged(merged, _mode(merged, mode, path))
    found: dict[str, Any] = {"etl": _chosen(merged.get("etl"), _ETL)}
    if hosts := _small_names(merged.get("mysql")):
        found["mysql"] = {alias: _host(alias, _small(entry)) for alias, entry in hosts.items()}
    for section in ("postgres", "redshift"):
        entry = _chosen(merged.get(section), _LOGIN)
        if "host" in entry:
            role = {"iam_role": _IAM_ROLE} | _chosen(merged.get(section), {"iam_role"}) if section == "redshift" else {}
            found[section] = entry | role
    if permissions := _small(merged.get("database")).get("permissions"):
        found["database"] = {"permissions": permissions}
    for section in ("ec2", "emr"):  # the other keys, which may be any, are the compiler's
        found[section] = {"worker_group": _small(merged.get(section)).get("worker_group")}
    if custom := merged.get("custom_steps"):
        found["custom_steps"] = [_chosen(entry, _CUSTOM) for entry in custom]
    return found


def _mode(document: Mapping[str, Any], name: str, path: Path) -> dict[str, Any]:
    section = document.get(name.lower())
    if not isinstance(section, Mapping):
        raise SettingsError(f"{MODE_VARIABLE} is {name!r}, but {path} has no such section; correct one of them")
    return _small(section)


def _chosen(section: Any, keys: Collection[str]) -> dict[str, Any]:
    """Return these keys of a section that have a value: for Dataduct, null is as good as none."""
    return {key: value for key, value in _small(section).items() if key in keys and value is not None}


def _small(section: Any) -> dict[str, Any]:
    return {str(key).lower(): value for key, value in section.items()} if isinstance(section, Mapping) else {}


def _small_names(section: Any) -> dict[str, Any]:
    """Return a section whose keys are names of the user's own: their letters count."""
    return {str(key): value for key, value in section.items()} if isinstance(section, Mapping) else {}


def _merged(base: dict[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Lay a mode over the rest, section by section."""
    result = dict(base)
    for key, value in over.items():
        former = result.get(key)
        both = isinstance(former, Mapping) and isinstance(value, Mapping)
        result[key] = {**former, **value} if both and former is not None else value
    return result


def _host(alias: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a MySQL host; its alias is the database, too, as Dataduct connects."""
    return {"database": alias, **_chosen(entry, _LOGIN - {"database_name"})}


def _warn(document: Mapping[str, Any], path: Path) -> None:
    if path in _warned:
        return
    _warned.add(path)
    if places := sorted(_plain(document)):
        sys.stderr.write(
            f"ductrunner: {path} holds passwords as plain text ({', '.join(places)}); write secretsmanager:NAME, "
            "ssm:/NAME, env:NAME or file:PATH in their place\n"
        )


def _plain(section: Mapping[str, Any], place: str = "") -> Iterator[str]:
    """Yield each place with a password of its own, also where it is of no use here or belongs to another mode."""
    for name, value in section.items():
        if isinstance(value, Mapping):
            yield from _plain(value, f"{place}.{name}" if place else str(name))
        elif str(name).lower() == "password" and value and not str(value).startswith(_REFERENCES):
            yield place
