"""The errors that the API answers with.

Source: AWS Data Pipeline API Reference, *Common errors* and each operation's error list.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import ClassVar


class ApiError(Exception):
    """An error answer: an HTTP status, a code that SDKs match on, and one sentence."""

    code: ClassVar[str] = "InternalServiceError"
    status: ClassVar[int] = HTTPStatus.BAD_REQUEST

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


class InvalidRequest(ApiError):
    """The request has a wrong shape, breaks a limit, or does not fit the state of the pipeline."""

    code = "InvalidRequestException"


class PipelineNotFound(ApiError):
    """No pipeline has this id."""

    code = "PipelineNotFoundException"


class PipelineDeleted(ApiError):
    """The pipeline was there and has been deleted."""

    code = "PipelineDeletedException"


class TaskNotFound(ApiError):
    """No task has this id, or it belongs to another worker by now."""

    code = "TaskNotFoundException"


class InternalFailure(ApiError):
    """The service itself failed."""

    code = "InternalServiceError"
    status = HTTPStatus.INTERNAL_SERVER_ERROR
