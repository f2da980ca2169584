"""Bulk transfers over TLS, where neither ``sendfile`` nor reading into place can pass by the cipher."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stores.s3 import S3Store, TransferTotals

MEBIBYTE = 1024 * 1024


def test_files_go_up_and_come_down_over_tls(
    aws_server: Any, s3_bucket: str, authority: Any, relay: Callable[..., Any], tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(authority.bundle))
    contents = [os.urandom(size) for size in (0, 1, MEBIBYTE, 3 * MEBIBYTE + 5, 20 * MEBIBYTE)]
    (tmp_path / "out").mkdir()
    for number, content in enumerate(contents):
        (tmp_path / "out" / str(number)).write_bytes(content)
    store = S3Store("us-east-1", relay(aws_server.endpoint).endpoint, concurrency=4)
    expected = TransferTotals(len(contents), sum(map(len, contents)))
    assert store.upload_directory(tmp_path / "out", f"s3://{s3_bucket}/files/") == expected
    assert store.download_prefix(f"s3://{s3_bucket}/files/", tmp_path / "in") == expected
    assert [(tmp_path / "in" / str(number)).read_bytes() for number in range(len(contents))] == contents
    store.close()
