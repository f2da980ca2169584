"""Make what is derived from the code: the catalogue of the steps and the pages under ``docs/reference``.

``python -m docs.generate`` writes, ``python -m docs.generate --check`` exits 1 and names what is stale.
"""

from __future__ import annotations

import sys
from pathlib import Path

from docs import configuration_page, errors_page, metrics_page, steps_page
from steps_impl.catalogue import FILE as CATALOG

REFERENCE = Path(__file__).parent / "reference"


def generated() -> dict[Path, str]:
    """Return the text of every generated file."""
    catalog, steps = steps_page.catalog_and_page()
    return {
        CATALOG: catalog,
        REFERENCE / "steps.md": steps,
        REFERENCE / "configuration.md": configuration_page.page(),
        REFERENCE / "errors.md": errors_page.page(),
        REFERENCE / "metrics.md": metrics_page.page(),
    }


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
