"""All parts of the sandbox together: up, down, status."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from core.errors import PartMissing, SandboxError
from sandbox.parts.cassandra import CassandraPart
from sandbox.parts.datapipeline import DataPipelinePart
from sandbox.parts.imds import ImdsPart
from sandbox.parts.mariadb import MariaDbPart
from sandbox.parts.moto import MotoPart
from sandbox.parts.part import Part
from sandbox.parts.postgres import PostgresPart
from sandbox.parts.redshift import RedshiftPart
from sandbox.state import StateDirectory


class PartState(StrEnum):
    """How a part is."""

    UP = "up"
    NOT_ANSWERING = "not answering"
    DOWN = "down"
    MISSING = "missing"


@dataclass(frozen=True)
class PartStatus:
    """What ``status`` shows of a part; ``since`` in Unix seconds, ``note`` says why it is missing."""

    name: str
    title: str
    state: PartState
    pid: int | None
    address: str | None
    since: float | None
    program: str | None
    log: str
    note: str | None


#: Options of the Data Pipeline service where AWS's own value would only make people wait, or end what a definition of
#: years ago makes up for because it is late; any can be given otherwise.
OTHER_THAN_AWS = {"instance-interval": "0", "late-from": "creation", "precondition-interval": "5"}


class Supervisor:
    """Starts, stops and looks at the parts under one state directory."""

    def __init__(self, state: StateDirectory) -> None:
        self.state = state
        self.aws = MotoPart(state.path / "aws")
        self.imds = ImdsPart(state.path / "imds")
        self.postgres = PostgresPart(state.path / "postgres")
        self.mariadb = MariaDbPart(state.path / "mariadb")
        self.cassandra = CassandraPart(state.path / "cassandra")
        self.redshift = RedshiftPart(state.path / "redshift", self.postgres, self.aws)
        options = OTHER_THAN_AWS | state.service_options
        flags = [f"--{name}={value}" for name, value in options.items()]
        self.datapipeline = DataPipelinePart(state.path / "datapipeline", flags, self.aws)

    @property
    def parts(self) -> tuple[Part, ...]:
        """Every part, in the order in which they are shown."""
        return (self.datapipeline, self.aws, self.imds, self.mariadb, self.postgres, self.redshift, *self._asked_for)

    @property
    def _asked_for(self) -> tuple[Part, ...]:
        """Parts that cost much and are started only where they were asked for once."""
        return (self.cassandra,) if self.cassandra.running else ()

    def up(self, *, cassandra: bool = False) -> None:
        """Start every part that is down, a part's needs before it; a missing MariaDB is let pass.

        Raises:
            SandboxError: a part did not come up, or one that every machine can have is not installed.
        """
        asked_for = (self.cassandra,) if cassandra else self._asked_for
        _together(self._start, (self.aws, self.imds, self.postgres, self.mariadb, *asked_for))
        _together(self._start, (self.redshift, self.datapipeline))

    def down(self) -> None:
        """Stop every part, those that use others first."""
        _together(Part.stop, (self.datapipeline, self.redshift))
        _together(Part.stop, (self.mariadb, self.postgres, self.aws, self.imds, *self._asked_for))

    def status(self) -> list[PartStatus]:
        """Look at every part."""
        return [look(part) for part in self.parts]

    def _start(self, part: Part) -> None:
        try:
            part.start()
        except PartMissing:
            if part is not self.mariadb:
                raise


def look(part: Part) -> PartStatus:
    """Say how one part is, by asking it."""
    program, note = _program(part)
    running, process = part.running, part.process()
    if process:
        state = PartState.UP if part.is_ready() else PartState.NOT_ANSWERING
    else:
        state = PartState.DOWN if program else PartState.MISSING
    return PartStatus(
        name=part.name,
        title=part.title,
        state=state,
        pid=process.pid if process else None,
        address="{}:{}".format(*part.address) if running else None,
        since=running.since if running and process else None,
        program=str(program) if program else None,
        log=str(part.log),
        note=note,
    )


def _program(part: Part) -> tuple[Path | None, str | None]:
    try:
        return part.program(), None
    except PartMissing as missing:
        return None, str(missing)


def _together(work: Callable[[Part], None], parts: Iterable[Part]) -> None:
    """Do ``work`` for all parts at once; when some fail, the errors are told together after all have ended."""
    with ThreadPoolExecutor(thread_name_prefix="part") as pool:
        futures = [pool.submit(work, part) for part in parts]
    errors = [error for future in futures if (error := future.exception())]
    if unexpected := next((error for error in errors if not isinstance(error, SandboxError)), None):
        raise unexpected
    if errors:
        raise SandboxError("\n".join(map(str, errors))) from errors[0]
