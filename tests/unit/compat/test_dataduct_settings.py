"""Dataduct's configuration files."""

from __future__ import annotations

from pathlib import Path

import pytest

from core import dataduct
from core.errors import SettingsError
from core.settings import load_settings

FILE = """
etl:
    ROLE: FILL_ME_IN
    S3_ETL_BUCKET: my-bucket
    S3_BASE_PATH: dev
    MAX_RETRIES: 2
    NAME_PREFIX: dev
    SNS_TOPIC_ARN_WARNING: arn:aws:sns:us-east-1:1:warn
ec2: {INSTANCE_TYPE: m1.large, WORKER_GROUP: etl-workers}
emr: {CLUSTER_AMI: 3.1, WORKER_GROUP: cluster-workers, OF_A_FORK: [1]}
mysql:
    courseDB: {HOST: db.example.com, USERNAME: reader, PASSWORD: plain-password}
redshift: {CLUSTER_ID: c, DATABASE_NAME: dev, HOST: dw.example.com, PORT: 5439, USERNAME: etl, PASSWORD: "ssm:/dw"}
postgres: {DATABASE_NAME: app, RDS_INSTANCE_ID: app, USERNAME: reader, PASSWORD: x, REGION: us-east-1}
database: {permissions: [{user: reader, permission: select}, {group: analysts, permission: select}]}
bootstrap: {ec2: [{step_type: transform, command: "pip install x"}]}
logging: {CONSOLE_DEBUG_LEVEL: INFO}
custom_steps: [{class_name: A, file_path: a.py, step_type: a}]
production:
    etl: {S3_BASE_PATH: prod, NAME_PREFIX: ""}
    mysql: {courseDB: {HOST: db.example.com, USERNAME: reader, PASSWORD: another-password}}
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A machine without any file but the one that the variable names."""
    monkeypatch.setattr(dataduct, "_LOCATIONS", (str(tmp_path / "none.cfg"),))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(dataduct, "_warned", set())
    (tmp_path / "dataduct.cfg").write_text(FILE)
    return {"DATADUCT_CONFIG_PATH": f"{tmp_path / 'absent.cfg'}:{tmp_path / 'dataduct.cfg'}"}


def test_a_file_of_dataduct_is_read_as_it_is(machine):
    settings = load_settings(environment=machine)
    assert (settings.etl.s3_etl_bucket, settings.etl.s3_base_path, settings.etl.name_prefix) == (
        "my-bucket",
        "dev",
        "dev",
    )
    host = settings.mysql["courseDB"]
    assert (host.host, host.database, host.password.get_secret_value()) == (
        "db.example.com",
        "courseDB",
        "plain-password",
    )
    assert settings.redshift is not None
    assert (settings.redshift.host, settings.redshift.database_name) == ("dw.example.com", "dev")
    assert settings.redshift.iam_role == "default"
    assert [entry.user or entry.group for entry in settings.database.permissions] == ["reader", "analysts"]
    assert settings.agent.worker_group == "etl-workers"
    assert settings.postgres is None


def test_a_worker_of_clusters_takes_their_group_where_no_other_is_named(machine, tmp_path):
    text = FILE.replace(", WORKER_GROUP: etl-workers", "")
    (tmp_path / "dataduct.cfg").write_text(text)
    assert load_settings(environment=machine).agent.worker_group == "cluster-workers"


def test_a_mode_is_laid_over_the_rest(machine):
    settings = load_settings(environment={**machine, "DATADUCT_MODE": "production"})
    assert (settings.etl.s3_base_path, settings.etl.name_prefix, settings.etl.s3_etl_bucket) == (
        "prod",
        "",
        "my-bucket",
    )


def test_a_mode_that_is_not_in_the_file_is_refused(machine):
    with pytest.raises(SettingsError, match="DATADUCT_MODE is 'prodution'"):
        load_settings(environment={**machine, "DATADUCT_MODE": "prodution"})


def test_keys_without_a_value_count_as_missing_and_steps_of_dataduct_may_be_called_anything(machine, tmp_path):
    step = "custom_steps: [{class_name: A, file_path: a.py, step_type: My_step2, of_a_fork: 1}]"
    text = FILE.replace("NAME_PREFIX: dev", "NAME_PREFIX: null\n    CONNECTION_RETRIES:").replace(
        "custom_steps: [{class_name: A, file_path: a.py, step_type: a}]", step
    )
    (tmp_path / "dataduct.cfg").write_text(text.replace("PASSWORD: plain-password", "PASSWORD: null"))
    settings = load_settings(environment=machine)
    assert (settings.etl.name_prefix, settings.etl.connection_retries) == ("", 2)
    assert settings.mysql["courseDB"].password.get_secret_value() == ""
    assert [entry.step_type for entry in settings.custom_steps] == ["My_step2"]


def test_the_role_of_copy_may_stand_in_the_file(machine, tmp_path):
    (tmp_path / "dataduct.cfg").write_text(FILE.replace("CLUSTER_ID: c", "IAM_ROLE: 'arn:aws:iam::1:role/copy'"))
    settings = load_settings(environment=machine)
    assert settings.redshift is not None
    assert settings.redshift.iam_role == "arn:aws:iam::1:role/copy"


def test_passwords_that_stand_in_it_are_told_once_by_name_and_not_shown(machine, capsys):
    load_settings(environment=machine)
    load_settings(environment=machine)
    told = capsys.readouterr().err
    assert told.count("plain text") == 1
    assert "(mysql.courseDB, postgres, production.mysql.courseDB)" in told
    assert "plain-password" not in told


def test_a_file_of_ours_goes_before_it(machine, tmp_path):
    ours = tmp_path / "ductrunner.yaml"
    ours.write_text("etl: {s3_etl_bucket: ours}")
    assert load_settings(environment={**machine, "DUCTRUNNER_CONFIG": str(ours)}).etl.s3_etl_bucket == "ours"
