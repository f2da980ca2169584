"""The HTTP server: JSON 1.1 on ``POST /``, one thread per connection, and the control endpoints.

The operation is named by ``X-Amz-Target``: ``DataPipeline.<Operation>``, or ``DataPipeline_20121129.<Operation>`` as
the guide's raw HTTP page has it. Signatures are not verified: any credentials do. Answers carry ``x-amzn-RequestId``
and the ``x-amz-crc32`` of the body, which SDKs check.
"""

from __future__ import annotations

import json
import logging
import socket
import socketserver
import time
import uuid
import zlib
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from core.errors import DuctrunnerError
from core.redaction import REDACTOR
from sandbox.datapipeline.answers import ApiError, InternalFailure, InvalidRequest
from sandbox.datapipeline.control import PREFIX, Control
from sandbox.datapipeline.http import BadRequest, Request, is_connected, read_request, response
from sandbox.datapipeline.injection import Fault, Injection, Injections
from sandbox.datapipeline.operations import definitions, objects, pipelines, status, tasks
from sandbox.datapipeline.service import Service
from sandbox.datapipeline.wire import RequestShapes

LOG = logging.getLogger(__name__)
Operation = Callable[[Service, dict[str, Any]], dict[str, Any]]
#: Every operation but PollForTask, which needs its connection, and DescribeObjects, which needs to know its client.
OPERATIONS: dict[str, Operation] = {
    "ActivatePipeline": definitions.activate_pipeline,
    "AddTags": pipelines.add_tags,
    "CreatePipeline": pipelines.create_pipeline,
    "DeactivatePipeline": definitions.deactivate_pipeline,
    "DeletePipeline": pipelines.delete_pipeline,
    "DescribePipelines": pipelines.describe_pipelines,
    "EvaluateExpression": objects.evaluate_expression,
    "GetPipelineDefinition": definitions.get_pipeline_definition,
    "ListPipelines": pipelines.list_pipelines,
    "PutPipelineDefinition": definitions.put_pipeline_definition,
    "QueryObjects": objects.query_objects,
    "RemoveTags": pipelines.remove_tags,
    "ReportTaskProgress": tasks.report_task_progress,
    "ReportTaskRunnerHeartbeat": tasks.report_task_runner_heartbeat,
    "SetStatus": status.set_status,
    "SetTaskStatus": tasks.set_task_status,
    "ValidatePipelineDefinition": definitions.validate_pipeline_definition,
}
_TARGETS = ("DataPipeline", "DataPipeline_20121129")
_AWS_CLI = "aws-cli/"
_CONTENT_TYPE = "application/x-amz-json-1.1"
_encode = json.JSONEncoder(separators=(",", ":")).encode


class Application:
    """Turns requests into answers; knows the service, not the sockets."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.injections = Injections()
        self.control = Control(service, self.injections)
        self.shapes = RequestShapes()

    def operation_of(self, request: Request) -> str:
        """Return the operation that a request names.

        Raises:
            InvalidRequest: it names none that there is; never a server error, which SDKs would try again.
        """
        prefix, _, name = request.headers.get("x-amz-target", "").rpartition(".")
        if prefix not in _TARGETS or name not in self.shapes.operations:
            raise InvalidRequest("X-Amz-Target names no operation of AWS Data Pipeline")
        if request.method != "POST":
            raise InvalidRequest("Operations are called with POST")
        return name

    def run(self, name: str, request: Request, client_is_there: Callable[[], bool]) -> dict[str, Any]:
        """Check a request and carry it out."""
        try:
            body = json.loads(request.body or b"{}")
        except ValueError:
            raise InvalidRequest("The body is not JSON") from None
        self.shapes.check(name, body)
        if name == "PollForTask":
            return tasks.poll_for_task(self.service, body, client_is_there)
        with self.service.call():
            if name == "DescribeObjects":
                from_aws_cli = request.headers.get("user-agent", "").startswith(_AWS_CLI)
                return objects.describe_objects(self.service, body, from_aws_cli=from_aws_cli)
            return OPERATIONS[name](self.service, body)

    def take_back(self, answer: dict[str, Any]) -> None:
        """Queue the task of an answer that could not be delivered."""
        if task := answer.get("taskObject"):
            with self.service.call():
                self.service.delivery.take_back(task["taskId"])


class Connection(socketserver.StreamRequestHandler):
    """One client connection, until it closes."""

    server: Server
    disable_nagle_algorithm = True

    def handle(self) -> None:
        """Answer requests one after the other."""
        try:
            while (request := read_request(self.rfile, self.connection)) is not None:
                if not self._answer(request):
                    return
        except BadRequest as error:
            self._send(*_error(InvalidRequest(str(error))), keep_alive=False)
        except OSError as error:
            LOG.debug("connection lost: %s", error)

    def _answer(self, request: Request) -> bool:
        application = self.server.application
        if request.path.startswith(PREFIX):
            return self._answer_control(request)
        injection: Injection | None = None
        try:
            name = application.operation_of(request)
            injection = application.injections.take(name)
            self._before(injection)
            answer = application.run(name, request, lambda: is_connected(self.connection))
        except ApiError as error:
            return self._send(*_error(error), keep_alive=request.keep_alive)
        except DuctrunnerError as error:
            return self._send(*_error(InvalidRequest(str(error))), keep_alive=request.keep_alive)
        except _Dropped:
            return False
        except Exception:
            LOG.exception("operation failed")
            failure = InternalFailure("The service failed on this request; its log says why")
            return self._send(*_error(failure), keep_alive=request.keep_alive)
        if injection is not None and injection.fault is Fault.DROP_AFTER:
            return False
        return self._deliver(answer, keep_alive=request.keep_alive)

    def _before(self, injection: Injection | None) -> None:
        if injection is None:
            return
        if injection.fault is Fault.DELAY:
            time.sleep(injection.seconds)
        elif injection.fault is Fault.DROP_BEFORE:
            raise _Dropped
        elif injection.fault is Fault.ERROR:
            raise _Injected(injection)

    def _deliver(self, answer: dict[str, Any], *, keep_alive: bool) -> bool:
        try:
            return self._send(200, answer, keep_alive=keep_alive)
        except OSError:
            self.server.application.take_back(answer)
            raise

    def _answer_control(self, request: Request) -> bool:
        try:
            answer = self.server.application.control.answer(request.method, request.path, request.body)
        except ApiError as error:
            return self._send(*_error(error), keep_alive=request.keep_alive)
        return self._send(200, answer, keep_alive=request.keep_alive)

    def _send(self, status_code: int, answer: dict[str, Any], *, keep_alive: bool) -> bool:
        body = _encode(answer).encode("ascii")
        headers = {
            "Content-Type": _CONTENT_TYPE,
            "Date": formatdate(usegmt=True),
            "x-amzn-RequestId": str(uuid.uuid4()),
            "x-amz-crc32": str(zlib.crc32(body)),
        }
        self.connection.sendall(response(status_code, headers, body, keep_alive=keep_alive))
        return keep_alive


class _Dropped(Exception):
    """The connection shall be closed without an answer."""


class _Injected(ApiError):
    """An error that a test asked for."""

    def __init__(self, injection: Injection) -> None:
        super().__init__(injection.message)
        self.injection = injection


def _error(error: ApiError) -> tuple[int, dict[str, Any]]:
    code, status_code = error.code, int(error.status)
    if isinstance(error, _Injected):
        code, status_code = error.injection.code, error.injection.status
    return status_code, {"__type": code, "message": REDACTOR.redact(error.message)}


class Server(socketserver.ThreadingTCPServer):
    """Listens and gives every connection a thread."""

    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False
    request_queue_size = 512

    def __init__(self, address: tuple[str, int], service: Service) -> None:
        self.application = Application(service)
        super().__init__(address, Connection)

    def handle_error(self, request: socket.socket | tuple[bytes, socket.socket], client_address: Any) -> None:  # noqa: ARG002
        """Log what ended a connection's thread, instead of printing it."""
        LOG.exception("connection from %s ended with an error", client_address)
