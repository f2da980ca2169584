"""The proxy that a task names for itself: in the variables of its command, and on the agent's way to its S3."""

from __future__ import annotations

import base64
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import pytest

from tests.faults.preconditions.conftest import Served, launch
from tests.faults.preconditions.service import PreconditionService
from tests.faults.preconditions.test_waiting import status_of

PASSWORD = "pröxy-pass@word/1"


class RefusingProxy:
    """Answers every CONNECT with 403, and remembers who asked for what."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str | None]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_CONNECT(handler) -> None:  # noqa: N805  # ``self`` is the proxy outside
                self.asked.append((handler.path, handler.headers.get("Proxy-Authorization")))
                handler.send_error(403)

            def log_message(handler, *_: object) -> None:  # noqa: N805
                """Stay silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = str(self._server.server_port)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture(scope="module")
def agents_proxy() -> Iterator[RefusingProxy]:
    """The proxy of the agent's own environment: what asks it would have left this machine."""
    made = RefusingProxy()
    yield made
    made.stop()


@pytest.fixture
def proxy() -> Iterator[RefusingProxy]:
    made = RefusingProxy()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def served(agents_proxy, tmp_path_factory) -> Iterator[Served]:
    """An agent whose S3 is the real one, which nothing here reaches."""
    service = PreconditionService()
    variables = {
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
        "AWS_ENDPOINT_URL": "",
        "AWS_ENDPOINT_URL_DATA_PIPELINE": service.endpoint,
        "HTTPS_PROXY": f"http://127.0.0.1:{agents_proxy.port}",
        "NO_PROXY": "intranet.example",
    }
    agent = launch(service, tmp_path_factory.mktemp("proxy"), "--tasks=4", **variables)
    yield Served(service, agent)
    agent.stop()
    service.close()


def run(served, name, proxy_fields, **fields):
    """Run a command behind the HttpProxy of these fields; return its status."""
    given = [{"key": key, "stringValue": value} for key, value in {"type": "HttpProxy", **proxy_fields}.items()]
    served.service.objects[f"{name}Proxy"] = {"id": f"{name}Proxy", "name": "P", "fields": given}
    references = {"httpProxy": f"{name}Proxy"}
    task = served.service.hand_out("ShellCommandActivity", name, references, **fields)
    return status_of(served.service, task)


def log_of(served, name):
    [path] = served.agent.output.glob(f"logs/df-1/{name}/*/*/StdOutput")
    return path.read_text()


@pytest.mark.parametrize("secret_field", ["*password", "password"])
def test_a_command_gets_the_proxy_of_its_task_and_nobody_sees_the_password(served, tmp_path, secret_field):
    seen = tmp_path / "seen"
    login = {"hostname": "proxy.example", "port": "3128", "username": "CORP\\me", secret_field: PASSWORD}
    name = f"Login{len(secret_field)}"
    status = run(served, name, login, command=f"env | grep -i proxy | sort; printenv HTTPS_PROXY no_proxy > {seen}")
    assert status["taskStatus"] == "FINISHED"
    address, exempt = seen.read_text().split()
    assert address == f"http://CORP%5Cme:{quote(PASSWORD, safe='')}@proxy.example:3128"
    assert exempt.split(",")[:3] == ["intranet.example", "localhost", "127.0.0.1"]
    assert "amazonaws" not in exempt
    printed = log_of(served, name)
    assert {line.partition("=")[0] for line in printed.splitlines()} >= {"HTTP_PROXY", "https_proxy", "NO_PROXY"}
    for text in (printed, served.agent.text):
        assert PASSWORD not in text
        assert quote(PASSWORD, safe="") not in text


def test_files_of_the_task_are_fetched_through_its_proxy(served, proxy, agents_proxy):
    login = {"hostname": "127.0.0.1", "port": proxy.port, "username": "me", "*password": PASSWORD}
    status = run(served, "Fetch", login, scriptUri="s3://bucket/script.sh")
    assert f"the proxy 127.0.0.1:{proxy.port} answered 403" in status["errorMessage"]
    host, login = proxy.asked[0]
    assert host == "bucket.s3.us-east-1.amazonaws.com:443"
    assert login == "Basic " + base64.b64encode(f"me:{PASSWORD}".encode()).decode()
    assert agents_proxy.asked == []


def test_with_s3_no_proxy_they_go_the_way_of_the_agent(served, proxy, agents_proxy, tmp_path):
    direct = {"hostname": "127.0.0.1", "port": proxy.port, "s3NoProxy": "True"}
    status = run(served, "Direct", direct, scriptUri="s3://bucket/script.sh")
    assert f"the proxy 127.0.0.1:{agents_proxy.port} answered 403" in status["errorMessage"]
    assert proxy.asked == []
    agents_proxy.asked.clear()
    seen = tmp_path / "seen"
    assert run(served, "Direct2", direct, command=f"printenv NO_PROXY > {seen}")["taskStatus"] == "FINISHED"
    assert {"s3.us-east-1.amazonaws.com", ".s3.us-east-1.amazonaws.com"} <= set(seen.read_text().strip().split(","))


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"hostname": "p", "port": "1", "windowsDomain": "CORP"}, "NTLM"),
        ({"hostname": "p", "port": "1", "windowsWorkgroup": "CORP"}, "NTLM"),
        ({"port": "3128"}, "'hostname'"),
        ({"hostname": "p", "port": "many"}, "'port'"),
        ({"hostname": "p"}, "'port'"),
        ({"type": "Schedule", "period": "1 day"}, "of type 'Schedule'; it must be HttpProxy"),
    ],
)
def test_a_proxy_that_cannot_be_used_is_a_failure_by_name(served, fields, words):
    status = run(served, f"Wrong{len(served.service.told)}", fields, command="true")
    assert (status["taskStatus"], status["errorId"]) == ("FAILED", "TaskMalformed")
    assert words in status["errorMessage"]
