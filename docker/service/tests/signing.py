"""Certificates for Content Credentials, made by code."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO
from typing import Any

from c2pa import Context, Reader
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

KINDS: dict[str, Any] = {
    "P-256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "P-384": lambda: ec.generate_private_key(ec.SECP384R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "RSA": lambda: rsa.generate_private_key(65537, 2048),
}


@dataclass(frozen=True)
class Identity:
    certificates: str
    key: str
    root: str

    def read(self, file: bytes, media_type: str) -> tuple[str | None, dict[str, Any]]:
        """How far C2PA's own reader believes the file, where the root is known, and what it says
        of how it was made. @throws C2paError: it says nothing"""
        trusting = Context.from_dict(
            {"verify": {"verify_trust": True}, "trust": {"trust_anchors": self.root}}
        )
        reader = Reader(media_type, BytesIO(file), context=trusting)
        manifest = reader.get_active_manifest()
        assert manifest
        (actions,) = (it["data"] for it in manifest["assertions"])
        (action,) = actions["actions"]
        return reader.get_validation_state(), json.loads(json.dumps(action))


def identity(kind: str = "P-256") -> Identity:
    """As C2PA wants it (its section 14.5.1): of a root, for documents, not for a server."""
    root_key, key = KINDS["P-256"](), KINDS[kind]()
    root = (
        _certificate("root", root_key, "root")
        .add_extension(x509.BasicConstraints(True, None), True)
        .add_extension(_usage(key_cert_sign=True), True)
        .sign(root_key, hashes.SHA256())
    )
    own = (
        _certificate("images.example.com", key, "root")
        .add_extension(x509.BasicConstraints(False, None), True)
        .add_extension(_usage(digital_signature=True), True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(root_key.public_key()), False
        )
        .sign(root_key, hashes.SHA256())
    )
    pems = [it.public_bytes(Encoding.PEM).decode() for it in (own, root)]
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Identity("".join(pems), private.decode(), pems[1])


def _certificate(name: str, key: Any, issuer: str) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(_name(name))
        .issuer_name(_name(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
    )


def _name(name: str) -> x509.Name:
    parts = {NameOID.ORGANIZATION_NAME: "Example", NameOID.COMMON_NAME: name}
    return x509.Name([x509.NameAttribute(*part) for part in parts.items()])


def _usage(**used: bool) -> x509.KeyUsage:
    unused = dict.fromkeys(
        (
            *("digital_signature", "content_commitment", "key_encipherment", "data_encipherment"),
            *("key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only"),
        ),
        False,
    )
    return x509.KeyUsage(**unused | used)
