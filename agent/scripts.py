"""The script of an activity: written or fetched, and the program that reads it."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from agent.plan import Script
from core.errors import NotFound, ScriptNotFound
from core.shebang import FIRST_LINE_LIMIT, interpreter

if TYPE_CHECKING:
    from stores.s3 import S3Store


def prepare_script(script: Script, store: Callable[[], S3Store], cancelled: threading.Event) -> tuple[str, ...]:
    """Put the script on the disk, readable by us only, and return the command that runs it.

    Raises:
        ScriptNotFound: there is nothing at the ``scriptUri``, or it names a bucket or a folder.
    """
    if script.uri is None:
        content = (script.text or "").encode()
        handle = os.open(script.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o700)
        with os.fdopen(handle, "wb", buffering=0) as file:
            file.write(content)
        return (*interpreter(content[:FIRST_LINE_LIMIT]), str(script.path))
    from stores.s3 import parse_uri

    if not parse_uri(script.uri).name:
        raise ScriptNotFound(f"scriptUri {script.uri!r} names no file; write s3://bucket/folder/script")
    try:
        store().download_file(script.uri, script.path, cancelled)
    except NotFound as error:
        raise ScriptNotFound(f"scriptUri names a script that is not there: {error}") from None
    script.path.chmod(0o700)
    with script.path.open("rb") as file:
        return (*interpreter(file.read(FIRST_LINE_LIMIT)), str(script.path))
