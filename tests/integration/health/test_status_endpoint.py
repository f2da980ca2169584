"""What a running agent says of itself over HTTP, and whom it does not listen to."""

from __future__ import annotations

import contextlib
import json
import socket
import time

import psutil
import pytest

from tests.integration.health.conftest import Asked, eventually


@pytest.fixture(scope="module")
def idle(module_bench):
    agent = module_bench.agent("--tasks=3")
    found = Asked(agent)
    found.await_ready()
    return found


@pytest.fixture(scope="module")
def module_bench(manual_service, aws_server, tmp_path_factory):
    from tests.integration.agent.conftest import Bench

    with pytest.MonkeyPatch.context() as patch:
        for name, value in aws_server.client_environment().items():
            patch.setenv(name, value)
        made = Bench(manual_service, tmp_path_factory.mktemp("idle"))
        yield made
        for agent in made.agents:
            agent.stop()
        made.client.close()


def test_an_idle_agent_is_alive_and_ready(idle):
    assert idle.get("/healthz")[:2] == (200, "ok\n")
    assert idle.get("/readyz")[:2] == (200, "ready\n")
    document = idle.status()
    assert (document["state"], document["slots"], document["busy"]) == ("idle", 3, 0)
    assert document["machine"]["disk_free"] > 0
    assert document["agent"]["resident"] > 1024**2
    eventually(lambda: idle.status()["machine"]["clock_offset"] is not None, "an answer that told the service's time")
    assert abs(idle.status()["machine"]["clock_offset"]) < 5


def test_a_running_attempt_and_its_progress_are_shown(module_bench, idle):
    gate = module_bench.directory / "gate"
    result = json.dumps({"progress": {"phase": "load", "rows": 12, "percent": 40}})
    command = f"echo '{result}' > $DUCTRUNNER_RESULT; touch {gate}.begun; while [ ! -e {gate} ]; do sleep 0.05; done"
    pipeline = module_bench.shell(command)
    eventually(gate.with_suffix(".begun").exists, "a running command")
    [attempt] = eventually(lambda: idle.status()["running"], "a running attempt")
    assert (attempt["pipeline"], attempt["component"], attempt["type"]) == (pipeline, "Work", "ShellCommandActivity")
    assert attempt["attempt"].startswith("@Work_")
    assert attempt["progress"]["percentComplete"] == "40"
    assert attempt["progress"]["attemptStatus"].startswith("load")
    assert attempt["lease_age"] >= 0
    assert pipeline in attempt["logs"]
    assert idle.status()["state"] == "working"
    gate.touch()
    module_bench.ended(pipeline)
    eventually(lambda: not idle.status()["running"], "an idle agent")


def test_a_failed_attempt_is_remembered_and_counted(module_bench, idle):
    pipeline = module_bench.shell("echo a-line-of-rows >&2; exit 7")
    module_bench.ended(pipeline)

    def found():
        return next((entry for entry in idle.status()["recent"] if entry["pipeline"] == pipeline), None)

    entry = eventually(found, "the ended attempt")
    assert (entry["outcome"], entry["error_id"]) == ("failed", "CommandFailed")
    assert "exit status 7" in entry["error"]
    assert "a-line-of-rows" not in json.dumps(idle.status())
    text = idle.get("/metrics")[1]
    [line] = [line for line in text.splitlines() if line.startswith("ductrunner_tasks_total") and "failed" in line]
    assert 'type="ShellCommandActivity"' in line


def test_no_whole_task_id_is_shown(module_bench, idle):
    pipeline = module_bench.shell("sleep 3")
    [attempt] = eventually(lambda: idle.status()["running"], "a running attempt")
    assert len(attempt["task"]) == 16
    assert set(attempt) & {"task_id", "taskId"} == set()
    module_bench.ended(pipeline)


def test_metrics_are_prometheus_text_and_openmetrics_when_asked(idle):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
    from prometheus_client.parser import text_string_to_metric_families

    _, text, headers = idle.get("/metrics")
    assert headers["Content-Type"].startswith("text/plain")
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["ductrunner_ready"].samples[0].value == 1
    _, text, headers = idle.get("/metrics", Accept="application/openmetrics-text; version=1.0.0")
    assert headers["Content-Type"].startswith("application/openmetrics-text")
    assert "ductrunner_slots" in {family.name for family in parse_openmetrics(text)}


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS", "TRACE"])
def test_only_get_and_head_are_answered(idle, method):
    code, _, headers = idle.get("/status", method)
    assert (code, headers["Allow"]) == (405, "GET, HEAD")


def test_head_has_no_body(idle):
    code, body, headers = idle.get("/healthz", "HEAD")
    assert (code, body, headers["Content-Length"]) == (200, "", "3")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:8717", "169.254.1.1", ""])
def test_a_name_that_was_bound_to_this_machine_is_refused(idle, host):
    assert idle.get("/status", Host=host)[0] == 403


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:1", "[::1]:8717", "127.8.8.8"])
def test_a_loopback_host_is_taken(idle, host):
    assert idle.get("/healthz", Host=host)[0] == 200


def test_a_refusal_of_head_has_no_body_either(idle):
    assert spoken(idle, b"HEAD /status HTTP/1.1\r\nHost: evil.example\r\n\r\n").endswith(b"\r\n\r\n")


def test_a_page_that_is_not_there_names_those_that_are(idle):
    code, body, _ = idle.get("/")
    assert code == 404
    assert "/status" in body


def spoken(idle, data: bytes) -> bytes:
    host, port = idle.address.split(":")
    with socket.create_connection((host, int(port)), 10) as sock:
        sock.sendall(data)
        return b"".join(iter(lambda: sock.recv(65536), b""))


@pytest.mark.parametrize("data", [b"\r\n\r\n", b"GET\r\n\r\n", b"\x16\x03\x01\r\n\r\n", b"GET / SPDY/9\r\n\r\n"])
def test_what_is_no_http_is_refused(idle, data):
    assert spoken(idle, data).startswith(b"HTTP/1.1 400 ")


def test_an_endless_head_is_refused(idle):
    assert spoken(idle, b"GET / HTTP/1.1\r\n" + b"X: " + b"y" * 8200).startswith(b"HTTP/1.1 431 ")


def test_clients_that_say_nothing_neither_block_the_endpoint_nor_make_it_grow(module_bench, idle):
    process = psutil.Process(module_bench.worker.process.pid)
    threads, files = process.num_threads(), process.num_fds()
    host, port = idle.address.split(":")
    silent = [socket.create_connection((host, int(port)), 10) for _ in range(100)]
    with contextlib.suppress(OSError):  # the older ones have had to go already
        for sock in silent:
            sock.sendall(b"GET /status HT")
    try:
        assert idle.get("/healthz")[0] == 200
        assert process.num_threads() <= threads
        assert process.num_fds() <= files + 20
    finally:
        for sock in silent:
            sock.close()


def test_a_client_that_drips_is_cut_off(idle):
    host, port = idle.address.split(":")
    with socket.create_connection((host, int(port)), 20) as sock:
        begun = time.monotonic()
        sock.settimeout(0.5)
        while True:
            try:
                sock.sendall(b"G")
                if sock.recv(1) == b"":
                    break
            except TimeoutError:
                assert time.monotonic() - begun < 30
            except ConnectionError:
                break


def test_a_client_that_does_not_read_costs_its_deadline_alone(idle):
    host, port = idle.address.split(":")
    sockets = []
    for _ in range(16):
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
        sock.connect((host, int(port)))
        sock.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\n\r\n")
        sockets.append(sock)
    try:
        assert idle.get("/healthz")[0] == 200
    finally:
        for sock in sockets:
            sock.close()


def test_a_taken_address_is_said_and_another_one_used(bench):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        wanted = f"127.0.0.1:{taken.getsockname()[1]}"
        agent = bench.agent(DUCTRUNNER_AGENT_LISTEN=wanted)
        line = agent.wait_for("listen_address_taken")
    assert (line["level"], line["wanted"]) == ("WARNING", wanted)
    assert Asked(agent).address == line["used"] != wanted


def test_off_means_that_nobody_listens(bench):
    agent = bench.agent(DUCTRUNNER_AGENT_LISTEN="off")
    bench.ended(bench.shell("true"))
    assert not agent.events("status_offered")
    listening = [one for one in psutil.Process(agent.process.pid).net_connections() if one.status == "LISTEN"]
    assert listening == []


@pytest.mark.parametrize("place", ["0.0.0.0:8717", "10.1.2.3:8717", "[::]:8717", "example.com:80", "8717", "[::1]:x"])
def test_an_address_that_others_reach_is_refused(bench, place):
    agent = bench.agent(DUCTRUNNER_AGENT_LISTEN=place)
    assert agent.wait() == 2
    assert "InvalidSettings: agent.listen" in agent.text
