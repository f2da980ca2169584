"""What CloudWatch takes as an embedded-metric-format line, checked strictly.

Source: CloudWatch User Guide, *Specification: Embedded metric format* (its JSON schema, and the limits in its text).
"""

from __future__ import annotations

import json
import math
from typing import Any

UNITS = {
    *("Seconds", "Microseconds", "Milliseconds", "Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes"),
    *("Bits", "Kilobits", "Megabits", "Gigabits", "Terabits", "Percent", "Count"),
    *(f"{size}/Second" for size in ("Bytes", "Kilobytes", "Megabytes", "Gigabytes", "Terabytes", "Bits", "Count")),
    "None",
}
LINE_LIMIT = 1024 * 1024 - 26  # bytes of a log event


def check(line: str) -> dict[str, Any]:
    """Return the document; an assertion names what CloudWatch would not take."""
    assert len(line.encode()) <= LINE_LIMIT
    document = json.loads(line, parse_constant=lambda name: (_ for _ in ()).throw(AssertionError(name)))
    metadata = document["_aws"]
    assert type(metadata["Timestamp"]) is int
    assert 1_000_000_000_000 < metadata["Timestamp"] < 10_000_000_000_000, "milliseconds since 1970"
    assert metadata["CloudWatchMetrics"]
    for directive in metadata["CloudWatchMetrics"]:
        check_directive(directive, document)
    return dict(document)


def check_directive(directive: dict[str, Any], document: dict[str, Any]) -> None:
    assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
    assert 1 <= len(directive["Namespace"]) <= 1024
    assert directive["Dimensions"]
    for names in directive["Dimensions"]:
        assert len(names) <= 30
        assert len(set(names)) == len(names)
        for name in names:
            assert 1 <= len(name) <= 250
            assert isinstance(document[name], str)
            assert 1 <= len(document[name]) <= 1024
    metrics = directive["Metrics"]
    assert 1 <= len(metrics) <= 100
    names = [metric["Name"] for metric in metrics]
    assert len(set(names)) == len(names)
    for metric in metrics:
        assert set(metric) <= {"Name", "Unit", "StorageResolution"}
        assert 1 <= len(metric["Name"]) <= 1024
        assert metric["Unit"] in UNITS
        check_value(document[metric["Name"]])


def check_value(value: Any) -> None:
    values = value if isinstance(value, list) else [value]
    assert 1 <= len(values) <= 100
    for number in values:
        assert type(number) in (int, float)
        assert math.isfinite(number)
        assert number == 0 or 8.515920e-109 <= abs(number) <= 1.174271e108
