"""Serve the metadata of one instance: ``python -m sandbox.imds --host 127.0.0.1 --port 5001 --state FILE``."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from sandbox.imds.items import Items
from sandbox.imds.server import Server


def main() -> None:
    """Serve until TERM or INT."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.imds", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--instance-id", default="i-0123456789abcdef0")
    parser.add_argument("--region", default="us-east-1")
    parser.add_argument("--state", type=Path, required=True, help="file that keeps what is served")
    given = parser.parse_args()
    server = Server((given.host, given.port), Items(given.state, given.instance_id, given.region))
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main()
