"""Where attempts get their logs, and where the agent's own lines are sent on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from agent.log import HourlyFile
from agent.logs.agent_lines import AgentLines
from agent.logs.backup import Backup
from agent.logs.cloudwatch import CloudWatch
from agent.logs.interim import InterimCopies, InterimCopy
from agent.logs.names import agent_stream, group_name, task_stream
from agent.logs.notes import Notes
from agent.logs.output import OutputFile
from agent.logs.retention import Retention
from agent.logs.shipper import Shipper
from agent.logs.steady_time import SteadyTime
from agent.logs.tail import Tail, Target
from agent.side import Side
from agent.store import store_maker
from agent.task import Task, digest
from agent.workspace import STDERR, STDOUT
from core.redaction import REDACTOR
from core.sections.telling import LoggingSettings
from core.sections.worker import AgentSettings
from stores.endpoint import Endpoint, service_endpoint

if TYPE_CHECKING:
    from stores.s3 import S3Store


class Desk:
    """One for the whole agent; ``endpoint`` is the task service's, for its identity and region.

    ``worker`` is the agent's name at the service; ``turned`` is told by the sending loop when it will be back (see
    ``Observer.turned``).
    """

    def __init__(
        self,
        settings: LoggingSettings,
        agent: AgentSettings,
        endpoint: Endpoint,
        worker: str = "",
        turned: Callable[[float | None], None] = lambda _: None,
    ) -> None:
        self._settings = settings
        #: Seconds between copies to S3 of a log that goes on.
        self.s3_interval = settings.s3_interval
        self._interim = InterimCopies(settings.s3_interval)
        self._retention = Retention(settings, agent.output.absolute(), agent.minimum_free_disk)
        self._group = agent.worker_group or ""
        self._lines: AgentLines | None = None
        self._backup: Backup | None = None
        if agent.log_uri:
            self._backup = Backup(agent.log_uri, worker, settings.s3_interval, store_maker(agent))
        self._shipper: Shipper | None = None
        if settings.cloudwatch:
            steady = SteadyTime()
            cloudwatch = CloudWatch(lambda: service_endpoint("logs", endpoint.identity, region=endpoint.region), steady)
            notes = Notes(agent.output.absolute(), steady)
            interval, limit = settings.cloudwatch_interval, settings.backlog_limit
            self._shipper = Shipper(cloudwatch, notes, steady, interval, limit, turned)

    @property
    def sides(self) -> Sequence[Side]:
        """The loops of the logs; the first is to be closed last."""
        backup = [self._backup] if self._backup else []
        others: list[Side] = [self._interim, self._retention, *backup]
        return [self._shipper, *others] if self._shipper else others

    def waiting(self) -> int:
        """Return how many bytes wait for CloudWatch."""
        return self._shipper.waiting if self._shipper else 0

    def follow(self, lines: HourlyFile) -> None:
        """Send the agent's own lines too."""
        if self._backup:
            lines.tell(self._backup.wrote)
        if self._shipper:
            target = Target(group_name(self._group, self._settings.cloudwatch_group), agent_stream())
            self._lines = AgentLines(self._shipper, target)
            lines.tell(self._lines)

    @contextmanager
    def attempt(
        self, task: Task, directory: Path, group: str, uri: str | None, store: Callable[[], S3Store]
    ) -> Iterator[tuple[OutputFile, OutputFile]]:
        """The files for stdout and stderr of an attempt in ``directory``, open until the block ends.

        ``uri`` is where they are copied while it runs, if anywhere.
        """
        paths = [directory / STDOUT, directory / STDERR]
        with ExitStack() as ending:
            files: list[OutputFile] = []
            ending.callback(lambda: self._retention.added(files))
            if uri:
                copy = InterimCopy(store, uri, paths, digest(task.task_id))
                self._interim.begin(copy)
                ending.callback(self._interim.end, copy)
            if tail := self._tail(task, group, paths):
                ending.callback(tail.end)
            for number, path in enumerate(paths):
                files.append(ending.enter_context(closing(self._file(path, number, tail))))
            yield files[0], files[1]

    def close(self) -> None:
        """The agent has ended: send its last lines, let go of what is held."""
        if self._shipper:
            self._shipper.finish(self._lines.tail if self._lines else None)
        if self._backup:
            self._backup.finish()

    def _tail(self, task: Task, group: str, paths: Sequence[Path]) -> Tail | None:
        if self._shipper is None:
            return None
        stream = task_stream(task.pipeline_id, task.component, task.attempt.id)
        target = Target(group_name(group, self._settings.cloudwatch_group), stream)
        return self._shipper.open(target, paths, [_size(path) for path in paths])

    def _file(self, path: Path, number: int, tail: Tail | None) -> OutputFile:
        written = partial(tail.wrote, number) if tail else None
        return OutputFile(path, REDACTOR.matcher(), written, self._settings.attempt_limit, go_on=True)


def _size(path: Path) -> int:
    """Return the bytes that are there already, of the same attempt's earlier beginning."""
    return path.stat().st_size if path.exists() else 0
