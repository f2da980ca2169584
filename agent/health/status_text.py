"""The status document for people, in a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import click

from core.terminal import cut, printable, table
from core.units import size, span

Document = dict[str, Any]
#: Failures that are shown of those that the agent remembers.
FAILURES = 5
_COLOURS = {"idle": "green", "working": "green", "starting": "yellow", "held": "yellow", "draining": "yellow"}


def page(document: Document, width: int | None) -> str:
    """Return the page; with a ``width``, lines are cut at so many columns."""
    document = printable(document)
    parts = [_head(document), _reasons(document), _running(document), _failures(document), _health(document)]
    lines = [line for part in parts for line in part]
    return "\n".join(lines if width is None else (cut(line, width) for line in lines)) + "\n"


def _head(document: Document) -> Iterator[str]:
    up = span(_between(document["started"], document["now"]))
    groups = ", ".join(document["groups"])
    yield (
        f"{click.style(groups, bold=True)}  {document['taskrunner_id']}  pid {document['pid']}, up {up}, "
        f"release {document['version']}, {document['region']}"
    )
    polled = "no poll answered yet"
    if document["last_poll"]:
        polled = f"last poll answered {span(_between(document['last_poll'], document['now']))} ago"
    state = click.style(document["state"], fg=_COLOURS.get(document["state"], "red"), bold=True)
    held = document.get("preconditions")  # an agent of an older release does not say
    waiting = f", {held} preconditions held" if held else ""
    yield f"{state}: {document['busy']} of {document['slots']} slots busy{waiting}; {polled}; {_contact(document)}"


def _contact(document: Document) -> str:
    age = document["contact_age"]
    if age is None:
        return "the service has not been reached yet"
    return "the service is reached" if age < 1 else f"the service was reached {span(age)} ago"


def _reasons(document: Document) -> Iterator[str]:
    if document["reasons"]:
        yield click.style("takes no tasks:", fg="yellow", bold=True)
        yield from (f"  {reason}" for reason in document["reasons"])


def _running(document: Document) -> Iterator[str]:
    if not document["running"]:
        return
    yield ""
    rows = [("RUNNING", "TYPE", "SINCE", "LEASE", "PROGRESS", "PIPELINE", "ATTEMPT")]
    for entry in document["running"]:
        progress = _progress(entry["progress"])
        stopping = f"stopping ({entry['stopping']})" if entry["stopping"] else progress
        named = (entry.get(key, "?") for key in ("pipeline", "attempt"))
        rows.append(
            (
                entry.get("component", "?"),
                entry.get("type", "?"),
                span(entry["seconds"]),
                span(entry["lease_age"]),
                stopping,
                *named,
            )
        )
    yield from table(rows)


def _progress(fields: dict[str, str]) -> str:
    percent = fields.get("percentComplete")
    return " ".join(filter(None, (f"{percent} %" if percent else "", fields.get("attemptStatus")))) or "-"


def _failures(document: Document) -> Iterator[str]:
    failed = [entry for entry in document["recent"] if entry["outcome"] != "finished"][:FAILURES]
    if not failed:
        return
    yield ""
    rows = [("ENDED BADLY", "AGO", "RAN", "AS", "PIPELINE", "ATTEMPT")]
    rows += [
        (
            entry["component"],
            span(_between(entry["ended"], document["now"])),
            span(entry["seconds"]),
            entry["error_id"] or entry["outcome"],
            entry["pipeline"],
            entry["attempt"],
        )
        for entry in failed
    ]
    head, *lines = table(rows)
    yield head
    for line, entry in zip(lines, failed, strict=True):
        yield line
        if entry["error"]:
            yield f"  {entry['error']}"
        yield f"  logs: {entry['logs']}"


def _health(document: Document) -> Iterator[str]:
    machine, own, counters = document["machine"], document["agent"], document["counters"]
    outcomes = [
        f"{value:.0f} {name.removeprefix('tasks_').replace('_', ' ')}"
        for name, value in sorted(counters.items())
        if name.startswith("tasks_")
    ]
    errors = sum(counters.get(name, 0) for name in ("poll_errors", "report_errors"))
    cpu = "not known yet" if machine["cpu"] is None else f"{machine['cpu']:.0f} %"
    inodes = "" if machine["inodes_free"] is None else f", {machine['inodes_free']} inodes"
    offset = machine["clock_offset"]
    yield ""
    done = ", ".join(outcomes) or "none yet"
    yield f"tasks    {done}; {counters.get('polls', 0):.0f} polls answered, {errors:.0f} calls failed"
    yield (
        f"machine  CPU {cpu}, load {machine['load']:.2f} per processor; "
        f"memory {size(machine['memory_available'])} of {size(machine['memory_total'])} available"
    )
    yield f"disk     {size(machine['disk_free'])} of {size(machine['disk_total'])} free{inodes}; {document['output']}"
    yield (
        f"agent    {size(own['resident'])}, {own['cpu_seconds']:.1f} s of CPU, {own['threads']} threads, "
        f"{own['open_files']} files; clock "
        + ("not compared yet" if offset is None else f"{offset:+.1f} s against the service's")
    )


def _between(earlier: str, later: str) -> float:
    return (datetime.fromisoformat(later) - datetime.fromisoformat(earlier)).total_seconds()
