"""``evolution doctor`` before a server with a certificate: trusted, of nobody, old."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from event_kit import KEY, isolate

from evolution_sdk.cli.doctor import network
from evolution_sdk.config import EvolutionConfig

x509 = pytest.importorskip("cryptography.x509")


@pytest.fixture(autouse=True)
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolate(monkeypatch, tmp_path)


def certificate(path: Path, *, days: int) -> Path:
    """A certificate for 127.0.0.1 by itself, with its key."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    ends = datetime.now(UTC) + timedelta(days=days, hours=1)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(ends - timedelta(days=100))
        .not_valid_after(ends)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return path


@contextmanager
def serving(path: Path) -> Iterator[str]:
    """A server that makes one handshake."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def answer() -> None:
            raw, _ = listening.accept()
            try:
                with context.wrap_socket(raw, server_side=True) as secured:
                    secured.recv(1)
            except OSError:
                pass  # a refused certificate ends the handshake
            finally:
                raw.close()

        thread = threading.Thread(target=answer)
        thread.start()
        yield f"https://127.0.0.1:{listening.getsockname()[1]}"
        thread.join()


def config(url: str, verify: object) -> EvolutionConfig:
    return EvolutionConfig(url, KEY, http={"tls_verify": verify})


@pytest.mark.parametrize("days", [60, 3])
def test_a_trusted_certificate_tells_its_end(tmp_path: Path, days: int) -> None:
    path = certificate(tmp_path / "own.pem", days=days)
    with serving(path) as url:
        seen = network.look_at_tls(config(url, str(path)))
    assert seen is not None
    assert seen.problem == ""
    assert seen.expires is not None
    assert (seen.expires - datetime.now(UTC)).days == days


def test_a_certificate_of_nobody(tmp_path: Path) -> None:
    with serving(certificate(tmp_path / "own.pem", days=60)) as url:
        seen = network.look_at_tls(config(url, True))
    assert seen is not None
    assert "self-signed" in seen.problem or "self signed" in seen.problem


def test_a_certificate_that_is_over(tmp_path: Path) -> None:
    path = certificate(tmp_path / "own.pem", days=-2)
    with serving(path) as url:
        seen = network.look_at_tls(config(url, str(path)))
    assert seen is not None
    assert "expired" in seen.problem


def test_where_no_handshake_is_made() -> None:
    assert network.look_at_tls(EvolutionConfig("http://127.0.0.1:1", KEY)) is None
    assert network.look_at_tls(EvolutionConfig("https://127.0.0.1:1", KEY)) is None
    unverified = network.look_at_tls(config("https://127.0.0.1:1", False))
    assert unverified is not None
    assert not unverified.verified
    proxied = EvolutionConfig("https://127.0.0.1:1", KEY, http={"proxy": "http://127.0.0.1:1"})
    seen = network.look_at_tls(proxied)
    assert seen is not None
    assert seen.proxied
