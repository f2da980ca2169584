"""The command ``ductrunner``: names of the subcommands, each imported only when it is called."""

from __future__ import annotations

import gc
import importlib
import sys

import click

from core.errors import DuctrunnerError

#: Subcommand → (where its click command is, its line in ``ductrunner --help``).
COMMANDS = {
    "agent": ("agent.cli:agent", "Take tasks of a worker group and run them (in the foreground)."),
    "doctor": ("agent.doctor.cli:doctor", "Look at everything that a worker needs, and say what to do."),
    "pipeline": ("pipelines.cli:pipeline", "A pipeline definition: run it in the sandbox, validate, look at it."),
    "sandbox": ("sandbox.cli:sandbox", "AWS on one machine: up, down, env, status."),
    "sql-shell": ("steps_impl.sql_shell.cli:sql_shell", "Open psql or mysql on a database, or answer one query."),
    "status": ("agent.health.cli:status", "What the agents of this machine are doing now."),
    "step": ("steps_impl.cli:step", "Run one step: ductrunner step NAME …"),
    "steps": ("steps_impl.cli:steps", "List the steps, one line each."),
}


class LazyGroup(click.Group):
    """A group that knows its commands by name and imports none until it is called: ``--help`` stays lean."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        """Return the names, in alphabetical order."""
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """Import and return one command."""
        if cmd_name not in COMMANDS:
            return None
        module, _, attribute = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name][1]) for name in sorted(COMMANDS)])


@click.group(cls=LazyGroup)
@click.version_option(package_name="ductrunner")
def cli() -> None:
    """Run AWS Data Pipeline tasks: a worker, its ETL steps and a sandbox to try them in."""


def main() -> None:
    """Run the command; a known error is one line on stderr with its error id, and its own exit status."""
    try:
        cli()
    except DuctrunnerError as error:
        click.echo(f"ductrunner: {error.error_id}: {error}", err=True)
        sys.exit(error.exit_code)
    finally:
        gc.freeze()  # memory goes with the process: Python's last look for cycles takes as long as a small step's start
