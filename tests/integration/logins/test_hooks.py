"""Dataduct's hooks around connecting, on real servers."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from core.errors import AccessDenied, HookFailed, SettingsError
from core.redaction import REDACTOR
from core.sections.databases import MySqlHost, PostgresSettings, RedshiftSettings
from core.settings import Settings, load_settings
from sandbox.parts.database import DatabaseAddress
from stores import mysql, postgres, postgres_target, redshift
from stores.mysql.session import connect_session
from stores.mysql.target import connect as connect_target
from stores.sql import Statement


def hook(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / f"{name}.py"
    path.write_text(textwrap.dedent(text), encoding="utf-8")
    return path


def broken(address: DatabaseAddress) -> dict[str, Any]:
    """A login that leads nowhere: what the hook has to mend."""
    return {
        "host": "nowhere.invalid",
        "port": address.port,
        "username": address.username,
        "password": SecretStr("wrong"),
    }


def mending(address: DatabaseAddress, creds: str, database: str) -> str:
    return f"""
        def before_hook(*args, **kwargs):
            creds = dict(kwargs["{creds}"])
            creds["HOST"], creds["PASSWORD"] = "{address.host}", "{address.password}"
            creds["{database}"] = "{address.database}"
            return args, {{**kwargs, "{creds}": creds, "autocommit": True}}
    """


def test_before_hook_says_where_and_as_whom_to_connect_to_redshift(
    redshift_database: DatabaseAddress, tmp_path: Path
) -> None:
    path = hook(tmp_path, "connect_to_redshift", mending(redshift_database, "redshift_creds", "DATABASE_NAME"))
    settings = RedshiftSettings(database_name="other", connect_hook=path, **broken(redshift_database))
    with redshift.connect(settings, retries=0) as session:
        assert session.row(Statement("SELECT current_database()", "ask")) == (redshift_database.database,)


def test_before_hook_says_where_and_as_whom_to_connect_to_postgres(
    postgres_database: DatabaseAddress, tmp_path: Path
) -> None:
    path = hook(tmp_path, "connect_to_postgres", mending(postgres_database, "postgres_creds", "DATABASE_NAME"))
    settings = PostgresSettings(database_name="other", connect_hook=path, **broken(postgres_database))
    with postgres.connect(settings, retries=0) as source, postgres_target.connect(settings, retries=0) as target:
        assert source.rows("SELECT current_database()") == [(postgres_database.database,)]
        assert target.rows("SELECT current_database()") == [(postgres_database.database,)]


def test_before_hook_says_where_and_as_whom_to_connect_to_mysql(
    mysql_database: DatabaseAddress, tmp_path: Path
) -> None:
    path = hook(tmp_path, "connect_to_mysql", mending(mysql_database, "sql_creds", "DATABASE"))
    host = MySqlHost(database="other", connect_hook=path, **broken(mysql_database))
    with mysql.connect(host, retries=0) as source, connect_target(host, retries=0) as target:
        assert source.text_rows("SELECT DATABASE()") == [(mysql_database.database,)]
        assert target.rows("SELECT DATABASE()") == [(mysql_database.database,)]
    with connect_session(host, retries=0) as session:
        assert session.rows(Statement("SELECT DATABASE()", "ask")) == [(mysql_database.database,)]


AFTER = """
    def after_hook(connection):
        cursor = connection.cursor()
        cursor.execute("{setting}", ("from the hook",))
        cursor.execute("SELECT 1")
        assert [str(value) for value in cursor.fetchone()] == ["1"]
        connection.commit()
        return connection
"""


def login(address: DatabaseAddress) -> dict[str, Any]:
    return {
        "host": address.host,
        "port": address.port,
        "username": address.username,
        "password": SecretStr(address.password),
    }


def test_after_hook_prepares_the_session_that_the_step_uses(
    redshift_database: DatabaseAddress,
    postgres_database: DatabaseAddress,
    mysql_database: DatabaseAddress,
    tmp_path: Path,
) -> None:
    name = "SET application_name TO %s"
    path = hook(tmp_path, "connect_to_redshift", AFTER.format(setting=name))
    settings = RedshiftSettings(database_name=redshift_database.database, connect_hook=path, **login(redshift_database))
    with redshift.connect(settings, retries=0) as session:
        assert session.row(Statement("SELECT current_setting('application_name')", "ask")) == ("from the hook",)
    source = PostgresSettings(database_name=postgres_database.database, connect_hook=path, **login(postgres_database))
    with postgres.connect(source, retries=0) as link:
        assert link.rows("SHOW application_name") == [("from the hook",)]
    variable = hook(tmp_path, "connect_to_mysql", AFTER.format(setting="SET @hooked = %s"))
    host = MySqlHost(database=mysql_database.database, connect_hook=variable, **login(mysql_database))
    with mysql.connect(host, retries=0) as read:
        assert read.text_rows("SELECT @hooked") == [("from the hook",)]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "def before_hook(**k):\n    raise RuntimeError('vault is sealed')\n",
            "before_hook raised RuntimeError: vault is",
        ),
        ("def before_hook(**k):\n    return k\n", "before_hook must return"),
        ("def before_hook(**k):\n    return ('x',), k\n", "may give keywords only"),
        ("def before_hook(**k):\n    return (), {'postgres_creds': 'x'}\n", "must be a mapping"),
        ("def before_hook(**k):\n    return (), {'postgres_creds': {'PORT': 'x'}}\n", "a PORT that is no number"),
        ("def after_hook(c):\n    return object()\n", "gave back another connection"),
        ("def after_hook(c):\n    c.cursor().execute('nonsense')\n", "after_hook raised"),
        ("def before_hook(**k):\n    raise SystemExit(3)\n", "before_hook raised SystemExit: 3"),
        ("raise SystemExit(3)\n", "cannot be loaded: SystemExit: 3"),
        ("import nothing_of_this_name\n", "cannot be loaded: ModuleNotFoundError"),
        ("def before_hook(:\n", "cannot be loaded: SyntaxError"),
    ],
)
def test_a_hook_that_fails_is_named_with_what_it_did(
    postgres_database: DatabaseAddress, tmp_path: Path, text: str, told: str
) -> None:
    path = hook(tmp_path, "connect_to_postgres", text)
    settings = PostgresSettings(database_name=postgres_database.database, connect_hook=path, **login(postgres_database))
    with pytest.raises(HookFailed, match=told):
        postgres.connect(settings, retries=0)


def test_options_of_a_hook_for_mysql_reach_the_driver_or_are_named(
    mysql_database: DatabaseAddress, tmp_path: Path
) -> None:
    text = "def before_hook(**k):\n    return (), {**k, 'charset': 'utf8', 'program_name': 'hooked'}\n"
    host = MySqlHost(
        database=mysql_database.database, connect_hook=hook(tmp_path, "utf8", text), **login(mysql_database)
    )
    with mysql.connect(host, retries=0) as read:
        assert read.text_rows("SELECT @@character_set_client") == [("utf8mb4",)]
    text = "def before_hook(**k):\n    return (), {**k, 'nonsense': 1}\n"
    host = MySqlHost(connect_hook=hook(tmp_path, "nonsense", text), **login(mysql_database))
    with pytest.raises(HookFailed, match=r"does not take an option of before_hook.*nonsense"):
        mysql.connect(host, retries=0)


def test_a_password_that_a_hook_finds_is_redacted_from_then_on(
    postgres_database: DatabaseAddress, tmp_path: Path
) -> None:
    text = "def before_hook(postgres_creds):\n    postgres_creds['PASSWORD'] = 'found-in-the-vault'\n"
    text += "    return (), {'postgres_creds': postgres_creds}\n"
    path = hook(tmp_path, "connect_to_postgres", text)
    settings = PostgresSettings(database_name=postgres_database.database, connect_hook=path, **login(postgres_database))
    with pytest.raises(AccessDenied):
        postgres.connect(settings, retries=0)
    assert "found-in-the-vault" not in REDACTOR.redact("found-in-the-vault")


def test_code_that_others_may_change_is_not_run(postgres_database: DatabaseAddress, tmp_path: Path) -> None:
    path = hook(tmp_path, "connect_to_postgres", "raise SystemExit('was run')\n")
    path.chmod(0o666)
    settings = PostgresSettings(database_name="d", connect_hook=path, **login(postgres_database))
    with pytest.raises(SettingsError, match="may be changed by other users"):
        postgres.connect(settings, retries=0)


def test_the_hooks_of_the_directory_of_dataducts_configuration_are_found(tmp_path: Path) -> None:
    path = hook(tmp_path, "connect_to_mysql", "")
    configuration = tmp_path / "dataduct.cfg"
    configuration.write_text(
        f"etl:\n  HOOKS_BASE_PATH: {tmp_path}\n"
        "mysql:\n  app: {HOST: h, USERNAME: u, PASSWORD: 'env:P'}\n"
        "redshift: {HOST: r, PORT: 5439, DATABASE_NAME: d, USERNAME: u, PASSWORD: 'env:P'}\n",
        encoding="utf-8",
    )
    nowhere = {"HOME": str(tmp_path), "DATADUCT_CONFIG_PATH": str(configuration)}
    settings: Settings = load_settings(None, nowhere)
    assert settings.mysql["app"].connect_hook == path
    assert settings.redshift is not None
    assert settings.redshift.connect_hook is None
