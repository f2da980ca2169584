"""``ductrunner pipeline run|validate|status|show|activate|cancel``.

Nothing heavy is imported before a command needs it: ``--help`` stays quick.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
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


@dataclass(frozen=True)
class Where:
    """Which service to use, as the flags say."""

    aws: bool
    state_dir: Path | None

    def enter(self) -> Place:
        """Find the place and let this process use it."""
        from pipelines.places import find_place

        place = find_place(aws=self.aws, state_dir=self.state_dir)
        place.enter()
        return place


@dataclass(frozen=True)
class Given:
    """Parameters and values that the flags give to a definition."""

    pairs: tuple[str, ...]
    files: tuple[Path, ...]
    declared: Path | None

    def document(self, path: Path, name: str | None = None) -> Document:
        """Read a definition, tell what its author should know, and lay the values over it."""
        from pipelines.documents import read_document, with_parameters
        from pipelines.values import with_given

        document = read_document(path)
        if self.declared is not None:
            document = with_parameters(document, self.declared)
        for note in document.notes:
            click.echo(f"WARNING: {note}", err=True)
        return with_given(replace(document, name=name or document.name), self.files, self.pairs)


def _place_options(command: Command) -> Command:
    @click.option("--aws", is_flag=True, help="Use AWS: what the AWS configuration of this shell leads to.")
    @click.option("--state-dir", type=click.Path(file_okay=False, path_type=Path), help="Folder of the sandbox to use.")
    @functools.wraps(command)
    def wrapped(*words: Any, aws: bool, state_dir: Path | None, **flags: Any) -> Any:
        return command(*words, where=Where(aws, state_dir), **flags)

    return wrapped


def _value_options(command: Command) -> Command:
    @click.option(
        "-p",
        "--parameter",
        "pairs",
        multiple=True,
        metavar="NAME=VALUE",
        help="Value of a parameter; again for an array. That of a secret may be env:NAME, file:PATH, secretsmanager:…",
    )
    @click.option(
        "--values",
        "files",
        type=_FILE,
        multiple=True,
        help='JSON file of parameter values: {"myX": "…"} or {"values": …}.',
    )
    @click.option(
        "--parameters",
        "declared",
        type=_FILE,
        help='JSON file of parameters, where they are apart from the definition: {"parameters": […]}.',
    )
    @functools.wraps(command)
    def wrapped(
        *words: Any, pairs: tuple[str, ...], files: tuple[Path, ...], declared: Path | None, **flags: Any
    ) -> Any:
        return command(*words, given=Given(pairs, files, declared), **flags)

    return wrapped


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
    given: Given,
    where: Where,
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
    place = where.enter()  # first: a value may name a secret that is to be read there
    document = given.document(definition, name)
    from pipelines.run import Choices
    from pipelines.run import run as run_it

    wanted = place.local if agent is None else agent
    sys.exit(run_it(document, place, Choices(occurrences, wanted, tasks, output, timeout, skip)))


@pipeline.command()
@click.argument("definition", type=_FILE)
@_value_options
@_place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON, as the API answers.")
def validate(definition: Path, given: Given, where: Where, as_json: bool) -> None:
    """Print the errors and warnings of a definition; exit status 0 when it may be activated, else 2."""
    from pipelines.checking import check

    sys.exit(check(lambda: given.document(definition), where.enter, aws=where.aws, as_json=as_json))


@pipeline.command()
@click.argument("wanted", metavar="PIPELINE")
@_place_options
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def status(wanted: str, where: Where, as_json: bool) -> None:
    """Show the steps of a pipeline (its id or name), their errors, and where their logs are."""
    where.enter()
    from pipelines.existing import show_status

    show_status(wanted, as_json=as_json)


@pipeline.command()
@click.argument("wanted", metavar="PIPELINE|FILE")
@_place_options
def show(wanted: str, where: Where) -> None:
    """Print a definition in the form of the aws CLI: of a pipeline (its id or name), or of a file in any form."""
    from pipelines.existing import show_definition, show_file

    if Path(wanted).is_file():
        show_file(Path(wanted))
        return
    where.enter()
    show_definition(wanted)


@pipeline.command()
@click.argument("wanted", metavar="FILE|PIPELINE")
@_value_options
@_place_options
@click.option("--name", help="Name of the pipeline; default: that of the file.")
@click.option("--yes", is_flag=True, help="Do not ask, where this changes AWS.")
def activate(
    wanted: str,
    given: Given,
    where: Where,
    name: str | None,
    yes: bool,
) -> None:
    """Activate a pipeline, and do not wait for it.

    A definition file goes into the pipeline of its name, which is made where there is none. The hook activate_pipeline
    of etl.hooks_base_path may change it before.
    """
    place = where.enter()
    document = given.document(Path(wanted), name) if Path(wanted).is_file() else None
    from core.settings import load_settings
    from pipelines.existing import activate_definition, activate_known

    _confirm(place, f"activate {wanted}", yes)
    if document is not None:
        activate_definition(document, load_settings().etl.hook("activate_pipeline"))
    else:
        activate_known(wanted, given.files, given.pairs)


@pipeline.command()
@click.argument("wanted", metavar="PIPELINE")
@_place_options
@click.option("--yes", is_flag=True, help="Do not ask, where this changes AWS.")
def cancel(wanted: str, where: Where, yes: bool) -> None:
    """Cancel what has not ended of a pipeline (its id or name), and deactivate it."""
    place = where.enter()
    from pipelines.existing import cancel as cancel_it

    _confirm(place, f"cancel {wanted}", yes)
    cancel_it(wanted)


def _confirm(place: Place, what: str, yes: bool) -> None:
    if place.local or yes:
        return
    if not sys.stdin.isatty():
        raise click.UsageError(f"to {what} on AWS without asking, say --yes")
    click.confirm(f"{what} on AWS?", abort=True, err=True)
