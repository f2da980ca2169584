"""Make what is derived from the parameter models: ``steps_impl/catalog.json`` and ``docs/reference/steps.md``.

``python -m docs.generate`` writes, ``python -m docs.generate --check`` exits 1 and names what is stale.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from steps_impl.catalogue import FILE as CATALOG
from steps_impl.catalogue import Entry, Flag
from steps_impl.describe import describe_step
from steps_impl.help import default_text
from steps_impl.registry import MODULES, load_step

REFERENCE = Path(__file__).parent / "reference" / "steps.md"
_HEAD = """# Steps

Made by `make docs` from the parameter models; edit those. `ductrunner steps` lists them, `ductrunner step NAME --help`
says the same as this page. Every step also takes `--params FILE|-`: a JSON object of parameters by name; a flag wins
over the same key. Exit status: 0 done, 1 failed, 2 bad parameters, 3 check failed, 143 stopped by SIGTERM.
"""


def generated() -> dict[Path, str]:
    """Return the text of every generated file."""
    steps = {name: load_step(name) for name in sorted(MODULES)}
    catalog = {name: describe_step(step) for name, step in steps.items()}
    entries = [
        Entry(name, entry["summary"], tuple(Flag(**flag) for flag in entry["flags"])) for name, entry in catalog.items()
    ]
    modules = {name: sys.modules[MODULES[name]].__doc__ or "" for name in steps}
    pages = [_section(entry, modules[entry.name]) for entry in entries]
    return {
        CATALOG: json.dumps(catalog, indent=1, ensure_ascii=False) + "\n",
        REFERENCE: "\n".join([_HEAD, *pages]),
    }


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


def main() -> None:
    """Write the files, or with ``--check`` name those that are stale and exit 1."""
    check = "--check" in sys.argv[1:]
    stale = [
        (path, text)
        for path, text in generated().items()
        if not path.exists() or path.read_text(encoding="utf-8") != text
    ]
    for path, text in stale:
        if not check:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        sys.stderr.write(f"{path}: {'stale; run make docs' if check else 'written'}\n")
    sys.exit(1 if check and stale else 0)


if __name__ == "__main__":
    main()
