"""Judging the server: version, licence, key, clock, its own URL. No I/O."""

from __future__ import annotations

from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from evolution_sdk._cli.language import t
from evolution_sdk.operations.server_version import NEWEST, SUPPORTED, ServerVersion

from .address_findings import is_local
from .findings import Finding

__all__ = ["KeyKind", "LicenceState", "clock", "key", "licence", "server_url", "version"]

KeyKind: TypeAlias = Literal["global", "instance", "wrong", "unknown"]
"""Reach of a key: everything, one instance, nothing, or not known."""

LicenceState: TypeAlias = Literal["active", "inactive", "not needed", "unknown"]
"""State of a server's licence."""

_CLOCK_OK_S: Final = 10.0


def version(told: str) -> Finding:
    """Judge the version of the server.

    Args:
        told: As the server writes it; empty where it does not tell.
    """
    read = ServerVersion.parse(told)
    if read is None:
        return Finding(
            "version",
            "warning",
            t(
                f"the version {told[:60]!r} cannot be read",
                f"a versão {told[:60]!r} não pode ser lida",
            ),
            t(
                "say which it is with EVOLUTION_SERVER_VERSION",
                "diga qual é com EVOLUTION_SERVER_VERSION",
            ),
        )
    known = ", ".join(SUPPORTED)
    if read.is_too_old:
        return Finding(
            "version",
            "failed",
            t(f"{read} is too old", f"{read} é antiga demais"),
            t(f"this SDK speaks to {known}; update it", f"este SDK fala com {known}; atualize"),
        )
    if read.is_newer:
        return Finding(
            "version",
            "warning",
            t(
                f"{read} is newer than {NEWEST}, for which this SDK was made",
                f"{read} é mais nova que {NEWEST}, para a qual este SDK foi feito",
            ),
            t("look for a newer evolutionapi-sdk", "procure um evolutionapi-sdk mais novo"),
        )
    return Finding("version", "ok", f"Evolution API {read}")


def licence(state: LicenceState, page: str = "") -> Finding:
    """Judge the licence.

    Args:
        state: Its state.
        page: Where a person activates the server, as the server tells it.
    """
    if state == "inactive":
        where = page or "/manager/login"
        return Finding(
            "licence",
            "failed",
            t(
                "the server is not activated: it refuses every call, and inbound messages",
                "o servidor não está ativado: recusa todas as chamadas e as mensagens recebidas",
            ),
            t(f"activate it at {where}", f"ative-o em {where}"),
        )
    if state == "active":
        return Finding("licence", "ok", t("active", "ativa"))
    if state == "not needed":
        return Finding(
            "licence",
            "ok",
            t("this version needs none", "esta versão não precisa de licença"),
        )
    return Finding("licence", "skipped", t("the server does not tell", "o servidor não informa"))


def key(kind: KeyKind, variable: str = "EVOLUTION_API_KEY") -> Finding:
    """Judge the key.

    Args:
        kind: What it opens.
        variable: Where it came from.
    """
    if kind == "global":
        return Finding("key", "ok", t("the global key", "a chave global"))
    if kind == "instance":
        return Finding(
            "key",
            "ok",
            t(
                "the key of one instance: it cannot create instances, and sees its own only",
                "a chave de uma instância: não cria instâncias e só enxerga a própria",
            ),
        )
    if kind == "wrong":
        return Finding(
            "key",
            "failed",
            t("the server refuses it", "o servidor a recusa"),
            t(
                f"{variable} must be the server's AUTHENTICATION_API_KEY, or an instance's token",
                f"{variable} deve ser a AUTHENTICATION_API_KEY do servidor ou o token de uma "
                "instância",
            ),
        )
    return Finding("key", "skipped", t("it could not be tried", "não foi possível testá-la"))


def clock(off_s: float | None) -> Finding:
    """Judge how far the clocks differ.

    Args:
        off_s: How far the Date of an answer is ahead of this machine's clock, in seconds.
    """
    if off_s is None:
        return Finding("clock", "skipped", t("no answer has a Date", "nenhuma resposta tem Date"))
    far = abs(off_s)
    if far <= _CLOCK_OK_S:
        return Finding("clock", "ok", t(f"{far:.0f} s apart", f"diferença de {far:.0f} s"))
    side = t("ahead of", "adiantada em relação a") if off_s > 0 else t("behind", "atrás de")
    return Finding(
        "clock",
        "warning",
        t(
            f"the Date of the answers is {far:.0f} s {side} this machine's clock; a proxy may have "
            "written it",
            f"a Date das respostas está {far:.0f} s {side} este computador; um proxy pode tê-la "
            "escrito",
        ),
        t(
            "let both machines follow NTP: tokens of webhooks and searches by time depend on it",
            "deixe as duas máquinas seguirem NTP: tokens de webhook e buscas por hora dependem "
            "disso",
        ),
    )


def server_url(told: str, configured: str | None, base_url: str) -> Finding:
    """Judge the server's own ``SERVER_URL``, which it puts into its events.

    Args:
        told: As ``/metrics`` tells it; empty where it does not.
        configured: ``EVOLUTION_SERVER_URL``, which events must name.
        base_url: The address of the server.
    """
    if not told:
        return Finding(
            "server_url",
            "skipped",
            t(
                "the server tells it only in /metrics (PROMETHEUS_METRICS=true) and in its events",
                "o servidor só a informa em /metrics (PROMETHEUS_METRICS=true) e nos eventos",
            ),
        )
    if configured and told.rstrip("/") != configured.rstrip("/"):
        return Finding(
            "server_url",
            "failed",
            t(
                f"the server's SERVER_URL is {told}, EVOLUTION_SERVER_URL is {configured}: all "
                "events are left out",
                f"a SERVER_URL do servidor é {told}, EVOLUTION_SERVER_URL é {configured}: todos os "
                "eventos são ignorados",
            ),
            t("make them equal", "deixe as duas iguais"),
        )
    host = urlsplit(told).hostname or ""
    if is_local(host) and not is_local(urlsplit(base_url).hostname or ""):
        return Finding(
            "server_url",
            "warning",
            t(
                f"SERVER_URL is {told}, which nobody else can reach",
                f"SERVER_URL é {told}, que ninguém mais alcança",
            ),
            t(
                f"set it to the public address in the server's environment, such as {base_url}",
                f"use o endereço público no ambiente do servidor, como {base_url}",
            ),
        )
    return Finding("server_url", "ok", told)
