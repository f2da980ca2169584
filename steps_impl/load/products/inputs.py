"""What is loaded: the files behind addresses in S3 or on this machine, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from core.errors import AccessDenied, NotFound, ParameterError, StoreError
from steps_impl.formats.opening import is_in_s3
from steps_impl.load.manifest import LoadFile, LoadInput, merge_inputs, read_manifest

if TYPE_CHECKING:
    from stores.s3 import S3Store

_INPUT_VARIABLE = "INPUT1_STAGING_DIR"
_MANIFEST = "manifest"


def addresses_of(given: Sequence[str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Return where the files are: what the parameter says, else the staging directory of the task.

    Raises:
        ParameterError: neither is there.
    """
    staged = environment.get(_INPUT_VARIABLE)
    if not given and not staged:
        raise ParameterError(f"--input: give an s3:// address or a path (${_INPUT_VARIABLE} is not set either)")
    return tuple(given) or (str(staged),)


def find_files(addresses: Sequence[str], s3: Callable[[], S3Store]) -> LoadInput:
    """Return the files behind all addresses: manifests, directories with or without a ``manifest``, single files.

    Raises:
        NotFound: nothing is there.
        UnsupportedValue: a manifest cannot be read, names no file or one twice.
        SchemaMismatch: the addresses hold different columns.
    """
    return merge_inputs([_find(address, s3) for address in addresses], "")


def _find(address: str, s3: Callable[[], S3Store]) -> LoadInput:
    if is_in_s3(address):
        from steps_impl.load.s3_input import find_input

        return find_input(s3(), address)
    try:
        return _find_here(Path(address))
    except PermissionError:
        raise AccessDenied(f"{address} may not be read; give this user the right to") from None
    except OSError as error:
        raise StoreError(f"cannot read {address}: {error.strerror or error}") from None


def _find_here(path: Path) -> LoadInput:
    if path.is_file():
        is_manifest = path.name == _MANIFEST or path.name.endswith(f".{_MANIFEST}")
        return _read(path) if is_manifest else LoadInput("", (LoadFile(str(path), path.stat().st_size),))
    if (path / _MANIFEST).is_file():
        return _read(path / _MANIFEST)
    if not path.exists():
        raise NotFound(f"there is no file or directory {path}; check the input")
    files = sorted(file for file in path.rglob("*") if file.is_file() and not _hidden(file, path))
    if not files:
        raise NotFound(f"there are no files under {path}; did the step before this one write there?")
    return LoadInput("", tuple(LoadFile(str(file), file.stat().st_size) for file in files))


def _hidden(file: Path, directory: Path) -> bool:
    """Tell whether it holds no rows: Hadoop's marker for a finished job, or what a dot hides."""
    return file.name == "_SUCCESS" or any(part.startswith(".") for part in file.relative_to(directory).parts)


def _read(path: Path) -> LoadInput:
    return read_manifest(str(path), path.read_bytes(), lambda url: url if is_in_s3(url) else str(path.parent / url))


def s3_store(region: str | None) -> S3Store:
    """Return what reads S3; a load of local files needs no S3 library."""
    from stores.s3 import S3Store

    return S3Store(region=region)
