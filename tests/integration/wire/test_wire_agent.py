"""A real agent process that reaches the names of AWS through a proxy, as in a closed network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote

from tests.integration.agent.conftest import bench, manual_service  # noqa: F401  # fixtures
from tests.integration.wire.conftest import LOGIN

Make = Callable[..., Any]


def test_a_task_is_taken_run_and_logged_through_the_proxy_of_the_flags(
    bench: Any,  # noqa: F811
    aws_server: Any,
    s3_client: Any,
    s3_bucket: str,
    authority: Any,
    relay: Make,
    connect_proxy: Make,
    monkeypatch: Any,
) -> None:
    proxy = connect_proxy(relay(bench.endpoint).port, s3=relay(aws_server.endpoint).port)
    monkeypatch.delenv("HTTPS_PROXY")
    user, _, password = LOGIN.partition(":")
    flags = {"Host": "127.0.0.1", "Port": str(proxy.port), "Username": user, "Password": password}
    pipeline = bench.shell("echo $HTTPS_PROXY; cat /proc/$PPID/cmdline", pipelineLogUri=f"s3://{s3_bucket}/logs")
    agent = bench.agent(
        "--once",
        *(f"--proxy{name}={value}" for name, value in flags.items()),
        AWS_CA_BUNDLE=str(authority.bundle),
        AWS_IGNORE_CONFIGURED_ENDPOINT_URLS="true",
    )
    assert bench.ended(pipeline)["@status"] == "FINISHED"
    assert agent.wait() == 0
    hosts = ("datapipeline", "logs", f"{s3_bucket}.s3")
    assert set(proxy.asked) == {f"{host}.us-east-1.amazonaws.com:443" for host in hosts}
    stored = [entry["Key"] for entry in s3_client.list_objects_v2(Bucket=s3_bucket)["Contents"]]
    texts = [s3_client.get_object(Bucket=s3_bucket, Key=key)["Body"].read().decode() for key in stored]
    texts += [path.read_text() for path in agent.output.rglob("*") if path.is_file()]
    assert len(texts) >= 4
    for text in (*texts, agent.text):
        assert password not in text
        assert quote(password, safe="") not in text
