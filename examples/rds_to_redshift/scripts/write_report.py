#!/usr/bin/env python3
"""Writes what a run has read, from the staged manifests of its extracts, as one JSON file for staging out."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any


def manifests() -> list[dict[str, Any]]:
    """Return the manifests; each input is one file in a directory of its own."""
    directories = [
        Path(os.environ[f"INPUT{number}_STAGING_DIR"])
        for number in range(1, len(os.environ))
        if f"INPUT{number}_STAGING_DIR" in os.environ
    ]
    return [json.loads(path.read_text("utf-8")) for directory in directories for path in directory.iterdir()]


def main() -> None:
    pipeline, start = sys.argv[1:]
    extracts = [
        {"read": one["source"], "files": len(one["entries"]), "bytes": one["meta"]["content_length"]}
        for one in manifests()
    ]
    report = {"pipeline": pipeline, "scheduledStart": start, "extracts": extracts}
    place = Path(os.environ["OUTPUT1_STAGING_DIR"], "report.json")
    place.write_text(json.dumps(report, indent=2), encoding="utf-8")
    print(f"{sum(one['read']['rows'] for one in extracts)} rows in {sum(one['files'] for one in extracts)} files")


main()
