"""The catalogue and the reference page of the steps, from their parameter models."""

from __future__ import annotations

import json
import sys

from steps_impl.catalogue import Entry, Flag
from steps_impl.describe import describe_step
from steps_impl.help import default_text
from steps_impl.registry import MODULES, load_step

_HEAD = """# Steps

Made by `make docs` from the parameter models; edit those. `ductrunner steps` lists them, `ductrunner step NAME --help`
says the same as this page. Every step also takes `--params FILE|-`: a JSON object of parameters by name; a flag wins
over the same key. Exit status: 0 done, 1 failed, 2 bad parameters, 3 check failed, 143 stopped by SIGTERM.
"""


def catalog_and_page() -> tuple[str, str]:
    """Return the text of ``steps_impl/catalog.json`` and of the reference page."""
    steps = {name: load_step(name) for name in sorted(MODULES)}
    catalog = {name: describe_step(step) for name, step in steps.items()}
    entries = [
        Entry(name, entry["summary"], tuple(Flag(**flag) for flag in entry["flags"])) for name, entry in catalog.items()
    ]
    modules = {name: sys.modules[MODULES[name]].__doc__ or "" for name in steps}
    pages = [_section(entry, modules[entry.name]) for entry in entries]
    return json.dumps(catalog, indent=1, ensure_ascii=False) + "\n", "\n".join([_HEAD, *pages])


def _section(entry: Entry, module: str) -> str:
    rows = [f"| `{_spelling(flag)}` | {_cell(flag.type)} | {_default(flag)} | {_text(flag)} |" for flag in entry.flags]
    table = ["| parameter | type | default | meaning |", "|---|---|---|---|", *rows]
    return "\n".join([f"## {entry.name}", "", entry.summary, "", *_about(module), *table, ""])


def _about(module: str) -> list[str]:
    """Return what the module's docstring says after its first line."""
    body = module.strip().partition("\n")[2].strip()
    return [body.replace("::\n", ":\n"), ""] if body else []


def _spelling(flag: Flag) -> str:
    return flag.name if flag.kind == "secret" else flag.flag


def _default(flag: Flag) -> str:
    if flag.required:
        return "required"
    return "" if flag.default in (None, [], "") else f"`{_cell(default_text(flag))}`"


def _text(flag: Flag) -> str:
    return _cell(flag.help + (f" ({flag.unit})" if flag.unit else ""))


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
