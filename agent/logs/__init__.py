"""What attempts and the agent itself write: local files, CloudWatch Logs, S3, and how long it is kept."""

from __future__ import annotations
