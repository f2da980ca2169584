"""Many small files: what ``transform`` does with them, from the output's directory to S3 and into the next input's.

``python -m benchmarks.many_files [--files N]``. The server (``rclone serve s3``) and all files are in memory; it shares
the processors with us. Files of 20 bytes in 100 directories.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.staging import BUCKET, s3_server
from steps_impl.compute.inputs import Fetching
from steps_impl.compute.outputs import publish
from steps_impl.compute.places import Staged, read_place
from stores.s3 import S3Store

_DIRECTORIES = 100


def main() -> None:
    """Print seconds, files a second, our processor seconds and MB resident of each phase."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.many_files", description=__doc__)
    parser.add_argument("--files", type=int, default=100_000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-many-", dir="/dev/shm") as folder:
        place = Path(folder)
        _make(place / "out", options.files)
        with s3_server("rclone", place):
            _measure(place, options.files)


def _measure(place: Path, files: int) -> None:
    store, go = S3Store(), threading.Event()
    staged = [Staged(read_place(f"s3://{BUCKET}/result"), place / "out")]
    _timed("publish", files, lambda: publish(store, staged, {}, go))
    fetching = Fetching(store, go)
    _timed("list", files, lambda: fetching.add([Staged(read_place(f"s3://{BUCKET}/result/"), place / "in")]))
    _timed("fetch", files, lambda: fetching.fetch(place, 0))
    found = sum(1 for path in (place / "in").rglob("*") if path.is_file())
    print(f"{found} files arrived, the marker included")


def _timed(name: str, files: int, work: Callable[[], object]) -> None:
    wall, own = time.monotonic(), time.process_time()
    work()
    seconds, processor = time.monotonic() - wall, time.process_time() - own
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"{name:10} {seconds:7.1f} s {files / seconds:7.0f} files/s  {processor:6.1f} CPU s  {memory:4.0f} MB",
        flush=True,
    )


def _make(directory: Path, files: int) -> None:
    for number in range(_DIRECTORIES):
        (directory / f"d{number:02}").mkdir(parents=True)
    for number in range(files):
        (directory / f"d{number % _DIRECTORIES:02}" / f"f{number}").write_bytes(b"%019d\n" % number)


if __name__ == "__main__":
    main()
