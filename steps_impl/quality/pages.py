"""Reports of checks to look at and to read by programs: one HTML page that needs nothing else, and JSON."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from core.errors import ParameterError
from core.sections.dataducts import EtlSettings
from stores.s3 import S3Store, parse_uri

Outcome = Literal["passed", "warning", "failed"]
_S3 = ("s3://", "s3n://", "s3a://")
_TYPES = {".html": "text/html; charset=utf-8", ".json": "application/json"}


@dataclass(frozen=True)
class Shown:
    """One check as a report shows it; never row data."""

    name: str
    relation: str
    outcome: Outcome
    error_rate: float | None
    tolerance: float
    unit: str
    finding: str
    counts: Mapping[str, Any]


def write_report(place: str, checks: Sequence[Shown], pipeline: str, etl: EtlSettings) -> None:
    """Write the report to a file or an S3 object: one of the two forms by its ending, else both beside each other.

    Raises:
        ParameterError: the file cannot be written, or there is no key.
        StoreError: S3 refuses the object.
    """
    if place.startswith(_S3) and not parse_uri(place).key:
        raise ParameterError(f"--report: {place} names a bucket alone; write s3://bucket/key")
    moment = datetime.now(UTC).replace(microsecond=0)
    forms = {".html": page(checks, pipeline, moment), ".json": document(checks, pipeline, moment)}
    ending = next((known for known in forms if place.lower().endswith(known)), None)
    for suffix, text in forms.items():
        if ending in (None, suffix):
            _write(place if ending else f"{place.rstrip('/')}{suffix}", text.encode(), _TYPES[suffix], etl)


def _write(place: str, data: bytes, content_type: str, etl: EtlSettings) -> None:
    if place.startswith(_S3):
        S3Store(region=etl.region).put_bytes(place, data, content_type=content_type)
        return
    path = Path(place).expanduser()
    try:
        path.write_bytes(data)
    except OSError as error:
        raise ParameterError(f"--report: cannot write {path}: {error.strerror}") from None


def document(checks: Sequence[Shown], pipeline: str, moment: datetime) -> str:
    """Return the report as JSON."""
    head = {"outcome": outcome_of(checks), "pipeline": pipeline or None, "time": moment.isoformat()}
    return json.dumps({**head, "checks": [asdict(check) for check in checks]}, indent=1, ensure_ascii=False) + "\n"


def outcome_of(checks: Sequence[Shown]) -> Outcome:
    """Return the worst outcome of the checks."""
    order: tuple[Outcome, ...] = ("passed", "warning", "failed")
    return max((check.outcome for check in checks), key=order.index, default="passed")


def page(checks: Sequence[Shown], pipeline: str, moment: datetime) -> str:
    """Return the report as one HTML page without any reference to elsewhere."""
    passed = sum(check.outcome == "passed" for check in checks)
    outcome = outcome_of(checks)
    about = f"{passed} of {len(checks)} passed · {moment:%Y-%m-%d %H:%M:%S} UTC"
    where = f"Pipeline {pipeline} · {about}" if pipeline else about
    return _PAGE.format(
        style=_STYLE,
        outcome=outcome,
        title=html.escape(f"Data quality: {outcome}"),
        about=html.escape(where),
        cards="\n".join(map(_card, checks)),
    )


def _card(check: Shown) -> str:
    rate = "not computable" if check.error_rate is None else _number(check.error_rate)
    unit = f" {check.unit}" if check.error_rate is not None and check.unit else ""
    counts = "".join(_counts(check.counts))
    return _CARD.format(
        outcome=check.outcome,
        name=html.escape(check.name),
        relation=html.escape(check.relation),
        finding=html.escape(check.finding),
        rate=html.escape(f"{rate}{unit}"),
        tolerance=html.escape(f"{_number(check.tolerance)} {check.unit}".strip()),
        width=_bar(check),
        counts=f"<table>{counts}</table>" if counts else "",
    )


def _counts(counts: Mapping[str, Any]) -> Iterator[str]:
    for name, value in counts.items():
        label = html.escape(name.replace("_", " "))
        if isinstance(value, Mapping):
            value = ", ".join(f"{key}: {_number(number)}" for key, number in value.items()) or "none"
        yield f"<tr><th>{label}</th><td>{html.escape(_number(value))}</td></tr>"


def _number(value: Any) -> str:
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def _bar(check: Shown) -> int:
    """Return how full the bar is, in percent: full where the tolerance is reached."""
    if check.outcome != "passed" or check.error_rate is None:
        return 100
    return round(100 * check.error_rate / check.tolerance) if check.tolerance else 0


_STYLE = """
:root { --passed: #1a7f4b; --warning: #b26a00; --failed: #c0262d; --ink: #1c2430; --soft: #5b6675; --line: #e3e7ed }
* { box-sizing: border-box }
body { margin: 0; background: #f5f7fa; color: var(--ink); font: 15px/1.5 system-ui, "Segoe UI", Roboto, sans-serif }
main { max-width: 860px; margin: 0 auto; padding: 32px 20px 48px }
h1 { font-size: 24px; margin: 0 } h2 { font-size: 17px; margin: 0; overflow-wrap: anywhere }
.about { color: var(--soft); margin: 2px 0 24px }
article { background: #fff; border: 1px solid var(--line); border-left: 5px solid; border-radius: 8px;
  padding: 16px 20px; margin: 0 0 16px }
header { display: flex; gap: 12px; align-items: baseline; justify-content: space-between }
.badge { color: #fff; border-radius: 999px; padding: 1px 12px; font-size: 13px; font-weight: 600 }
.relation { color: var(--soft); font-family: ui-monospace, Consolas, monospace; font-size: 13px;
  overflow-wrap: anywhere }
.finding { margin: 8px 0 }
.rate { display: flex; justify-content: space-between; color: var(--soft); font-size: 13px }
.rate b { color: var(--ink) }
.bar { background: var(--line); border-radius: 4px; height: 6px; margin: 4px 0 10px; overflow: hidden }
.bar i { display: block; height: 6px }
table { border-collapse: collapse; width: 100%; font-size: 14px }
th, td { border-top: 1px solid var(--line); padding: 4px 0; text-align: left; vertical-align: top }
th { color: var(--soft); font-weight: 400; width: 45% } td { text-align: right; overflow-wrap: anywhere;
  font-variant-numeric: tabular-nums }
.passed { border-left-color: var(--passed) } .warning { border-left-color: var(--warning) }
.failed { border-left-color: var(--failed) }
.passed .badge, .passed i { background: var(--passed) } .warning .badge, .warning i { background: var(--warning) }
.failed .badge, .failed i { background: var(--failed) }
"""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><style>{style}</style></head>
<body><main>
<h1>{title}</h1>
<p class="about">{about}</p>
{cards}
</main></body>
</html>
"""
_CARD = """<article class="{outcome}">
<header><h2>{name}</h2><span class="badge">{outcome}</span></header>
<div class="relation">{relation}</div>
<p class="finding">{finding}</p>
<div class="rate"><span>error rate <b>{rate}</b></span><span>tolerance {tolerance}</span></div>
<div class="bar"><i style="width:{width}%"></i></div>
{counts}
</article>"""
