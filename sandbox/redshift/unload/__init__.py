"""UNLOAD to S3: options, the form of the files, the files."""

from __future__ import annotations
