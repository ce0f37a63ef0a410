"""The age of the certificate that clients are shown."""

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from api.certificate import Certificate
from core import metrics
from core.settings import Settings

NOW = datetime.now(UTC).replace(microsecond=0)
PROXY = b"PROXY UNKNOWN\r\n"


def certify(directory: Path, ends: datetime) -> ssl.SSLContext:
    """A server's side with a leaf of a parent that nobody knows, which asks clients for theirs."""
    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in ("parent", "leaf")
    ]
    leaf = (
        x509.CertificateBuilder()
        .subject_name(names[1])
        .issuer_name(names[0])
        .public_key(keys[1].public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - timedelta(days=100))
        .not_valid_after(ends)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("images.example.com")]), False)
        .sign(keys[0], hashes.SHA256())
    )
    file = directory / "tls.pem"
    file.write_bytes(
        leaf.public_bytes(serialization.Encoding.PEM)
        + keys[1].private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    # As Cloudflare's is asked: the server refuses whoever has none once it has shown its own.
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_default_certs()
    return context


@contextlib.asynccontextmanager
async def showing(context: ssl.SSLContext, *, proxied: bool) -> AsyncIterator[str]:
    """A server that takes PROXY headers, or refuses them."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            if proxied:
                assert await reader.readexactly(len(PROXY)) == PROXY
            await writer.start_tls(context)
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def shown() -> float:
    (family,) = metrics.CERTIFICATE_ENDS.collect()
    return family.samples[0].value


@pytest.mark.parametrize("proxied", [False, True])
async def test_its_end_is_told(tmp_path: Path, proxied: bool) -> None:
    ends = NOW + timedelta(days=17)
    async with showing(certify(tmp_path, ends), proxied=proxied) as server:
        settings = Settings(
            certificate_server=server,
            certificate_proxied=proxied,
            public_url="https://images.example.com",
        )
        await Certificate(settings).look()
    assert shown() == ends.timestamp()


async def test_one_that_has_ended_is_told_as_such(tmp_path: Path) -> None:
    async with showing(certify(tmp_path, NOW - timedelta(days=1)), proxied=False) as server:
        await Certificate(Settings(certificate_server=server)).look()
    assert 0 < shown() < NOW.timestamp()


async def test_a_server_that_is_away_changes_nothing_and_is_left_alone_for_a_while(
    tmp_path: Path,
) -> None:
    metrics.CERTIFICATE_ENDS.set(5)
    ends = NOW + timedelta(days=3)
    async with showing(certify(tmp_path, ends), proxied=False) as server:
        pass
    certificate = Certificate(Settings(certificate_server=server))
    await certificate.look()
    assert shown() == 5
    async with showing(certify(tmp_path, ends), proxied=False) as server:
        certificate._at = ("127.0.0.1", int(server.rpartition(":")[2]))
        await certificate.look()
        assert shown() == 5
        certificate._due = 0
        await certificate.look()
        assert shown() == ends.timestamp()
