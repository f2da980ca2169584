from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.errors import StoreUnreachable
from stores.s3 import Download, S3Store, TransferTotals, Upload, parse_uri

MEBIBYTE = 1024 * 1024


def certificate(path: Path) -> Path:
    """A certificate for 127.0.0.1 that is its own authority, with its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )
    encoded = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(encoded + made.public_bytes(serialization.Encoding.PEM))
    return path


class MemoryStore(BaseHTTPRequestHandler):
    """Keeps what is PUT and gives it back to GET; no more of S3 is needed here."""

    protocol_version = "HTTP/1.1"
    objects: dict[str, bytes] = {}  # noqa: RUF012  # shared by the handlers of all requests on purpose

    def do_PUT(self) -> None:
        self.objects[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(b"")

    def do_GET(self) -> None:
        self._answer(self.objects[self.path])

    def _answer(self, content: bytes) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Stay silent."""


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return certificate(tmp_path / "certificate.pem")


@pytest.fixture
def tls_store(bundle: Path, aws_environment: str) -> Iterator[S3Store]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), MemoryStore)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(bundle)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    serving.start()
    store = S3Store("us-east-1", f"https://127.0.0.1:{server.server_port}", concurrency=4)
    yield store
    store.close()
    server.shutdown()
    server.server_close()
    serving.join()


def test_files_go_up_and_come_down_over_tls(
    tls_store: S3Store, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    contents = [os.urandom(size) for size in (0, 1, MEBIBYTE, 3 * MEBIBYTE + 5)]
    uploads, downloads = [], []
    for number, content in enumerate(contents):
        location = parse_uri(f"s3://bucket/{number}")
        (tmp_path / f"out{number}").write_bytes(content)
        uploads.append(Upload(tmp_path / f"out{number}", location, len(content), True))
        downloads.append(Download(location, tmp_path / f"in{number}", len(content)))
    expected = TransferTotals(len(contents), sum(map(len, contents)))
    assert tls_store.upload_many(uploads) == expected
    assert tls_store.download_many(downloads) == expected
    assert [(tmp_path / f"in{number}").read_bytes() for number in range(len(contents))] == contents


def test_a_certificate_that_nobody_vouches_for_is_refused(tls_store: S3Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("stores.s3.wire.BACKOFF", ())
    with pytest.raises(StoreUnreachable, match="CERTIFICATE_VERIFY_FAILED"):
        tls_store.put_bytes("s3://bucket/key", b"x")
    assert "/bucket/key" not in MemoryStore.objects
