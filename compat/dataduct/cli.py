"""The command ``dataduct`` on a worker: what compiled bootstrap steps and people there call.

``dataduct config sync_from_s3 [FILE]`` fetches the configuration that ``sync_to_s3`` has put to
``s3://S3_ETL_BUCKET/S3_BASE_PATH/config/dataduct.cfg``; ``dataduct sql_shell {redshift | mysql ALIAS}`` is
``ductrunner sql-shell``. Definitions are written and activated with other tools.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from core.errors import DuctrunnerError, SettingsError
from core.redaction import REDACTOR

#: Bytes of the largest configuration that is read.
_LIMIT = 16 << 20


def main() -> None:
    """Run the command; a known error is one line on stderr, and its exit status."""
    given = _parser().parse_args()
    try:
        if given.area == "config":
            sync_from_s3(given.file)
        else:
            sys.exit(_sql_shell(given.kind, given.alias))
    except DuctrunnerError as error:
        sys.stderr.write(f"ductrunner: {error.error_id}: {REDACTOR.redact(str(error))}\n")
        sys.exit(error.exit_code)


def sync_from_s3(file: str | None) -> None:
    """Write the configuration of S3 into a file that only we can read, or print it.

    Raises:
        SettingsError: no bucket is configured to fetch it from, or the file cannot be written.
        NotFound, AccessDenied, StoreUnreachable: S3 does not give it.
    """
    from core.settings import load_settings
    from stores.s3 import S3Store

    etl = load_settings().etl
    if not etl.s3_etl_bucket:
        raise SettingsError("no etl.s3_etl_bucket is configured here: it is not known where the configuration lies")
    parts = [etl.s3_base_path.strip("/"), "config", "dataduct.cfg"]
    uri = f"s3://{etl.s3_etl_bucket}/{'/'.join(filter(None, parts))}"
    content = S3Store(region=etl.region).get_bytes(uri, _LIMIT)
    if file is None:
        sys.stdout.write(content.decode("utf-8", "replace"))
        return
    _replace(Path(file).expanduser(), content)


def _replace(path: Path, content: bytes) -> None:
    """Replace a file in one step: a step that starts meanwhile reads the former one or the new one."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
            file.write(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise SettingsError(f"cannot write {path}: {error.strerror}") from None


def _sql_shell(kind: str, alias: str | None) -> int:
    from core.settings import load_settings
    from steps_impl.sql_shell.clients import open_client
    from steps_impl.sql_shell.databases import find_database

    return open_client(kind, find_database(load_settings(), kind, alias, None))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="dataduct", description="What Dataduct's command does on a worker.")
    areas = parser.add_subparsers(dest="area", required=True)
    config = areas.add_parser("config", help="the configuration in S3").add_subparsers(dest="action", required=True)
    fetch = config.add_parser("sync_from_s3", help="fetch it into a file, or print it")
    fetch.add_argument("file", nargs="?")
    shells = areas.add_parser("sql_shell", help="open a client").add_subparsers(dest="kind", required=True)
    shells.add_parser("redshift").set_defaults(alias=None)
    shells.add_parser("mysql").add_argument("alias")
    return parser
