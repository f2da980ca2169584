"""Runs the interactive client of a database; the password goes through a file that only we can read.

Sources: *PostgreSQL, The Password File* and *Environment Variables*; *MySQL, Using Option Files*.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any

from core.errors import ParameterError, ProgramMissing
from core.sections.databases import DatabaseLogin
from stores.logins import Access, current_access
from stores.postgres_tls import postgres_tls

#: Names of libpq's options as environment variables.
_VARIABLES = {"sslmode": "PGSSLMODE", "sslrootcert": "PGSSLROOTCERT"}
_MYSQL_MODES = {
    "disable": "DISABLED", "require": "REQUIRED", "verify-ca": "VERIFY_CA",
    "verify-full": "VERIFY_IDENTITY",
}  # fmt: skip


def open_client(kind: str, login: DatabaseLogin, environment: Mapping[str, str] = os.environ) -> int:
    """Run psql or mysql in this terminal until it ends; return its exit status.

    Raises:
        ProgramMissing: the client is not installed here.
        AccessDenied, NotFound, StoreUnreachable: the password could not be had.
    """
    names = ("mysql", "mariadb") if kind == "mysql" else ("psql",)
    client = next((found for name in names if (found := shutil.which(name, path=environment.get("PATH")))), None)
    if client is None:
        raise ProgramMissing(
            f"{names[0]} is not installed here; install it, or let one query be answered without it: --query 'SELECT …'"
        )
    access = current_access(login, None)
    with _secret_file(mysql_options(access, login) if kind == "mysql" else password_line(access)) as file:
        if kind == "mysql":
            return _run([client, f"--defaults-extra-file={file}"], environment)
        variables = {_VARIABLES[name]: value for name, value in postgres_tls(login).items()}
        command = [
            client,
            "-h",
            access.host,
            "-p",
            str(access.port),
            "-U",
            access.username,
            "-d",
            access.database or "",
        ]
        return _run(command, {**environment, **variables, "PGPASSFILE": str(file)})


def password_line(access: Access) -> str:
    """Return the line of a ``.pgpass`` file.

    Raises:
        ParameterError: the password has a line end, which such a file cannot hold.
    """
    _check_line(access.password)
    fields = (access.host, str(access.port), "*", access.username, access.password)
    return (
        ":".join(field if field == "*" else field.replace("\\", "\\\\").replace(":", "\\:") for field in fields) + "\n"
    )


def mysql_options(access: Access, login: DatabaseLogin) -> str:
    """Return the option file of a client of MySQL or MariaDB; what only one of them knows is ``loose``.

    Raises:
        ParameterError: the password has a line end.
    """
    _check_line(access.password)
    options = {"host": access.host, "port": str(access.port), "user": access.username, "password": access.password}
    options |= {"database": access.database} if access.database else {}
    if login.tls != "prefer":  # the client's own way; MariaDB's warns of an option that it does not know
        options |= {"loose-ssl-mode": _MYSQL_MODES[login.tls]}
    options |= {"ssl-ca": str(login.ssl_ca.expanduser())} if login.ssl_ca else {}
    lines = [f'{name}="{_escaped(value)}"' for name, value in options.items()]
    if login.tls not in ("disable", "prefer"):  # MariaDB's words for it
        lines += ["loose-ssl", *(["loose-ssl-verify-server-cert"] if login.tls == "verify-full" else [])]
    if login.authentication == "iam":
        lines += ["loose-enable-cleartext-plugin"]
    return "\n".join(["[client]", *lines, ""])


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


def _check_line(password: str) -> None:
    if "\n" in password or "\0" in password:
        raise ParameterError("the password has a line end or NUL in it, which no client can be given in a file")


@contextmanager
def _secret_file(text: str) -> Iterator[Path]:
    """A file of mode 0600 in a folder of its own, gone afterwards, also after SIGTERM and SIGHUP."""
    folder = Path(tempfile.mkdtemp(prefix="sql-shell-"))
    try:
        file = folder / "login"
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as handle:
            handle.write(text)
        yield file
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _run(command: list[str], environment: Mapping[str, str]) -> int:
    """Run the client; keys of the terminal are its affair, and a signal that is to end us ends it."""
    with subprocess.Popen(command, env=dict(environment)) as client, _passed_on(client.terminate):
        status = client.wait()
    return status if status >= 0 else 128 - status


@contextmanager
def _passed_on(terminate: Callable[[], None]) -> Iterator[None]:
    def end(_number: int, _frame: FrameType | None) -> None:
        terminate()

    handlers: dict[signal.Signals, Any] = {signal.SIGINT: signal.SIG_IGN, signal.SIGTERM: end, signal.SIGHUP: end}
    former = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in former.items():
            signal.signal(number, handler)
