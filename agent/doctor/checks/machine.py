"""The machine: room for the work, memory, and what it runs on."""

from __future__ import annotations

import os
import platform
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from agent.doctor.finding import Finding, failed, ok, warning
from agent.doctor.patient import Patient

#: Newest Python that the tests run on.
NEWEST = (3, 13)
_WRITTEN = b"x" * 65536  # bytes: more than a file system keeps beside the name
_MIB = 1024 * 1024


def check_disk(patient: Patient) -> Iterator[Finding]:
    """Write a file to the work directory; look at what is free there."""
    name, directory = "disk", patient.agent.output.absolute()
    place = next(entry for entry in (directory, *directory.parents) if entry.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=place, prefix=".ductrunner-doctor-") as file:
            file.write(_WRITTEN)
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        owner = f"it belongs to user {place.stat().st_uid}, this is user {os.geteuid()}"
        yield failed(name, f"{place} cannot be written: {error.strerror} ({owner})", "free it, or set agent.output")
        return
    found = os.statvfs(place)
    free, inodes = found.f_bavail * found.f_frsize, found.f_favail
    text = f"{directory}: {free // _MIB} MiB and {inodes if found.f_files else 'any number of'} inodes are free"
    if free < patient.agent.minimum_free_disk or (found.f_files and inodes < patient.agent.minimum_free_inodes):
        limits = f"{patient.agent.minimum_free_disk // _MIB} MiB, {patient.agent.minimum_free_inodes} inodes"
        yield failed(name, text, f"below the least of {limits} no task is taken: free some, or set agent.output")
    else:
        yield ok(name, text)


def check_memory(patient: Patient) -> Iterator[Finding]:
    """Look at what is available."""
    import psutil

    memory = psutil.virtual_memory()
    text = f"{memory.available // _MIB} of {memory.total // _MIB} MiB are available"
    least = patient.agent.minimum_free_memory
    if memory.available < least:
        yield failed("memory", text, f"below {least // _MIB} MiB no task is taken: end something, or run fewer tasks")
    else:
        yield ok("memory", text)


def check_system(patient: Patient) -> Iterator[Finding]:  # noqa: ARG001  # every check is asked the same way
    """Name what the worker runs on."""
    python = ".".join(map(str, sys.version_info[:3]))
    text = f"Ductrunner {version('ductrunner')} on Python {python}, {_system()}, kernel {platform.release()}"
    if sys.version_info[:2] > NEWEST:
        yield warning("system", text, f"newer than what it is tested on (3.11 to {NEWEST[0]}.{NEWEST[1]})")
    elif not Path("/proc/self/stat").exists():
        yield failed("system", text, "the worker needs Linux with /proc")
    else:
        yield ok("system", text)


def _system() -> str:
    try:
        return platform.freedesktop_os_release()["PRETTY_NAME"]
    except (OSError, KeyError):
        return platform.system()
