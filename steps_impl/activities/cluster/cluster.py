"""What an activity has of the cluster: programs, a folder of its own, the marks by which its jobs are found again."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from core.cancelling import on_cancel
from core.errors import CommandFailed, CommandKilled, DiskFull
from steps_impl.activities.cluster import configuration
from steps_impl.activities.cluster.applications import Applications, run_tag
from steps_impl.activities.cluster.ending import end_tree
from steps_impl.activities.cluster.jobs import JobWatch
from steps_impl.activities.cluster.output import Copier
from steps_impl.activities.cluster.programs import find_jar, find_program
from steps_impl.contract import ATTEMPT_VARIABLE, PIPELINE_VARIABLE, RESULT_VARIABLE, StepContext
from steps_impl.workplace import new_folder, without_lent_keys


class Cluster:
    """Runs programs for one activity, one after the other.

    ``label`` is what messages call the activity, ``work`` the folder where its programs run; it goes with the activity.
    """

    def __init__(
        self,
        label: str,
        work: Path,
        context: StepContext,
        environment: Mapping[str, str],
        tag: str,
        configuration_folder: Path | None = None,
    ) -> None:
        self.label = label
        #: What marks the YARN applications of this run.
        self.tag = tag
        self.work = work
        self.context = context
        self.environment = dict(environment)
        self._configuration = configuration_folder
        self._applications = Applications.of_cluster(tag, configuration_folder, environment)
        self._known: set[str] = set()

    def program(self, name: str) -> Path:
        """Return the program of this name; ``ProgramMissing`` when it is not on PATH."""
        return find_program(name, self.label, self.environment)

    def jar(self, name: str) -> Path:
        """Return a job jar of Hadoop's own (``hadoop-streaming``); ``ProgramMissing`` when it is not there."""
        return find_jar(name, self.label, self.environment)

    def run(self, argv: Sequence[str | Path], title: str, *, of_user: bool = False) -> JobWatch:
        """Run a program to its end, its output copied to ours; return what was seen of its jobs.

        Args:
            argv: Program and arguments; they can be read by every user of the machine, so no secrets.
            title: What messages call it, such as ``step 1 of 2 (wordcount.jar)``.
            of_user: It is a script of the user's, which gets no AWS keys that are the worker's own.

        Raises:
            CommandFailed, CommandKilled: it did not end well.
            InterruptedError: the step was asked to stop; the program and what it started have ended.
        """
        self.check_cancelled()
        watch = JobWatch(partial(self._tell, title))
        self.context.reporter.progress(title)
        process = self._start(argv, title, without_lent_keys(self.environment) if of_user else self.environment)
        copiers = _copiers(process, watch)
        with on_cancel(self.context.cancelled, partial(end_tree, process)):
            status = process.wait()
        for copier in copiers:
            copier.finish()
        self._known |= watch.applications
        self.check_cancelled()
        self._check(status, title, watch.reason)
        return watch

    def new_file(self, name: str) -> Path:
        """Return the path of a file that is not there yet, in a folder of its own."""
        return Path(tempfile.mkdtemp(prefix="file-", dir=self.work)) / name

    def write_private(self, name: str, text: str, mode: int = 0o600) -> Path:
        """Write a file that nobody else can read, in a folder of its own, and return its path."""
        path = self.new_file(name)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w", encoding="utf-8") as file:
            file.write(text)
        return path

    @property
    def distributed(self) -> bool:
        """Whether the paths of the cluster's programs are on a file system of its own, not on this machine's disk."""
        found = configuration.properties(self._configuration, "core-site.xml") if self._configuration else {}
        return not found.get("fs.defaultFS", "file:").startswith("file:")

    def shared_place(self, name: str) -> str:
        """Return a path that all machines of the cluster see: on its file system, else in the activity's folder."""
        return f"/tmp/{self.tag}-{name}" if self.distributed else str(self.work / name)  # noqa: S108  # HDFS's own

    def run_jar(self, argv: Sequence[str | Path], title: str, *, of_user: bool = False) -> None:
        """Run a program as EMR runs a step: it is good when it ends with 0 and no Hadoop job of it has failed."""
        watch = self.run(argv, title, of_user=of_user)
        for name, state in watch.failed.items():
            raise CommandFailed(f"{self.label}: {title} ended with 0, but its job {name} ended as {state}")

    def check_cancelled(self) -> None:
        """Raise ``InterruptedError`` when the step was asked to stop."""
        if self.context.cancelled.is_set():
            raise InterruptedError(f"{self.label} was asked to stop")

    def end_applications(self) -> None:
        """End every YARN application of this run that goes on without us."""
        for name in self._applications.kill(self._known) if self._applications else []:
            sys.stderr.write(f"{self.label}: ended the YARN application {name}, which was still running\n")

    def _start(self, argv: Sequence[str | Path], title: str, environment: Mapping[str, str]) -> subprocess.Popen[bytes]:
        pipe = subprocess.PIPE
        try:
            return subprocess.Popen(
                [*map(str, argv)], cwd=self.work, env=environment, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe
            )
        except OSError as error:
            raise CommandFailed(f"{self.label}: {title} cannot be started: {error.strerror} ({argv[0]})") from None

    def _tell(self, title: str, percent: float | None, page: str | None) -> None:
        self.context.reporter.progress(title, percent=percent, job_log=page)

    def _check(self, status: int, title: str, reason: str | None) -> None:
        if status < 0:
            raise CommandKilled(f"{self.label}: {title} was killed by signal {-status}, which was not ours")
        if status:
            why = f": {reason}" if reason else "; its last lines say why"
            raise CommandFailed(f"{self.label}: {title} ended with exit status {status}{why}")


@contextmanager
def open_cluster(
    label: str, context: StepContext, settings: Mapping[str, str] | None = None, needs: str | None = "hadoop"
) -> Iterator[Cluster]:
    """Hand out what the activity has of the cluster; its files are gone afterwards.

    Applications that an attempt before this one has left running are ended first, and its own when it does not end
    well. What a good program leaves running on purpose goes on, as on EMR.

    Args:
        label: What messages call the activity.
        context: The step's.
        settings: Properties of MapReduce that all its jobs get, such as their queue.
        needs: The program without which there is no use in starting, if any.

    Raises:
        ProgramMissing: ``needs`` is not on this machine.
        DiskFull: there is no space left for scripts, jars or temporary files.
    """
    work = new_folder("cluster-", context.environment)
    try:
        cluster = _prepared(label, work, context, settings or {}, needs)
        cluster.end_applications()
        try:
            yield cluster
        except BaseException:
            cluster.end_applications()
            raise
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        raise DiskFull(f"{label}: no space left in {work}; make room, and see minimum_free_disk") from None
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _prepared(label: str, work: Path, context: StepContext, settings: Mapping[str, str], needs: str | None) -> Cluster:
    environment = {name: value for name, value in context.environment.items() if name != RESULT_VARIABLE}
    (work / "tmp").mkdir()
    environment["TMPDIR"] = str(work / "tmp")
    if needs:
        find_program(needs, label, environment)
    tag = run_tag(environment.get(PIPELINE_VARIABLE, ""), environment.get(ATTEMPT_VARIABLE) or str(work))
    found = configuration.find_configuration(environment)
    if found is not None:
        added = {"mapreduce.job.tags": tag, "tez.application.tags": tag, **settings}
        environment["HADOOP_CONF_DIR"] = str(configuration.overlay(found, work / "conf", added))
    return Cluster(label, work, context, environment, tag, found)


def _copiers(process: subprocess.Popen[bytes], watch: JobWatch) -> list[Copier]:
    pairs = ((process.stdout, sys.stdout.buffer), (process.stderr, sys.stderr.buffer))
    return [Copier(source, target, watch.look) for source, target in pairs if source]
