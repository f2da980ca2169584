"""``python -m benchmarks [NAME …]``: run all benchmarks, or the named ones; each prints ours beside its peers."""

from __future__ import annotations

import importlib
import pkgutil
import sys
from pathlib import Path


def main(names: list[str]) -> None:
    """Import each benchmark module and call its ``main()``."""
    known = sorted(
        module.name for module in pkgutil.iter_modules([str(Path(__file__).parent)]) if module.name[0] != "_"
    )
    if unknown := sorted(set(names) - set(known)):
        sys.exit(f"no benchmark {', '.join(unknown)}; there are: {', '.join(known)}")
    sys.argv = sys.argv[:1]  # each module reads its own flags when it is run alone: python -m benchmarks.NAME --help
    for name in names or known:
        module = importlib.import_module(f"benchmarks.{name}")
        if hasattr(module, "main"):
            print(f"\n== {name}", flush=True)
            module.main()


if __name__ == "__main__":
    main(sys.argv[1:])
