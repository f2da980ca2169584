"""``ductrunner sandbox up|down|env|status``: AWS on one machine.

Nothing heavy is imported before a command needs it: ``--help`` stays quick.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from sandbox.supervisor import PartStatus, Supervisor

Command = Callable[..., None]
ENGINES_TITLE = "Hadoop, Pig and Hive on one machine"


@click.group()
def sandbox() -> None:
    """Start and stop AWS on one machine: Data Pipeline, S3, SNS, Logs, MySQL, Postgres, a Redshift front and more."""


def _state_option(command: Command) -> Command:
    return click.option(
        "--state-dir",
        type=click.Path(file_okay=False, path_type=Path),
        help="Where the sandbox keeps what it has; default $DUCTRUNNER_SANDBOX_STATE, else ~/.ductrunner/sandbox.",
    )(command)


def _json_option(command: Command) -> Command:
    return click.option("--json", "as_json", is_flag=True, help="Print JSON.")(command)


def _service_option(_: click.Context, __: click.Parameter, values: Iterable[str]) -> dict[str, str]:
    pairs = [value.partition("=") for value in values]
    if wrong := next((name for name, equals, _ in pairs if not equals), None):
        raise click.BadParameter(f"{wrong!r} is not NAME=VALUE")
    return {name.strip().lstrip("-"): value for name, _, value in pairs}


@sandbox.command()
@_state_option
@_json_option
@click.option("--manual-clock/--system-clock", default=None, help="Whether Data Pipeline's clock moves only when told.")
@click.option("--retry-delay-minimum", metavar="SECONDS", help="Data Pipeline's shortest delay between attempts.")
@click.option(
    "--service-option",
    "service_options",
    multiple=True,
    metavar="NAME=VALUE",
    callback=_service_option,
    help="Another flag of python -m sandbox.datapipeline; an empty value drops one given earlier.",
)
@click.option("--cassandra", is_flag=True, help="Start a Cassandra node, too (half a GB), now and from now on.")
def up(
    state_dir: Path | None,
    as_json: bool,
    manual_clock: bool | None,
    retry_delay_minimum: str | None,
    service_options: dict[str, str],
    cassandra: bool,
) -> None:
    """Start every part that is not up; harmless when all are. Options are kept for the next time."""
    options = dict(service_options)
    if manual_clock is not None:
        options["clock"] = "manual" if manual_clock else "system"
    if retry_delay_minimum is not None:
        options["retry-delay-minimum"] = retry_delay_minimum
    from sandbox.furniture import furnish
    from sandbox.state import StateDirectory
    from sandbox.supervisor import Supervisor

    state = StateDirectory.choose(state_dir)
    with state.locked():
        state.create(options)
        supervisor = Supervisor(state)
        supervisor.up(cassandra=cassandra)
        furnish(supervisor)
    _show(supervisor, as_json)


@sandbox.command()
@_state_option
@click.option("--purge", is_flag=True, help="Also delete the state directory with all data.")
def down(state_dir: Path | None, purge: bool) -> None:
    """Stop every part; the data stay unless --purge is given."""
    supervisor = _open(state_dir)
    with supervisor.state.locked():
        supervisor.down()
        if purge:
            supervisor.state.remove()


@sandbox.command()
@_state_option
@_json_option
def env(state_dir: Path | None, as_json: bool) -> None:
    """Print what points AWS clients, the agent and the steps here: eval "$(ductrunner sandbox env)"."""
    from sandbox.environment import client_environment, shell_lines

    variables = client_environment(_open(state_dir))
    click.echo(json.dumps(variables, indent=2) if as_json else "\n".join(shell_lines(variables)))


@sandbox.command()
@_state_option
@_json_option
def status(state_dir: Path | None, as_json: bool) -> None:
    """Show each part; the exit status is 0 when every part that this machine has is up, else 1."""
    from sandbox.supervisor import PartState

    parts = _show(_open(state_dir), as_json)
    sys.exit(0 if all(part.state in (PartState.UP, PartState.MISSING) for part in parts) else 1)


@sandbox.command()
@click.option("--or-go-on", is_flag=True, help="Say what is missing, and end with 0 all the same.")
def engines(or_go_on: bool) -> None:
    """Install Hadoop, Pig, Hive and Cassandra for one machine (210 MB, once, by Maven); harmless when they are here."""
    from core.errors import SandboxError
    from sandbox.engines.cassandra import CassandraJars
    from sandbox.engines.home import Engines

    hadoop, cassandra = Engines.of_machine(), CassandraJars.of_machine()
    try:
        hadoop.install()
        click.echo(f"{hadoop.title} are in {hadoop.commands()}")
        cassandra.install()
        click.echo(f"{cassandra.title} is in {cassandra.folder()}")
    except SandboxError as error:
        if not or_go_on:
            raise
        click.echo(f"ductrunner: {error}", err=True)


def _open(state_dir: Path | None) -> Supervisor:
    from sandbox.state import StateDirectory
    from sandbox.supervisor import Supervisor

    return Supervisor(StateDirectory.choose(state_dir))


def _show(supervisor: Supervisor, as_json: bool) -> list[PartStatus]:
    from sandbox.engines.home import Engines

    parts, engines = supervisor.status(), Engines.of_machine().look()
    if as_json:
        document: dict[str, Any] = {"state_dir": str(supervisor.state.path), "parts": [asdict(part) for part in parts]}
        click.echo(json.dumps({**document, "engines": asdict(engines)}, indent=2))
        return parts
    click.echo(f"sandbox in {supervisor.state.path}")
    for part in parts:
        click.echo(_line(part))
    click.echo(f"  {ENGINES_TITLE:<50} {engines.state}\n    {engines.note or engines.commands}")
    return parts


def _line(part: PartStatus) -> str:
    since = datetime.fromtimestamp(part.since, UTC).strftime("%Y-%m-%d %H:%M:%SZ") if part.since else "-"
    process = f"pid {part.pid}" if part.pid else "-"
    head = f"  {part.title:<50} {part.state:<14} {part.address or '-':<22} {process:<12} since {since}"
    return f"{head}\n    {part.note or f'{part.program}, log {part.log}'}"
