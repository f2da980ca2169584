"""Versions of a model or another thing made of files, published in S3 so that readers see one whole version."""

from __future__ import annotations
