"""Releases and jars from S3 onto this machine: publish, verify, install, switch, roll back."""

from __future__ import annotations
