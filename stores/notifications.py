"""Messages to SNS topics. A notification never fails the work that it tells about: callers decide what to do."""

from __future__ import annotations

import functools
import re
from typing import Any

from core.redaction import REDACTOR
from stores import aws

#: SNS limits (API Reference, Publish): subject 100 ASCII characters without line breaks, message 256 KiB.
SUBJECT_LENGTH = 100
MESSAGE_BYTES = 256 * 1024


class Topic:
    """One topic; its client is made at the first message and kept. ``options`` are botocore's (time-outs, retries)."""

    def __init__(self, arn: str, **options: Any) -> None:
        self.arn = arn
        self._options = options

    def publish(self, subject: str, message: str) -> str:
        """Publish a message and return its id. Secrets are removed, subject and message cut to what SNS takes.

        Raises:
            StoreError: the topic is not there, may not be published to, or SNS cannot be reached.
        """
        with aws.calling(f"publish to {self.arn}"):
            answer = self._client.publish(
                TopicArn=self.arn, Subject=clean_subject(subject), Message=_cut(REDACTOR.redact(message))
            )
            return str(answer["MessageId"])

    @functools.cached_property
    def _client(self) -> Any:
        return aws.client("sns", region=aws.region_of(self.arn), **self._options)


def publish(topic_arn: str, subject: str, message: str) -> str:
    """Publish one message and return its id; see ``Topic``."""
    return Topic(topic_arn).publish(subject, message)


def clean_subject(subject: str) -> str:
    """Return a subject that SNS takes: printable ASCII on one line, at most 100 characters, never empty."""
    ascii_only = REDACTOR.redact(subject).encode("ascii", "replace").decode("ascii")
    one_line = re.sub(r"[\x00-\x1f\x7f]+", " ", ascii_only).strip() or "Ductrunner"
    return one_line if len(one_line) <= SUBJECT_LENGTH else one_line[: SUBJECT_LENGTH - 3] + "..."


def _cut(message: str) -> str:
    return message.encode("utf-8")[:MESSAGE_BYTES].decode("utf-8", "ignore") or "(no message)"
