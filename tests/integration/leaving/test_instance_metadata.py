"""IMDSv2 as its client and as any other program sees it."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

import pytest

from agent.sources.instance_identity import LIMIT, InstanceIdentity
from core.errors import AccessDenied, SettingsError, StoreUnreachable
from stores import instance
from stores.instance import find_metadata, is_instance


def _status(url: str, method: str, **headers: str) -> int:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method, headers=named)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


@pytest.mark.parametrize("lifetime", ["0", "21601", "-1", "ten", "1.5"])
def test_a_token_lasts_from_a_second_to_six_hours(imds, lifetime):
    url = f"{imds.endpoint}/latest/api/token"
    assert _status(url, "PUT", X_aws_ec2_metadata_token_ttl_seconds=lifetime) == 400
    assert _status(url, "PUT") == 400
    assert _status(url, "PUT", X_aws_ec2_metadata_token_ttl_seconds="60") == 200


def test_a_proxy_gets_no_token(imds):
    headers = {"X_aws_ec2_metadata_token_ttl_seconds": "60", "X_Forwarded_For": "10.0.0.1"}
    assert _status(f"{imds.endpoint}/latest/api/token", "PUT", **headers) == 403


def test_nothing_is_told_without_a_token(imds):
    url = f"{imds.endpoint}/latest/meta-data/instance-id"
    assert _status(url, "GET") == 401
    assert _status(url, "GET", X_aws_ec2_metadata_token="made-up") == 401


def test_items_are_read_and_what_is_not_there_is_none(metadata_client, control):
    metadata = metadata_client()
    assert metadata.get("meta-data/instance-id").text == "i-0123456789abcdef0"
    assert metadata.get("meta-data/spot/instance-action") is None
    control("spot", seconds=60)
    assert '"terminate"' in metadata.get("meta-data/spot/instance-action").text
    assert "placement/" in metadata.get("meta-data").text.splitlines()


def test_one_token_and_one_connection_serve_many_requests(metadata_client, control):
    metadata = metadata_client()
    for _ in range(5):
        metadata.get("meta-data/instance-id")
    answers = control("instance", "GET")["answers"]
    assert answers == {"PUT 200": 1, "GET 200": 5}


def test_a_token_is_renewed_before_it_ends(metadata_client, control, monkeypatch):
    monkeypatch.setattr(instance, "TOKEN_TTL", 60)  # not longer than the reserve
    metadata = metadata_client()
    metadata.get("meta-data/instance-id")
    metadata.get("meta-data/instance-id")
    assert control("instance", "GET")["answers"] == {"PUT 200": 2, "GET 200": 2}


def test_a_token_that_the_service_has_dropped_is_renewed(metadata_client, control):
    metadata = metadata_client()
    metadata.get("meta-data/instance-id")
    control("tokens")
    assert metadata.get("meta-data/instance-id")


def test_a_service_that_was_started_again_is_found_again(metadata_client, imds):
    metadata = metadata_client()
    metadata.get("meta-data/instance-id")
    imds.stop()
    imds.start()
    assert metadata.get("meta-data/instance-id").text == "i-0123456789abcdef0"


def test_a_silent_service_names_the_hop_limit(metadata_client, control):
    control("fault", fault="delay", seconds=5)
    with pytest.raises(StoreUnreachable, match="HttpPutResponseHopLimit must be 2"):
        metadata_client(timeout=0.1).get("meta-data/instance-id")


def test_metadata_that_are_switched_off_are_named(metadata_client, control):
    control("fault", fault="error", status=403)
    with pytest.raises(AccessDenied, match="HttpEndpoint=enabled"):
        metadata_client().get("meta-data/instance-id")


def test_an_answer_without_end_is_refused(metadata_client, control):
    control("raw", path="meta-data/long", text="x" * (instance.BODY_LIMIT + 1))
    with pytest.raises(StoreUnreachable, match="more than 65536 bytes"):
        metadata_client().get("meta-data/long")


def test_times_are_told_by_the_service(metadata_client):
    assert metadata_client().get("meta-data/instance-id").now % 1 == 0


@pytest.mark.parametrize(
    ("vendor", "hypervisor", "found"),
    [
        ("Amazon EC2\n", None, True),
        (None, "ec2f0000-0000\n", True),
        (None, "EC2F0000\n", True),
        ("QEMU\n", None, False),
    ],
)
def test_an_instance_is_known_by_firmware_or_hypervisor(tmp_path: Path, vendor, hypervisor, found):
    for name, text in (("vendor", vendor), ("hypervisor", hypervisor)):
        if text is not None:
            (tmp_path / name).write_text(text)
    assert is_instance(tmp_path / "vendor", tmp_path / "hypervisor") is found


def test_who_may_be_asked_follows_the_variables_of_the_sdks():
    endpoint = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1234"}
    assert find_metadata(endpoint).url == "http://127.0.0.1:1234"
    assert find_metadata({**endpoint, "AWS_EC2_METADATA_DISABLED": "TRUE"}, sure=True) is None
    assert find_metadata({}, sure=True).url == "http://169.254.169.254"
    assert find_metadata({"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "ipv6"}, sure=True).url == "http://[fd00:ec2::254]"
    with pytest.raises(SettingsError, match="write IPv4 or IPv6"):
        find_metadata({"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "both"}, sure=True)


def test_the_second_poll_carries_the_identity_and_it_is_fetched_once(metadata_client, control):
    identity = InstanceIdentity(metadata_client())
    assert identity.members() == {}
    first, second = identity.members(), identity.members()
    assert first == second
    assert '"instanceId": "i-0123456789abcdef0"' in first["document"]
    assert control("instance", "GET")["answers"] == {"PUT 200": 1, "GET 200": 2}


def test_an_identity_that_is_too_long_for_the_service_is_left_out(metadata_client, control):
    control("instance", document="x" * (LIMIT + 1))
    identity = InstanceIdentity(metadata_client())
    identity.members()
    assert identity.members() == {}


def test_outside_of_ec2_there_is_no_identity():
    identity = InstanceIdentity(None)
    assert [identity.members(), identity.members()] == [{}, {}]
