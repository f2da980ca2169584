"""Servers that speak the beginning of a protocol over TLS, take the login down and refuse it.

What RDS and Redshift check a token with cannot be had here; that the token arrives, whole and only over TLS, can.
"""

from __future__ import annotations

import socket
import ssl
import struct
import subprocess
from pathlib import Path

from tests.listener import Listener

_SSL_REQUEST = 80877103
_CLIENT_SSL = 0x800
_MYSQL_CAPABILITIES = 0x000FA68F | _CLIENT_SSL | 0x8000 | 0x80000


def certificate(directory: Path) -> tuple[Path, Path]:
    """Return a certificate for 127.0.0.1, which is its own authority, and its key."""
    made, key = directory / "certificate.pem", directory / "key.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    files = ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(made)]
    subprocess.run(["openssl", *words, *files], check=True, capture_output=True)
    return made, key


class RefusingServer(Listener):
    """Keeps (user, password) of each login; ``tls`` is False for a server that offers none."""

    def __init__(self, directory: Path, *, tls: bool = True) -> None:
        self.logins: list[tuple[str, str]] = []
        self.tls = tls
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority_file, key = certificate(directory)
        self._context.load_cert_chain(self.authority_file, key)
        super().__init__()

    def encrypted(self, client: socket.socket) -> ssl.SSLSocket:
        return self._context.wrap_socket(client, server_side=True)


def _exactly(client: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        piece = client.recv(size - len(data))
        if not piece:
            raise ConnectionError("the client has gone")
        data += piece
    return data


class RefusingPostgres(RefusingServer):
    """Asks for the password in clear text, as RDS does for a token."""

    def serve(self, client: socket.socket) -> None:
        size, number = struct.unpack("!ii", _exactly(client, 8))
        if number == _SSL_REQUEST:
            client.sendall(b"S" if self.tls else b"N")
            if not self.tls:
                return
            client = self.encrypted(client)
            size, number = struct.unpack("!ii", _exactly(client, 8))
        words = _exactly(client, size - 8).split(b"\0")
        user = words[words.index(b"user") + 1].decode()
        client.sendall(b"R" + struct.pack("!ii", 8, 3))
        _exactly(client, 1)
        (size,) = struct.unpack("!i", _exactly(client, 4))
        self.logins.append((user, _exactly(client, size - 4).rstrip(b"\0").decode()))
        text = b"SFATAL\0C28P01\0Mpassword authentication failed for user\0\0"
        client.sendall(b"E" + struct.pack("!i", len(text) + 4) + text)
        client.close()


class RefusingMySql(RefusingServer):
    """Switches to ``mysql_clear_password``, as RDS does for a user ``IDENTIFIED WITH AWSAuthenticationPlugin``."""

    def serve(self, client: socket.socket) -> None:
        offered = _MYSQL_CAPABILITIES if self.tls else _MYSQL_CAPABILITIES & ~_CLIENT_SSL
        low, high = offered & 0xFFFF, offered >> 16
        greeting = b"\x0a8.0.36\0" + struct.pack("<I", 7) + b"12345678\0" + struct.pack("<H", low)
        greeting += b"\x2d" + struct.pack("<HH", 2, high) + b"\x15" + bytes(10) + b"123456789012\0"
        self._send(client, 0, greeting + b"mysql_native_password\0")
        packet = self._receive(client)
        if len(packet) == 32 and self.tls:
            client = self.encrypted(client)
            packet = self._receive(client)
        user = packet[32 : packet.index(b"\0", 32)].decode()
        self._send(client, self._number + 1, b"\xfemysql_clear_password\0")
        self.logins.append((user, self._receive(client).rstrip(b"\0").decode()))
        self._send(client, self._number + 1, b"\xff" + struct.pack("<H", 1045) + b"#28000Access denied for user")
        client.close()

    def _send(self, client: socket.socket, number: int, payload: bytes) -> None:
        client.sendall(struct.pack("<I", len(payload))[:3] + bytes([number]) + payload)

    def _receive(self, client: socket.socket) -> bytes:
        head = _exactly(client, 4)
        self._number = head[3]
        return _exactly(client, int.from_bytes(head[:3], "little"))
