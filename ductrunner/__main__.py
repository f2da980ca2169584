"""``python -m ductrunner`` is the command ``ductrunner``."""

from __future__ import annotations

from ductrunner.cli import main

if __name__ == "__main__":
    main()
