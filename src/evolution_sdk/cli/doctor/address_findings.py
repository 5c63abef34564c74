"""Judging the server's address: URL, TLS, and what answers there. No I/O."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit

from evolution_sdk._cli.language import t

from .findings import Finding

__all__ = ["ReachSeen", "TlsSeen", "is_local", "is_private", "reach", "tls", "url"]

_EXPIRES_SOON_DAYS: Final = 21
_PRIVATE_ENDS: Final = (".local", ".localhost", ".internal", ".lan", ".home.arpa", ".test")


def is_local(host: str) -> bool:
    """Tell if a host name means the machine itself.

    Args:
        host: The name or address.
    """
    if host in ("localhost", "0.0.0.0") or host.endswith(".localhost"):  # noqa: S104 - compared
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_private(host: str) -> bool:
    """Tell if a host is surely not on the internet: by its address, or by its name.

    Args:
        host: The name or address.
    """
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        # Names without a dot are those of containers and of a local network.
        return is_local(host) or "." not in host or host.endswith(_PRIVATE_ENDS)


def url(base_url: str) -> Finding:
    """Judge the address of the server.

    Args:
        base_url: The address as configured.
    """
    parts = urlsplit(base_url)
    if parts.scheme == "http" and not is_private(parts.hostname or ""):
        return Finding(
            "url",
            "warning",
            t(
                f"{base_url} is not encrypted: the key and all messages are readable on the way",
                f"{base_url} não é criptografada: a chave e as mensagens são legíveis no caminho",
            ),
            t(
                "put a proxy with TLS before the server and use https://",
                "ponha um proxy com TLS na frente do servidor e use https://",
            ),
        )
    if parts.path:
        return Finding(
            "url",
            "warning",
            t(
                f"{base_url} has the path {parts.path}",
                f"{base_url} tem o caminho {parts.path}",
            ),
            t(
                "leave it out, unless a proxy puts the server there",
                "remova-o, a não ser que um proxy coloque o servidor ali",
            ),
        )
    return Finding("url", "ok", base_url)


@dataclass(frozen=True, slots=True)
class TlsSeen:
    """Result of a handshake.

    Attributes:
        problem: Why the certificate was refused, or the handshake failed; empty if it was fine.
        expires: End of the certificate (aware); None where it was not shown.
        verified: False if the settings switch the verification off.
        proxied: True if a proxy stands between, so that no handshake was made.
    """

    problem: str = ""
    expires: datetime | None = None
    verified: bool = True
    proxied: bool = False


def tls(base_url: str, seen: TlsSeen | None, now: datetime) -> Finding:
    """Judge the certificate.

    Args:
        base_url: The address of the server.
        seen: What a handshake showed; None where the server was not reached.
        now: The time (aware).
    """
    if not base_url.startswith("https://"):
        return Finding("tls", "skipped", t("http has no TLS", "http não tem TLS"))
    if seen is None:
        return Finding(
            "tls", "skipped", t("the server was not reached", "o servidor não foi alcançado")
        )
    if seen.proxied:
        return Finding(
            "tls", "skipped", t("a proxy stands between", "há um proxy no meio do caminho")
        )
    if seen.problem:
        return Finding(
            "tls",
            "failed",
            t(
                f"the certificate is refused: {seen.problem}",
                f"o certificado foi recusado: {seen.problem}",
            ),
            t(
                "renew it, or name your own authority with EVOLUTION_TLS_VERIFY=/path/to/ca.pem",
                "renove-o ou indique sua própria autoridade com "
                "EVOLUTION_TLS_VERIFY=/caminho/ca.pem",
            ),
        )
    if not seen.verified:
        return Finding(
            "tls",
            "warning",
            t(
                "certificates are not verified (EVOLUTION_TLS_VERIFY=false): anybody on the way "
                "may pose as the server",
                "os certificados não são verificados (EVOLUTION_TLS_VERIFY=false): qualquer um no "
                "caminho pode se passar pelo servidor",
            ),
            t(
                "give the path of your authority's certificate instead",
                "indique o caminho do certificado da sua autoridade",
            ),
        )
    if seen.expires is None:
        return Finding("tls", "ok", t("the certificate is trusted", "o certificado é confiável"))
    days = (seen.expires - now).days
    until = f"{seen.expires:%Y-%m-%d}"
    words = t(
        f"the certificate is valid until {until} ({days} days)",
        f"o certificado vale até {until} ({days} dias)",
    )
    if days < _EXPIRES_SOON_DAYS:
        return Finding(
            "tls", "warning", words, t("see that it is renewed", "garanta a renovação dele")
        )
    return Finding("tls", "ok", words)


@dataclass(frozen=True, slots=True)
class ReachSeen:
    """Answer to ``GET /``.

    Attributes:
        problem: Why no answer came; empty if one came.
        status: HTTP status of the answer.
        is_server: True if it is the answer of an Evolution API.
        version: The version that it tells.
        web_version: Version of WhatsApp Web that it tells.
        redirect: Where it leads instead, without secrets.
        elapsed_ms: Time until it came, in milliseconds.
        clock_off_s: How far its Date is ahead of this machine's clock, in seconds; None without.
    """

    problem: str = ""
    status: int = 0
    is_server: bool = False
    version: str = ""
    web_version: str = ""
    redirect: str = ""
    elapsed_ms: float = 0.0
    clock_off_s: float | None = None


def reach(base_url: str, seen: ReachSeen) -> Finding:
    """Judge if the server answers.

    Args:
        base_url: The address of the server.
        seen: What ``GET /`` brought.
    """
    if seen.problem:
        return Finding(
            "server",
            "failed",
            t(f"no answer: {seen.problem}", f"sem resposta: {seen.problem}"),
            t(
                f"is it running, and is {base_url} its address as seen from this machine?",
                f"ele está rodando, e {base_url} é o endereço dele visto desta máquina?",
            ),
        )
    if seen.redirect:
        return Finding(
            "server",
            "failed",
            t(f"it redirects to {seen.redirect}", f"ele redireciona para {seen.redirect}"),
            t(
                "set EVOLUTION_API_URL to that address: the key is not sent along a redirect",
                "use esse endereço em EVOLUTION_API_URL: a chave não segue um redirecionamento",
            ),
        )
    if not seen.is_server:
        return Finding(
            "server",
            "failed",
            t(
                f"HTTP {seen.status}, and not from an Evolution API",
                f"HTTP {seen.status}, e não de uma Evolution API",
            ),
            t(
                "another program answers there, or a proxy without the server behind it; look at "
                "host, port and path",
                "outro programa responde ali, ou um proxy sem o servidor; confira host, porta e "
                "caminho",
            ),
        )
    words = t(f"answers after {seen.elapsed_ms:.0f} ms", f"responde em {seen.elapsed_ms:.0f} ms")
    return Finding("server", "ok", words)
