"""``ductrunner pipeline run|validate|status|show|activate|cancel``.

Nothing heavy is imported before a command needs it: ``--help`` stays quick.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from pipelines.documents import Document
    from pipelines.places import Place

Command = Callable[..., Any]
_FILE = click.Path(path_type=Path, allow_dash=True, dir_okay=False)


@click.group()
def pipeline() -> None:
    """Run, validate and look at pipeline definitions, in the sandbox or (with --aws) on AWS.

    The sandbox is that of `eval "$(ductrunner sandbox env)"`, else the one that runs on this machine.
    """


def _place_options(command: Command) -> Command:
    command = click.option(
        "--state-dir", type=click.Path(file_okay=False, path_type=Path), help="Folder of the sandbox to use."
    )(command)
    return click.option("--aws", is_flag=True, help="Use AWS: what the AWS configuration of this shell leads to.")(
        command
    )


def _value_options(command: Command) -> Command:
    command = click.option(
        "--values",
        "files",
        type=_FILE,
        multiple=True,
        help='JSON file of parameter values: {"myX": "…"} or {"values": …}.',
    )(command)
    return click.option(
        "-p",
        "--parameter",
        "pairs",
        multiple=True,
        metavar="NAME=VALUE",
        help="Value of a parameter; again for an array. That of a secret may be env:NAME, file:PATH, secretsmanager:…",
    )(command)


@pipeline.command()
@click.argument("definition", type=_FILE)
@_value_options
@_place_options
@click.option("--name", help="Name of the pipeline; default: that of the file.")
@click.option(
    "--occurrences",
    type=click.IntRange(min=1),
    help="Wait for the first N runs of the schedule, and cancel the rest. [default: 1 of a schedule without an end]",
)
@click.option(
    "--skip-idle/--real-time",
    "skip",
    default=True,
    help="Let the sandbox's clock go over times in which there is nothing to do (retry delays, between runs).",
)
@click.option(
    "--agent/--no-agent", default=None, help="Start agents for worker groups that nobody serves (not with --aws)."
)
@click.option(
    "--tasks", type=click.IntRange(1, 256), default=4, show_default=True, help="Attempts at once, of such an agent."
)
@click.option(
    "--output", type=click.Path(path_type=Path), help="Its logs and files; default ~/.ductrunner/runs/<pipelineId>."
)
@click.option("--timeout", type=click.FloatRange(min=0, min_open=True), help="Cancel everything after so many SECONDS.")
def run(
    definition: Path,
    pairs: tuple[str, ...],
    files: tuple[Path, ...],
    aws: bool,
    state_dir: Path | None,
    name: str | None,
    occurrences: int | None,
    skip: bool,
    agent: bool | None,
    tasks: int,
    output: Path | None,
    timeout: float | None,
) -> None:
    """Create a pipeline, activate it, wait until it is over, and print its steps.

    Exit status: 0 all steps finished, 1 one did not, 2 the definition or a value is wrong, 130 interrupted (by Ctrl-C:
    what has not ended is canceled).
    """
    document = _document(definition, files, pairs, name)
    place = _place(aws, state_dir)
    from pipelines.run import Choices
    from pipelines.run import run as run_it

    wanted = place.local if agent is None else agent
    sys.exit(run_it(document, place, Choices(occurrences, wanted, tasks, output, timeout, skip)))


@pipeline.command()
@click.argument("definition", type=_FILE)
@_value_options
@_place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API answers.")
def validate(
    definition: Path, pairs: tuple[str, ...], files: tuple[Path, ...], aws: bool, state_dir: Path | None, as_json: bool
) -> None:
    """Print the errors and warnings of a definition; exit status 0 when it may be activated, else 2."""
    document = _document(definition, files, pairs, None)
    from pipelines.checking import check

    sys.exit(check(document, lambda: _place(aws, state_dir), aws=aws, as_json=as_json))


@pipeline.command()
@click.argument("wanted", metavar="PIPELINE")
@_place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(wanted: str, aws: bool, state_dir: Path | None, as_json: bool) -> None:
    """Show the steps of a pipeline (its id or name), their errors, and where their logs are."""
    _place(aws, state_dir)
    from pipelines.existing import show_status

    show_status(wanted, as_json=as_json)


@pipeline.command()
@click.argument("wanted", metavar="PIPELINE|FILE")
@_place_options
def show(wanted: str, aws: bool, state_dir: Path | None) -> None:
    """Print a definition in the form of the aws CLI: of a pipeline (its id or name), or of a file in any form."""
    from pipelines.existing import show_definition, show_file

    if Path(wanted).is_file():
        show_file(Path(wanted))
        return
    _place(aws, state_dir)
    show_definition(wanted)


@pipeline.command()
@click.argument("wanted", metavar="FILE|PIPELINE")
@_value_options
@_place_options
@click.option("--name", help="Name of the pipeline; default: that of the file.")
@click.option("--yes", is_flag=True, help="Do not ask, where this changes AWS.")
def activate(
    wanted: str,
    pairs: tuple[str, ...],
    files: tuple[Path, ...],
    aws: bool,
    state_dir: Path | None,
    name: str | None,
    yes: bool,
) -> None:
    """Activate a pipeline, and do not wait for it.

    A definition file goes into the pipeline of its name, which is made where there is none.
    """
    document = _document(Path(wanted), files, pairs, name) if Path(wanted).is_file() else None
    place = _place(aws, state_dir)
    from pipelines.existing import activate_definition, activate_known

    _confirm(place, f"activate {wanted}", yes)
    if document is not None:
        activate_definition(document)
    else:
        activate_known(wanted, files, pairs)


@pipeline.command()
@click.argument("wanted", metavar="PIPELINE")
@_place_options
@click.option("--yes", is_flag=True, help="Do not ask, where this changes AWS.")
def cancel(wanted: str, aws: bool, state_dir: Path | None, yes: bool) -> None:
    """Cancel what has not ended of a pipeline (its id or name), and deactivate it."""
    place = _place(aws, state_dir)
    from pipelines.existing import cancel as cancel_it

    _confirm(place, f"cancel {wanted}", yes)
    cancel_it(wanted)


def _document(path: Path, files: tuple[Path, ...], pairs: tuple[str, ...], name: str | None) -> Document:
    from dataclasses import replace

    from pipelines.documents import read_document
    from pipelines.values import with_given

    document = read_document(path)
    for note in document.notes:
        click.echo(f"WARNING: {note}", err=True)
    return with_given(replace(document, name=name or document.name), files, pairs)


def _place(aws: bool, state_dir: Path | None) -> Place:
    from pipelines.places import find_place

    place = find_place(aws=aws, state_dir=state_dir)
    place.enter()
    return place


def _confirm(place: Place, what: str, yes: bool) -> None:
    if place.local or yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"to {what} on AWS without asking, say --yes")
    click.confirm(f"{what} on AWS?", abort=True, err=True)
