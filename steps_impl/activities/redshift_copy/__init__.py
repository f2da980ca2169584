"""RedshiftCopyActivity: from S3, DynamoDB or a table into a table of a warehouse, and from a table to S3."""

from __future__ import annotations
