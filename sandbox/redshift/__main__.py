"""``python -m sandbox.redshift``: serve until SIGTERM. User and password of the upstream are libpq's variables."""

from __future__ import annotations

import argparse
import logging
import signal
import ssl
import sys
from pathlib import Path
from types import FrameType

from sandbox.redshift.server import Front


def main() -> int:
    """Serve clients of Redshift."""
    options = _parse()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    tls = _tls(options.certificate) if options.certificate else None
    front = Front(options.host, options.port, (options.upstream_host, options.upstream_port), tls)

    def stop(_number: int, _frame: FrameType | None) -> None:
        front.close()

    signal.signal(signal.SIGTERM, stop)
    signal.signal(signal.SIGINT, stop)
    if options.port_file:
        draft = options.port_file.with_name(f"{options.port_file.name}.new")
        draft.write_text(f"{front.port}\n")
        draft.replace(options.port_file)
    front.serve()
    return 0


def _tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="sandbox.redshift", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="where to listen")
    parser.add_argument("--port", type=int, default=0, help="0: any free port, see --port-file")
    parser.add_argument("--upstream-host", required=True, help="where Postgres is")
    parser.add_argument("--upstream-port", type=int, required=True)
    parser.add_argument("--certificate", type=Path, help="PEM file with certificate and key; else no TLS")
    parser.add_argument("--port-file", type=Path, help="a file to write the port to")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
