"""``python -m sandbox.datapipeline``: the Data Pipeline service of the sandbox as a process.

It listens on loopback, keeps its state in one SQLite file and ends cleanly on SIGTERM and SIGINT; after a kill it goes
on where it was. ``--port-file`` is written, in one piece, once requests are answered.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from pathlib import Path

from core.errors import DuctrunnerError
from sandbox.datapipeline.errands import Errands
from sandbox.datapipeline.options import add_options, options_from
from sandbox.datapipeline.outside import Outside, prepare_environment
from sandbox.datapipeline.server import Server
from sandbox.datapipeline.service import Service

LOG = logging.getLogger("sandbox.datapipeline")


def main(arguments: list[str] | None = None) -> int:
    """Run the service until a signal; return the exit status."""
    chosen = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s %(message)s", stream=sys.stderr)
    logging.getLogger("botocore").setLevel(logging.WARNING)
    if chosen.port_file is not None:
        chosen.port_file.unlink(missing_ok=True)
    try:
        prepare_environment(chosen.aws_endpoint)
        service = Service.open(chosen.database, options_from(chosen), manual_clock=chosen.clock == "manual")
        server = Server((chosen.host, chosen.port), service)
    except (DuctrunnerError, OSError) as error:
        LOG.error("cannot start: %s", error)  # noqa: TRY400 - one sentence, no traceback, for an operator
        return getattr(error, "exit_code", 1)
    _serve(server, service, chosen.port_file)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sandbox.datapipeline", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 takes a free one")
    parser.add_argument("--database", type=Path, required=True, help="SQLite file that holds the state")
    parser.add_argument("--port-file", type=Path, help="file that the port is written to once requests are answered")
    parser.add_argument("--clock", choices=("system", "manual"), default="system", help="who moves the clock")
    parser.add_argument(
        "--aws-endpoint",
        metavar="URL",
        help="where S3, DynamoDB and SNS are, for preconditions and alarms; default: AWS_ENDPOINT_URL; never AWS",
    )
    add_options(parser)
    return parser


def _serve(server: Server, service: Service, port_file: Path | None) -> None:
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    errands = Errands(service, Outside()).loops()
    for name, loop in (("clock", service.run_clockwork), ("http", server.serve_forever), *errands):
        threading.Thread(target=_loudly, args=(loop,), name=name, daemon=True).start()
    port = server.server_address[1]
    LOG.info("listening on %s port %s", *server.server_address[:2])
    if port_file is not None:
        _write(port_file, f"{port}\n")
    stopped.wait()
    server.shutdown()
    server.server_close()
    service.stop()
    LOG.info("stopped")


def _loudly(loop: object) -> None:
    """Run a loop that must not end by an error: if it does, the process ends, since a limping service misleads."""
    try:
        assert callable(loop)
        loop()
    except BaseException:
        LOG.exception("thread %s died; the service stops", threading.current_thread().name)
        os._exit(70)


def _write(path: Path, text: str) -> None:
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="ascii")
    partial.replace(path)


if __name__ == "__main__":
    sys.exit(main())
