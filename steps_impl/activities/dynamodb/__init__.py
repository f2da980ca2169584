"""DynamoDB tables to files in S3 and back, and from table to table."""

from __future__ import annotations
