"""COPY from S3: options, files, rows, values, and the load itself."""

from __future__ import annotations
