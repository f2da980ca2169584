"""Whether a newer release lies in the folder of releases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib.metadata import version
from itertools import islice

from agent.doctor.finding import Finding, ok, warning
from agent.doctor.patient import Patient
from stores.s3 import S3Store

NAME = "release"
_FILE = re.compile(r"(?:.*/)?ductrunner-(\d+(?:\.\d+)*)[-.].*")
#: Objects that are looked at.
LISTED = 5000


def check_releases(patient: Patient) -> Iterator[Finding]:
    """Compare with the newest ``ductrunner-<version>-…`` below ``bootstrap.releases``."""
    here, folder = version("ductrunner"), patient.settings.bootstrap.releases
    if not folder:
        yield ok(NAME, f"{here}; bootstrap.releases is not set, so newer ones are not looked for")
        return
    store = S3Store(region=patient.region)
    try:
        listed = islice(store.list(f"{folder.rstrip('/')}/"), LISTED)
        found = [match[1] for entry in listed if (match := _FILE.fullmatch(entry.uri))]
    finally:
        store.close()
    newest = max(found, key=_order, default="")
    if not newest:
        yield warning(NAME, f"{here}; there is no release below {folder}", "check bootstrap.releases")
    elif _order(newest) > _order(here):
        yield warning(NAME, f"{here} runs, {newest} is in {folder}", "install it")
    else:
        yield ok(NAME, f"{here} is the newest in {folder}")


def _order(release: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", release))
