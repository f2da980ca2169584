"""The ground that every room stands on: errors, settings, redaction, time. Imports nothing of ours."""

from __future__ import annotations
