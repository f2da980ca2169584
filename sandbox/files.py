"""Files of the state directory: private to their owner, and written whole or not at all."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from core.redaction import REDACTOR


def make_private_directory(path: Path) -> Path:
    """Create ``path`` with its parents; the directory itself is readable by its owner only (0700)."""
    path.mkdir(parents=True, exist_ok=True)
    path.chmod(0o700)
    return path


def write_private(path: Path, content: str | bytes) -> None:
    """Replace ``path`` by ``content`` in one step, with mode 0600; a reader sees the old or the new content."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content.encode() if isinstance(content, str) else content)
    draft.replace(path)


def kept_password(path: Path) -> str:
    """Return the password kept in ``path``, made at random the first time; it is registered for redaction."""
    if not path.exists():
        write_private(path, secrets.token_urlsafe(24))
    password = path.read_text(encoding="utf-8").strip()
    REDACTOR.register(password)
    return password
