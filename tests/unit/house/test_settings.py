from __future__ import annotations

from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import load_settings


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "ductrunner.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_dataducts_capitals_and_small_letters_are_the_same_key(tmp_path: Path) -> None:
    path = written(tmp_path, "mysql:\n  Learning:\n    HOST: db\n    USERNAME: etl\n    password: p\n")
    host = load_settings(path, {}).mysql["Learning"]
    assert (host.host, host.username, host.password.get_secret_value(), host.port) == ("db", "etl", "p", 3306)


def test_an_unknown_key_is_an_error_that_names_the_nearest_known_one(tmp_path: Path) -> None:
    path = written(tmp_path, "agent:\n  wroker_group: etl\n")
    with pytest.raises(SettingsError, match=r"agent.wroker_group: unknown key, did you mean 'worker_group'\?"):
        load_settings(path, {})


def test_the_environment_overrides_the_file(tmp_path: Path) -> None:
    path = written(tmp_path, "agent: {tasks: 2, worker_group: etl}\n")
    agent = load_settings(path, {"DUCTRUNNER_AGENT_TASKS": "7"}).agent
    assert (agent.tasks, agent.worker_group) == (7, "etl")


def test_a_named_file_that_is_missing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot read the configuration"):
        load_settings(None, {"DUCTRUNNER_CONFIG": str(tmp_path / "none.yaml")})


@pytest.mark.parametrize("text", ["- a\n", "just text", "a: [", "\x00"])
def test_what_is_no_configuration_is_refused_by_name(tmp_path: Path, text: str) -> None:
    with pytest.raises(SettingsError, match=r"ductrunner\.yaml"):
        load_settings(written(tmp_path, text), {})


def test_no_error_repeats_a_secret(tmp_path: Path) -> None:
    path = written(tmp_path, "redshift: {HOST: h, DATABASE_NAME: d, USERNAME: u, PASSWORD: [hunter2secret]}\n")
    with pytest.raises(SettingsError) as caught:
        load_settings(path, {})
    assert "hunter2secret" not in str(caught.value)


MODES = """
etl: {S3_ETL_BUCKET: live, S3_BASE_PATH: prod}
mysql: {app: {HOST: live-db, USERNAME: etl}}
staging:
  etl: {s3_base_path: staging}
modes:
  laptop:
    etl: {S3_ETL_BUCKET: mine}
    mysql: {app: {HOST: localhost, USERNAME: me}}
"""


@pytest.mark.parametrize(
    ("mode", "bucket", "folder", "host"),
    [
        (None, "live", "prod", "live-db"),
        ("staging", "live", "staging", "live-db"),
        ("LAPTOP", "mine", "prod", "localhost"),
    ],
)
def test_a_mode_is_laid_over_the_file(tmp_path: Path, mode: str | None, bucket: str, folder: str, host: str) -> None:
    settings = load_settings(written(tmp_path, MODES), {"DUCTRUNNER_MODE": mode} if mode else {})
    assert (settings.etl.s3_etl_bucket, settings.etl.s3_base_path) == (bucket, folder)
    assert settings.mysql["app"].host == host


def test_a_mode_that_is_not_there_is_refused_with_those_that_are(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"DUCTRUNNER_MODE is 'prod'.*its modes: laptop, staging"):
        load_settings(written(tmp_path, MODES), {"DUCTRUNNER_MODE": "prod"})


def test_a_wrong_key_of_a_mode_is_told_before_it_is_chosen(tmp_path: Path) -> None:
    text = MODES.replace("s3_base_path: staging", "s3_base_pth: staging")
    with pytest.raises(SettingsError, match=r"mode staging: etl\.s3_base_pth: unknown key, did you mean"):
        load_settings(written(tmp_path, text), {})


def test_a_section_of_an_unknown_name_is_no_mode(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="loging: unknown key, did you mean"):
        load_settings(written(tmp_path, "loging: {level: DEBUG}\n"), {})


def test_dataducts_sections_of_machines_are_read_and_name_the_worker_group(tmp_path: Path) -> None:
    text = "ec2: {INSTANCE_TYPE: m5.large, WORKER_GROUP: etl}\nemr: {NUM_CORE_INSTANCES: 3, CLUSTER_AMI: 3.1}\n"
    settings = load_settings(written(tmp_path, text), {})
    assert (settings.agent.worker_group, settings.emr.num_core_instances) == ("etl", 3)


def test_a_mode_keeps_the_letters_of_names_and_goes_before_keys_in_other_letters(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "etl: {S3_BASE_PATH: dev}\nmysql:\n  courseDB: {HOST: db, USERNAME: etl}\n  Other: {HOST: o, USERNAME: etl}\n"
        "production:\n  etl: {s3_base_path: prod}\n  mysql: {courseDB: {HOST: prod-db, USERNAME: etl}}\n",
    )
    settings = load_settings(path, {"DUCTRUNNER_MODE": "production"})
    assert settings.etl.s3_base_path == "prod"
    assert {alias: host.host for alias, host in settings.mysql.items()} == {"courseDB": "prod-db", "Other": "o"}


def test_a_section_without_keys_is_as_none_and_a_fault_of_yaml_has_its_line(tmp_path: Path) -> None:
    assert load_settings(written(tmp_path, "etl:\nagent:\nredshift:\n"), {}).etl.s3_base_path == ""
    with pytest.raises(SettingsError, match=r"is not a YAML file \(line 2\)"):
        load_settings(written(tmp_path, "etl:\n  a: b: c\n"), {})
