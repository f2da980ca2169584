from __future__ import annotations

import os
from pathlib import Path

import pytest

from core.errors import ParameterError, SettingsError
from stores.s3.access import Access


@pytest.fixture(autouse=True)
def _no_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", os.devnull)


def address(access: Access, bucket: str = "my-bucket") -> str:
    base = access.base(bucket)
    return base.address.url + base.path


@pytest.mark.parametrize(
    ("region", "bucket", "expected"),
    [
        (None, "my-bucket", "https://my-bucket.s3.us-east-1.amazonaws.com/"),
        ("eu-west-1", "my-bucket", "https://my-bucket.s3.eu-west-1.amazonaws.com/"),
        ("eu-west-1", "with.dots", "https://s3.eu-west-1.amazonaws.com/with.dots/"),
        ("us-east-1", "Old_Bucket", "https://s3.us-east-1.amazonaws.com/Old_Bucket/"),
        ("cn-north-1", "my-bucket", "https://my-bucket.s3.cn-north-1.amazonaws.com.cn/"),
        ("us-gov-west-1", "my-bucket", "https://my-bucket.s3.us-gov-west-1.amazonaws.com/"),
    ],
)
def test_a_bucket_lies_at_the_host_of_its_region(region: str | None, bucket: str, expected: str) -> None:
    assert address(Access(region), bucket) == expected


def test_fips_and_dualstack_hosts_follow_the_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_USE_FIPS_ENDPOINT", "true")
    monkeypatch.setenv("AWS_USE_DUALSTACK_ENDPOINT", "true")
    assert address(Access("us-west-2")) == "https://my-bucket.s3-fips.dualstack.us-west-2.amazonaws.com/"


def test_the_endpoint_is_the_explicit_one_then_that_of_s3_then_the_general_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text("[default]\nendpoint_url = http://profile:1\nregion = eu-north-1\n")
    assert address(Access()) == "http://profile:1/my-bucket/"
    assert Access().region("my-bucket") == "eu-north-1"
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://general:2/")
    assert address(Access()) == "http://general:2/my-bucket/"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://special:3/base")
    assert address(Access()) == "https://special:3/base/my-bucket/"
    assert address(Access(endpoint="http://explicit:4")) == "http://explicit:4/my-bucket/"
    monkeypatch.setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")
    assert address(Access()) == "https://my-bucket.s3.eu-north-1.amazonaws.com/"


def test_a_bucket_is_asked_in_the_region_that_s3_has_named() -> None:
    access = Access("us-east-1")
    assert address(access).startswith("https://my-bucket.s3.us-east-1.")
    assert access.learn_region("my-bucket", "eu-west-1")
    assert address(access) == "https://my-bucket.s3.eu-west-1.amazonaws.com/"
    assert not access.learn_region("my-bucket", "eu-west-1")


def test_what_is_no_endpoint_or_no_bucket_is_named() -> None:
    with pytest.raises(SettingsError, match="localhost:9000"):
        Access(endpoint="localhost:9000").base("my-bucket")
    with pytest.raises(ParameterError, match="no bucket"):
        Access().base("no bucket")


def test_a_profile_that_is_not_there_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(SettingsError, match="nobody"):
        Access().base("my-bucket")
