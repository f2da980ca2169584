"""What Dataduct did with secrets, and with connections, that ours does not (the list "Do not copy")."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from core.errors import SettingsError
from core.settings import load_settings
from sandbox.parts.database import DatabaseAddress
from steps_impl.contract import EXIT_BAD_PARAMETERS
from stores import postgres

DDL = "CREATE TABLE dev.t (id INTEGER PRIMARY KEY, description VARCHAR(50))"
STEP = [sys.executable, "-m", "ductrunner", "step"]


def test_copy_names_a_role_and_no_key_of_the_worker_reaches_the_warehouse(
    compiled,
    s3_client,
    s3_bucket,
    redshift_database: DatabaseAddress,  # the fixture
) -> None:
    compiled.warehouse("CREATE SCHEMA dev")
    s3_client.put_object(Bucket=s3_bucket, Key="in/f", Body=b"1\tone\n")
    words = ["--table_definition", DDL, "--s3_input_paths", f"s3://{s3_bucket}/in/"]
    keys = {"AWS_ACCESS_KEY_ID": "AKIDOFTHEWORKER00000", "AWS_SECRET_ACCESS_KEY": "secretOfTheWorker"}
    done = compiled.call("create_load_redshift:create_load_redshift_runner", *words, **keys)
    assert done.returncode == 0, done.stderr
    texts = " ".join(row[0] for row in compiled.warehouse("SELECT querytxt FROM stl_query"))
    assert "IAM_ROLE" in texts
    assert not [key for key in keys.values() if key in texts + done.stdout + done.stderr]


def test_the_text_of_a_script_is_printed_nowhere(compiled) -> None:
    compiled.warehouse("CREATE SCHEMA dev")
    for statement in ("INSERT INTO dev.t VALUES (1, 'hunter2hunter2')", "SELECT 'hunter2hunter2' FROM nowhere"):
        done = compiled.call("runner:sql_runner", "--table_definition", DDL, "--sql", statement)
        assert "hunter2hunter2" not in done.stdout + done.stderr


def test_a_configuration_runs_no_code(tmp_path: Path) -> None:
    """Dataduct read YAML with a loader that makes any Python object."""
    made = tmp_path / "made"
    configuration = tmp_path / "dataduct.cfg"
    configuration.write_text(f"etl: !!python/object/apply:os.mkdir ['{made}']\n", encoding="utf-8")
    for variable in ("DUCTRUNNER_CONFIG", "DATADUCT_CONFIG_PATH"):
        with pytest.raises(SettingsError, match="is not a YAML file"):
            load_settings(None, {"HOME": str(tmp_path), variable: str(configuration)})
    assert not made.exists()


def test_a_plain_password_of_the_file_is_warned_about_by_its_place_alone(tmp_path: Path) -> None:
    configuration = tmp_path / "dataduct.cfg"
    entry = {"HOST": "127.0.0.1", "PORT": 1, "USERNAME": "u", "PASSWORD": "in-plain-text"}
    document = {"etl": {"CONNECTION_RETRIES": 0}, "mysql": {"app": entry}}
    configuration.write_text(yaml.safe_dump(document), encoding="utf-8")
    own = {name: value for name, value in os.environ.items() if not name.startswith("DUCTRUNNER_")}
    own |= {"HOME": str(tmp_path), "DATADUCT_CONFIG_PATH": str(configuration)}
    words = ["extract-rds", "--host-name", "app", "--table", "t", "--output", str(tmp_path / "out")]
    done = subprocess.run([*STEP, *words], env=own, capture_output=True, text=True, check=False)
    assert "holds passwords as plain text (mysql.app)" in done.stderr
    assert "in-plain-text" not in done.stdout + done.stderr


def test_the_keys_that_only_dataduct_knew_keep_nobody_from_connecting_to_postgres(
    tmp_path: Path, postgres_database: DatabaseAddress
) -> None:
    """It handed RDS_INSTANCE_ID and REGION to psycopg2, which refused them."""
    to = postgres_database
    login = {"HOST": to.host, "PORT": to.port, "DATABASE_NAME": to.database, "USERNAME": to.username}
    section = {**login, "PASSWORD": "env:OF_POSTGRES", "RDS_INSTANCE_ID": "learning", "REGION": "us-east-1"}
    configuration = tmp_path / "dataduct.cfg"
    configuration.write_text(yaml.safe_dump({"postgres": section}), encoding="utf-8")
    os.environ["OF_POSTGRES"] = to.password
    try:
        settings = load_settings(None, {"HOME": str(tmp_path), "DATADUCT_CONFIG_PATH": str(configuration)}).postgres
        assert settings is not None
        with postgres.connect(settings) as connection:
            assert connection.rows("SELECT 1") == [(1,)]
    finally:
        del os.environ["OF_POSTGRES"]


@pytest.mark.parametrize("step", ["extract-postgres", "load-postgres"])
def test_a_missing_section_is_told_by_name_when_the_step_runs(tmp_path: Path, step: str) -> None:
    """Dataduct's load-postgres died with a NameError while it was imported."""
    (tmp_path / "ductrunner.yaml").write_text("{}", encoding="utf-8")
    own = {**os.environ, "DUCTRUNNER_CONFIG": str(tmp_path / "ductrunner.yaml")}
    words = [
        "--table",
        "t",
        *(["--output", str(tmp_path / "out")] if step == "extract-postgres" else ["--input", "s3://b/k"]),
    ]
    done = subprocess.run([*STEP, step, *words], env=own, capture_output=True, text=True, check=False)
    assert done.returncode == EXIT_BAD_PARAMETERS
    assert "postgres" in done.stderr
    assert "Traceback" not in done.stderr


def test_text_of_four_bytes_a_character_goes_through_the_connection_to_mysql(
    mysql_database: DatabaseAddress,
) -> None:
    """Dataduct connected with ``charset=utf8``, which has three."""
    from pydantic import SecretStr

    from core.sections.databases import MySqlHost
    from stores.mysql import connect

    to = mysql_database
    login = {"host": to.host, "port": to.port, "username": to.username, "password": SecretStr(to.password)}
    with connect(MySqlHost(database=to.database, **login)) as connection:
        assert connection.text_rows("SELECT '𝒟uct 🦆', CHAR_LENGTH('🦆')") == [("𝒟uct 🦆", "1")]
