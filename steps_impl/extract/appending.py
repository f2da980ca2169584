"""Rows beside those that an output has already: which of its files stay, and which runs have made them.

The manifest keeps, under ``source.runs``, for which instance of a task each run was. A retry of that instance takes the
place of its former run, so that its rows are there once.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from core.errors import SchemaMismatch
from steps_impl.extract import manifest
from steps_impl.extract.manifest import Entry
from steps_impl.extract.outputs import Output
from steps_impl.extract.runs import Run, run_of

_FORM = ("format", "compression", "header")


class Appending:
    """The files that stay; none before ``look``."""

    def __init__(self, output: Output, instance: str | None) -> None:
        self._instance = instance
        self._output = output
        self._runs: dict[str, str | None] = {}
        #: Entries of the former manifest that stay.
        self.kept: list[Entry] = []

    def look(self, source: Mapping[str, Any], elements: Sequence[Mapping[str, Any]] | None) -> None:
        """Read the former manifest.

        Raises:
            SchemaMismatch: its files have other columns or another form than those that are to be added.
        """
        text = self._output.read(manifest.NAME)
        if not manifest.urls_of(text):
            return
        document = json.loads(text or b"{}")
        self._demand_same(document, source, elements)
        runs = document["source"].get("runs", {})
        mine = {run for run, instance in runs.items() if instance is not None and instance == self._instance}
        self._runs = {run: instance for run, instance in runs.items() if run not in mine}
        self.kept = [entry for entry in manifest.entries_of(document) if self._run_of(entry) not in mine]

    def recorded(self, run: Run, source: Mapping[str, Any]) -> dict[str, Any]:
        """Return what the new manifest says of its source: as given, and which runs it holds."""
        return {**source, "runs": {**self._runs, run.start: self._instance}}

    def _run_of(self, entry: Entry) -> str:
        return run_of(entry.url.removeprefix(self._output.url("")))

    def _demand_same(
        self, document: Mapping[str, Any], source: Mapping[str, Any], elements: Sequence[Mapping[str, Any]] | None
    ) -> None:
        former = (document.get("schema") or {}).get("elements")
        same_form = all(document["source"].get(key) == source.get(key) for key in _FORM)
        if not same_form or _names(former) != _names(elements):
            raise SchemaMismatch(
                f"the files in {self._output.location('')} have other columns or another format than these; add to "
                "files of the same kind, or let --insert-mode TRUNCATE replace them"
            )


def _names(elements: Sequence[Mapping[str, Any]] | None) -> list[Any]:
    return [element.get("name") for element in elements or ()]
