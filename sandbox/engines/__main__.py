"""``python -m sandbox.engines install|path``: the engines of this machine."""

from __future__ import annotations

import sys

import click

from core.errors import SandboxError
from sandbox.engines.home import Engines


@click.group()
def main() -> None:
    """Hadoop, Pig and Hive on one machine, for the sandbox and the tests."""


@main.command()
@click.option("--or-go-on", is_flag=True, help="Say what is missing, and end with 0 all the same.")
def install(or_go_on: bool) -> None:
    """Fetch them with Maven (about 150 MB, once); harmless when they are here."""
    engines = Engines.of_machine()
    try:
        engines.install()
    except SandboxError as error:
        click.echo(f"ductrunner: {error}", err=True)
        sys.exit(0 if or_go_on else error.exit_code)


@main.command()
def path() -> None:
    """Print the folder of their commands, to be put on PATH."""
    try:
        click.echo(Engines.of_machine().commands())
    except SandboxError as error:
        click.echo(f"ductrunner: {error}", err=True)
        sys.exit(error.exit_code)


if __name__ == "__main__":
    main()
