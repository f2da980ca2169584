"""The text of ``ductrunner step NAME --help``, from the catalogue alone."""

from __future__ import annotations

import click

from steps_impl.catalogue import Entry, Flag

_WIDTH = 100
_PARAMS = ("--params FILE|-", "JSON object with parameters by name (- reads stdin); a flag wins over its key")


def step_help(entry: Entry) -> str:
    """Return the help of one step: every parameter with its type, default, unit and text."""
    formatter = click.HelpFormatter(width=_WIDTH)
    formatter.write_usage(f"ductrunner step {entry.name}", "[FLAGS]")
    formatter.write_paragraph()
    formatter.write_text(entry.summary)
    with formatter.section("Parameters"):
        formatter.write_dl([(spelling(flag), describe(flag)) for flag in entry.flags], col_max=34)
    with formatter.section("Common"):
        formatter.write_dl([_PARAMS, ("--help", "show this text")], col_max=34)
    formatter.write_paragraph()
    formatter.write_text("Exit status: 0 done, 1 failed, 2 bad parameters, 3 check failed, 143 stopped.")
    return formatter.getvalue().rstrip("\n")


def spelling(flag: Flag) -> str:
    """Return how a parameter is written on the command line."""
    if flag.kind == "switch":
        return f"{flag.flag}/--no-{flag.flag[2:]}"
    if flag.kind == "secret":
        return f"{flag.name} (in --params only)"
    return f"{flag.flag} {flag.type}"


def describe(flag: Flag) -> str:
    """Return a parameter's text with its unit and default."""
    notes = [flag.unit] if flag.unit else []
    if flag.required:
        notes.append("required")
    elif flag.default not in (None, [], ""):
        notes.append(f"default {default_text(flag)}")
    return flag.help + (f" [{'; '.join(notes)}]" if notes else "")


def default_text(flag: Flag) -> str:
    """Return a default as it is written on the command line."""
    if flag.kind == "switch":
        return "on" if flag.default else "off"
    if isinstance(flag.default, list):
        return " ".join(map(str, flag.default))
    return str(flag.default)
