"""``ductrunner status``: what the agents of this machine are doing now.

Exit status: 0 all take tasks, 1 one does not (or does not answer), 3 there is no agent here.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
from pathlib import Path

import click

TAKES_TASKS, NOT_READY, NO_AGENT = 0, 1, 3


@click.command()
@click.option("--output", type=click.Path(path_type=Path), help="Only the agents with this --output directory.")
@click.option("--address", help="Only the agent at this address (HOST:PORT, as its status_offered line says).")
@click.option("--json", "as_json", is_flag=True, help="The whole documents, as a JSON list.")
@click.pass_context
def status(context: click.Context, output: Path | None, address: str | None, as_json: bool) -> None:
    """Show what the agents of this machine are doing now.

    Exit status: 0 all of them take tasks, 1 one does not, 3 there is no agent here.
    """
    from agent.health.client import ask, find_addresses
    from agent.health.status_text import page
    from core.errors import StoreUnreachable

    addresses = [address] if address else find_addresses(output, os.environ)
    documents, silent = [], []
    for place in addresses:
        try:
            documents.append(ask(place))
        except StoreUnreachable as error:
            silent.append(str(error))
    if as_json:
        click.echo(json.dumps(documents, indent=2, ensure_ascii=False))
    else:
        width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
        click.echo("\n".join(page(document, width) for document in documents), nl=bool(documents))
    for why in silent:
        click.echo(f"ductrunner: {why}", err=True)
    if not addresses:
        click.echo(f"no agent runs here{f' with --output={output}' if output else ''}", err=True)
        context.exit(NO_AGENT)
    context.exit(TAKES_TASKS if not silent and all(entry["ready"] for entry in documents) else NOT_READY)
