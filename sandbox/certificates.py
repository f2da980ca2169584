"""A certificate for a server of the sandbox, and the authority that its clients trust.

The authority's key is kept nowhere: it signs one certificate, ever.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from sandbox import ports
from sandbox.files import write_private

_VALID: Final = dt.timedelta(days=3650)
_AUTHORITY: Final = "ductrunner sandbox"


def issue() -> tuple[bytes, bytes]:
    """Return, as PEM, an authority's certificate, and a server's with its key: for 127.0.0.1 and localhost."""
    signer, key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    may_sign = x509.KeyUsage(*(use == "key_cert_sign" for use in _USES))
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address(ports.HOST))])
    authority = _unsigned(_AUTHORITY, signer, signer).add_extension(may_sign, critical=True)
    authority = authority.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    server = _unsigned(ports.HOST, key, signer).add_extension(names, critical=False)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return _signed(authority, signer), private + _signed(server, signer)


def issue_into(authority: Path, server: Path) -> None:
    """Write both into files, unless they are there."""
    if not authority.exists():
        ours, its = issue()
        write_private(server, its)
        write_private(authority, ours)


_USES: Final = (
    *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement"),
    *("key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
)


def _unsigned(
    subject: str, key: ec.EllipticCurvePrivateKey, signer: ec.EllipticCurvePrivateKey
) -> x509.CertificateBuilder:
    begins = dt.datetime.now(dt.UTC) - dt.timedelta(days=1)  # the client's clock may be behind
    return (
        x509.CertificateBuilder(_name(_AUTHORITY), _name(subject), key.public_key(), x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(begins + _VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _signed(certificate: x509.CertificateBuilder, signer: ec.EllipticCurvePrivateKey) -> bytes:
    return certificate.sign(signer, hashes.SHA256()).public_bytes(Encoding.PEM)
