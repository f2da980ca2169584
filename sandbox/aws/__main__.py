"""Serve moto: ``python -m sandbox.aws --host 127.0.0.1 --port 5000 --state DIR``."""

from __future__ import annotations

import signal
import sys
from pathlib import Path

import click
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server

from sandbox.aws.completing import Completing
from sandbox.aws.recorder import Recorder
from sandbox.aws.servers import Servers


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The interface to listen on.")
@click.option("--port", type=int, required=True, help="The port to listen on.")
@click.option("--state", type=click.Path(path_type=Path), required=True, help="The folder that keeps the state.")
def serve(host: str, port: int, state: Path) -> None:
    """Serve S3, DynamoDB, SNS, CloudWatch Logs, Secrets Manager, SSM and STS until TERM or INT."""
    moto = Completing(DomainDispatcherApplication(create_backend_app), Servers.of(state.parent))
    application = Recorder(moto, state)
    application.load()
    server = make_server(host, port, application, threaded=True, request_handler=MotoRequestHandler)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    server.serve_forever()


if __name__ == "__main__":
    serve()
