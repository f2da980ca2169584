"""MariaDB as the MySQL source: Debian's packages ``mariadb-server-core`` and ``mariadb-client-core``."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar

from core.errors import PartMissing, SandboxError
from sandbox import ports
from sandbox.files import kept_password, write_private
from sandbox.parts.database import DatabaseAddress
from sandbox.parts.part import Part

_ADMINISTRATOR = "sandbox"
_SEARCHED = ("/usr/local/sbin", "/usr/sbin", "/usr/local/bin", "/usr/bin", "/usr/libexec")


class MariaDbPart(Part):
    """A MySQL-compatible server; nobody gets in over TCP without a password."""

    name: ClassVar[str] = "mariadb"
    title: ClassVar[str] = "MariaDB"

    @property
    def administrator(self) -> DatabaseAddress:
        """The address as a user who may do everything."""
        host, port = self.address
        return DatabaseAddress(host, port, _ADMINISTRATOR, self._password(), "mysql", self._password_file)

    @property
    def _temporary(self) -> Path:
        """A folder of its own: a server that starts deletes all temporary tables in its folder, whoever uses them."""
        return self.directory / "tmp"

    def program(self) -> Path:
        """Return ``mariadbd`` from PATH or a system directory."""
        return _found("mariadbd")

    def prepare(self) -> None:
        """Create the data directory (one or two seconds), in one step: a killed set-up leaves nothing behind."""
        self._write_users()
        data, draft = self.directory / "data", self.directory / "data.new"
        self._temporary.mkdir(exist_ok=True)
        if data.exists():
            return
        shutil.rmtree(draft, ignore_errors=True)
        place = ["--no-defaults", f"--datadir={draft}", f"--tmpdir={self._temporary}"]
        words = [*place, "--skip-test-db", "--skip-name-resolve", *_as_root()]
        done = subprocess.run(
            [_found("mariadb-install-db"), *words],
            capture_output=True,
            text=True,
            cwd=self.directory,
            check=False,
        )
        if done.returncode:
            raise SandboxError(f"MariaDB could not create its data directory {data}: {done.stderr.strip()[-1000:]}")
        draft.rename(data)

    def command(self, port: int) -> Sequence[str | Path]:
        """Return the server's command line.

        The log is written at each commit without a flush: a killed server loses nothing, a crashed machine may. The
        socket's name is relative to the data directory, since its path may have 107 characters at most.
        """
        files = [f"--datadir={self.directory / 'data'}", f"--init-file={self.directory / 'users.sql'}"]
        place = [*files, f"--tmpdir={self._temporary}"]
        network = [f"--bind-address={ports.HOST}", f"--port={port}", "--socket=mariadb.sock", "--skip-name-resolve"]
        durability = ["--skip-log-bin", "--innodb-flush-log-at-trx-commit=2"]
        text = ["--character-set-server=utf8mb4", "--pid-file=mariadb.pid", "--secure-file-priv="]
        return [self.program(), "--no-defaults", *place, *network, *durability, *text, *_as_root()]

    def is_ready(self) -> bool:
        """Say whether a query is answered."""
        import pymysql

        try:
            self.execute("SELECT 1")
        except pymysql.err.OperationalError:
            return False
        return True

    def ensure_database(self, database: str, username: str) -> DatabaseAddress:
        """Create a database and a user who may do everything in it, unless they are there; return its address."""
        password_file = self.directory / f"{username}.password"
        password = kept_password(password_file)
        admin = self.administrator
        self.execute(f"CREATE DATABASE IF NOT EXISTS `{database}`")
        self.execute(f"CREATE USER IF NOT EXISTS `{username}`@`%%` IDENTIFIED BY %s", password)
        self.execute(f"GRANT ALL ON `{database}`.* TO `{username}`@`%`")
        return DatabaseAddress(admin.host, admin.port, username, password, database, password_file)

    def execute(self, statement: str, *values: str) -> list[tuple[Any, ...]]:
        """Run one statement as administrator and return its rows."""
        import pymysql

        address = self.administrator
        connection = pymysql.connect(
            host=address.host, port=address.port, user=address.username, password=address.password, autocommit=True
        )
        with connection, connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return list(cursor.fetchall())

    @property
    def _password_file(self) -> Path:
        return self.directory / "administrator.password"

    def _password(self) -> str:
        return kept_password(self._password_file)

    def _write_users(self) -> None:
        user = f"`{_ADMINISTRATOR}`@`%`"
        write_private(
            self.directory / "users.sql",
            f"CREATE USER IF NOT EXISTS {user} IDENTIFIED BY '{self._password()}';\n"
            f"GRANT ALL ON *.* TO {user} WITH GRANT OPTION;\n",
        )


def _found(program: str) -> Path:
    place = shutil.which(program) or shutil.which(program, path=":".join(_SEARCHED))
    if place is None:
        raise PartMissing(
            f"MariaDB is not installed ({program} was not found); on Debian run: "
            "apt-get install --no-install-recommends mariadb-server-core mariadb-client-core"
        )
    return Path(place)


def _as_root() -> list[str]:
    """Return what MariaDB wants to hear before it runs as root."""
    return ["--user=root"] if os.geteuid() == 0 else []
