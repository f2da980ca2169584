"""``ductrunner steps`` and ``ductrunner step NAME …``; neither imports a step before it is run."""

from __future__ import annotations

import os
import sys
from importlib.metadata import entry_points

import click

from core.configuration_file import find_file
from steps_impl import catalogue
from steps_impl.contract import GROUP
from steps_impl.flags import parse_flags
from steps_impl.help import step_help


@click.command()
def steps() -> None:
    """List the steps, one line each."""
    formatter = click.HelpFormatter(width=100)
    known = [*catalogue.entries().values(), *_custom()]
    formatter.write_dl([(entry.name, entry.summary) for entry in known])
    click.echo(formatter.getvalue(), nl=False)


def _custom() -> list[catalogue.Entry]:
    """Return the user's own steps; without a configuration or a package there is nothing to import for them."""
    if not find_file() and not entry_points(group=GROUP):
        return []
    from steps_impl.custom import custom_entries

    return custom_entries(os.environ)


@click.command(
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False}, options_metavar="NAME [FLAGS]"
)
@click.argument("words", nargs=-1, type=click.UNPROCESSED, metavar="")
@click.pass_context
def step(ctx: click.Context, words: tuple[str, ...]) -> None:
    """Run one step.

    `ductrunner steps` lists them; `ductrunner step NAME --help` documents one.
    """
    if not words:
        click.echo(ctx.get_help())
        return
    name, *arguments = words
    if name in catalogue.entries():  # help must not pay for running
        entry = catalogue.entry(name)
    else:
        from steps_impl.describe import entry_of
        from steps_impl.registry import load_step

        entry = entry_of(load_step(name))
    if parse_flags(arguments, entry).help:
        click.echo(step_help(entry))
        return
    from steps_impl.runner import run

    sys.exit(run(name, arguments))
