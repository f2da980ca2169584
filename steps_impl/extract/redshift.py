r"""``extract-redshift``: a table or query of the warehouse to files in S3 or a directory, by UNLOAD, with a manifest.

The warehouse writes the files to S3 itself; no row passes through the worker. For a directory (``$OUTPUT1_STAGING_DIR``
is one) they pass through a folder of ``etl.s3_etl_bucket``, and are removed there. How the formats load again::

    tsv      DELIMITER '\t' ESCAPE NULL AS '\N'
    csv      CSV NULL AS '\N'       a text \N is not told from NULL: use tsv where one may be
    json     FORMAT JSON 'auto'
    parquet  FORMAT PARQUET

(add the compression's name). Every run writes files of its own (``part-<run>-0000_part_00.gz``). UNLOAD's own manifest
is held against the warehouse's count and the files in S3, then the output's ``manifest`` is replaced in the form that
all extracts write, and the files of former runs are deleted: a run that fails leaves the former output as it was.

Rows have no order, unless the query has an ORDER BY and ``--no-parallel`` is given: then the files, as the manifest
names them, have it.

``--insert-mode`` is Dataduct's: TRUNCATE and OVERWRITE_EXISTING leave this run's rows only; APPEND and KEEP_EXISTING
add them to those of the manifest that is there, once for each instance of a task (or ``--run-key``), however often it
is retried.

With ``--cursor-column`` only new rows are read, those above a high-water mark and those that came late below it; one
transaction sees the mark's new value and the rows. The mark is set last, and the same run again (a retry) reads the
same rows again.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from core.errors import ParameterError, SettingsError
from core.sections.databases import RedshiftSettings
from core.settings import load_settings
from steps_impl.activities.redshift_copy.authorization import region_of
from steps_impl.activities.redshift_copy.records import attempt_of
from steps_impl.contract import StepContext, StepResult
from steps_impl.extract.appending import Appending
from steps_impl.extract.empty import empty_file
from steps_impl.extract.manifest import Entry
from steps_impl.extract.outputs import LocalOutput, Output, open_output
from steps_impl.extract.passage import fetch, open_passage
from steps_impl.extract.publishing import described, place_of
from steps_impl.extract.redshift_increment import SNAPSHOT, Increment
from steps_impl.extract.redshift_parameters import ExtractRedshiftParameters
from steps_impl.extract.runs import Run
from steps_impl.extract.unload import given_query, table_query, unload_statement
from steps_impl.extract.unloaded import Unloaded, read_unloaded
from steps_impl.registry import Step
from steps_impl.warehouse.target import warehouse_of, workspace_of
from stores.identity import Identity
from stores.redshift import Session, Statement, run_session
from stores.s3 import S3Location, S3Store, parse_uri


@dataclass(frozen=True)
class _Extract:
    """What every attempt of the session needs."""

    parameters: ExtractRedshiftParameters
    context: StepContext
    output: Output
    store: S3Store
    warehouse: RedshiftSettings
    role: str
    #: Where files pass that are for a directory; and bytes of its disk that stay free.
    workspace: S3Location | None
    reserve: int
    #: What this run is called, the same when it is tried again.
    key: str | None

    def once(self, session: Session) -> StepResult:
        """Unload, check, publish; set the mark last: a run that dies before reads the same rows again."""
        with Run(self.output, self.context.cancelled) as run:
            if self.parameters.cursor_column is None:
                return self._publish(run, self._unload(session, run, self._query()))
            with session.transaction(SNAPSHOT):
                increment = self._increment(session)
                unloaded = self._unload(session, run, increment.query)
            with increment.held(self.context.cancelled):
                result = self._publish(run, unloaded, increment.details)
                increment.keep()
            return result

    def _increment(self, session: Session) -> Increment:
        source = f"redshift/{self.warehouse.database_name}/{self.parameters.source or '(query)'}"
        return Increment(session, self.parameters, source, self.key)

    def _unload(self, session: Session, run: Run, query: str) -> Unloaded:
        if not isinstance(self.output, LocalOutput):
            return self._filled(run, self._unload_to(session, run, query))
        assert self.workspace is not None  # ``run`` has looked
        with open_passage(self.workspace, self.output, self.context.cancelled) as passed:
            unloaded = self._unload_to(session, passed, query)
            self.context.reporter.progress("fetch")
            return self._filled(run, fetch(self.store, unloaded, passed, run, self.reserve, self.context.cancelled))

    def _unload_to(self, session: Session, run: Run, query: str) -> Unloaded:
        self.context.reporter.progress("unload")
        prefix, form = run.output.location(run.name("")), self.parameters.form
        escapes = "\\" in query and _escapes(session)
        session.execute(unload_statement(query, prefix, self.role, form, region=self._region(prefix), escapes=escapes))
        (counted,) = session.row(Statement("SELECT pg_last_unload_count()", "count the unloaded rows"))
        unloaded = read_unloaded(self.store, prefix, int(counted), header=form.header)
        run.demand(len(unloaded.entries))
        return unloaded

    def _filled(self, run: Run, unloaded: Unloaded) -> Unloaded:
        """Add an empty file where UNLOAD wrote none: COPY refuses a manifest without files."""
        if unloaded.entries:
            return unloaded
        name, content = empty_file(self.parameters.form, unloaded.elements)
        self.output.replace(run.name(name), content)
        return Unloaded([Entry(self.output.url(run.name(name)), len(content), 0)], unloaded.elements)

    def _publish(self, run: Run, unloaded: Unloaded, increment: Mapping[str, Any] | None = None) -> StepResult:
        form = self.parameters.form
        source = {
            "host": "redshift",
            "database": self.warehouse.database_name,
            "table": str(self.parameters.source) if self.parameters.source else None,
            "format": form.format,
            "compression": form.compression,
            "header": form.header,
            **({"increment": {name: increment[name] for name in ("cursor", "after", "mark")}} if increment else {}),
        }
        appending = Appending(self.output, self.key)
        if self.parameters.appends:
            appending.look(source, unloaded.elements)
        entries = [*appending.kept, *unloaded.entries]
        leftovers = run.publish(entries, unloaded.elements, appending.recorded(run, source))
        details = {**described(self.output, len(entries), leftovers), "kept_files": len(appending.kept)}
        details |= increment or {}
        return StepResult(rows=unloaded.rows, bytes=unloaded.bytes, details=details)

    def _query(self) -> str:
        if (table := self.parameters.source) is not None:
            return table_query(table)
        return given_query(self.parameters.sql or "")

    def _region(self, prefix: str) -> str | None:
        """Return the region of the bucket where it is not the warehouse's."""
        data = self.store.region(parse_uri(prefix).bucket)
        return None if data == region_of(self.warehouse.host, None, Identity().region) else data


def run(parameters: ExtractRedshiftParameters, context: StepContext) -> StepResult:
    """Unload, publish the manifest, and return rows and bytes.

    Raises:
        ParameterError: no output is known; rows are to be added by a run without a name.
        SettingsError: the configuration has no warehouse, no role that UNLOAD could write with, or no bucket that files
            for a directory could pass through.
        StoreError: the warehouse or S3 refused, or their counts do not agree.
        SchemaMismatch: rows are to be added to files of another form.
        InterruptedError: the step was cancelled; the UNLOAD is cancelled and its files are removed.
    """
    settings = load_settings(environment=context.environment)
    warehouse = warehouse_of(settings)
    if not warehouse.iam_role:
        raise SettingsError("redshift.iam_role is not set: UNLOAD writes with this role; give its ARN or 'default'")
    place = place_of(parameters.output, context)
    workspace = workspace_of(settings, "unloads")
    if "://" not in place and workspace is None:
        raise SettingsError(
            f"UNLOAD writes to S3 alone; for the directory {place} its files pass through "
            "etl.s3_etl_bucket, which is not set"
        )
    key = parameters.run_key or _instance(context)
    if parameters.appends and key is None:
        raise ParameterError(
            f"--insert-mode {parameters.insert_mode}: a second run could not be told from a new one; give --run-key"
        )
    with closing(open_output(place)) as output:
        store, reserve = S3Store(region=settings.etl.region), settings.agent.minimum_free_disk
        work = _Extract(parameters, context, output, store, warehouse, warehouse.iam_role, workspace, reserve, key)
        return run_session(
            warehouse,
            work.once,
            cancelled=context.cancelled,
            query_group=parameters.queue,
            connection_retries=settings.etl.connection_retries,
        )


def _instance(context: StepContext) -> str | None:
    attempt = attempt_of(context.environment)
    return f"{attempt.pipeline}/{attempt.instance}" if attempt else None


def _escapes(session: Session) -> bool:
    """Whether the server reads a backslash in a literal as an escape, as Redshift does and new Postgres does not."""
    return bool(session.row(Statement(r"SELECT LENGTH('\\')", "see how backslashes are read"))[0] == 1)


STEP = Step(
    name="extract-redshift",
    summary="Unload a Redshift table or query to S3 or a directory as files with a manifest.",
    parameters=ExtractRedshiftParameters,
    run=run,
)
