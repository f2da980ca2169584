"""``ductrunner steps`` and ``ductrunner step NAME …``; neither imports a step before it is run."""

from __future__ import annotations

import sys

import click

from steps_impl import catalogue
from steps_impl.flags import parse_flags
from steps_impl.help import step_help


@click.command()
def steps() -> None:
    """List the steps, one line each."""
    formatter = click.HelpFormatter(width=100)
    formatter.write_dl([(entry.name, entry.summary) for entry in catalogue.entries().values()])
    click.echo(formatter.getvalue(), nl=False)


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
    entry = catalogue.entry(name)
    if parse_flags(arguments, entry).help:
        click.echo(step_help(entry))
        return
    from steps_impl.runner import run  # help must not pay for running

    sys.exit(run(name, arguments))
