"""Where a secret is looked for: its region, and what stands in a file."""

from __future__ import annotations

import json
import secrets
from pathlib import Path

import boto3
import pytest

from core.errors import NotFound, SettingsError
from core.settings import load_settings
from stores.secrets import resolve


def test_a_secret_lies_in_the_region_of_its_arn_else_in_that_of_its_database(aws_environment: str) -> None:
    name = f"far-{secrets.token_hex(4)}"
    arn = boto3.client("secretsmanager", "eu-west-1").create_secret(Name=name, SecretString="far away")["ARN"]
    boto3.client("ssm", "eu-west-1").put_parameter(Name=f"/{name}", Value="far away", Type="SecureString")
    found = [
        resolve(f"secretsmanager:{arn}"),
        resolve(f"secretsmanager:{name}", "eu-west-1"),
        resolve(f"ssm:/{name}", "eu-west-1"),
    ]
    assert found == ["far away"] * 3
    with pytest.raises(NotFound):
        resolve(f"secretsmanager:{name}")


@pytest.mark.parametrize(
    ("host", "region", "expected"),
    [
        ("db.example.com", "", "eu-west-1"),
        ("house.c0ffee.ap-south-1.redshift.amazonaws.com", "", "ap-south-1"),
        ("house.c0ffee.ap-south-1.redshift.amazonaws.com", "region: us-gov-west-1,", "us-gov-west-1"),
        ("w.123456789012.us-east-2.redshift-serverless.amazonaws.com", "", "us-east-2"),
    ],
)
def test_a_database_has_its_own_region_before_that_of_the_steps(
    tmp_path: Path, host: str, region: str, expected: str
) -> None:
    file = tmp_path / "ductrunner.yaml"
    file.write_text(f"etl: {{region: eu-west-1}}\nredshift: {{{region} host: {host}, username: u, database_name: d}}\n")
    settings = load_settings(file, {})
    assert settings.redshift is not None
    assert settings.redshift.aws_region == expected


def test_what_is_no_secret_is_told_without_showing_it(aws_environment: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"\xff\xfehidden")
    file.chmod(0o600)
    with pytest.raises(SettingsError, match="is not text in UTF-8") as caught:
        resolve(f"file:{file}")
    assert "hidden" not in str(caught.value)
    name = f"null-{secrets.token_hex(4)}"
    boto3.client("secretsmanager").create_secret(Name=name, SecretString=json.dumps({"password": None}))
    with pytest.raises(SettingsError, match="with the key 'password'"):
        resolve(f"secretsmanager:{name}#password")
