"""Judging instances. No I/O."""

from __future__ import annotations

from dataclasses import dataclass

from evolution_sdk._cli.frame import program
from evolution_sdk._cli.language import t

from .findings import Finding

__all__ = ["InstanceSeen", "instance", "qr", "store"]


@dataclass(frozen=True, slots=True)
class InstanceSeen:
    """Observations of an instance.

    Attributes:
        name: Its name.
        state: Its state; None while it is not loaded.
        problem: Why the state is not known; empty if it is.
        dead: True if its socket is dead although it says open; None where that was not tried.
        has_phone: True if its channel is linked to a phone.
        codes: Number of QR codes that the server has made; None where it was not asked.
        has_code: True if there is one to scan.
        stored: Number of stored messages; None where it was not told.
        web_version: Version of WhatsApp Web that the server tells.
    """

    name: str
    state: str | None = None
    problem: str = ""
    dead: bool | None = None
    has_phone: bool = True
    codes: int | None = None
    has_code: bool = False
    stored: int | None = None
    web_version: str = ""


def instance(seen: InstanceSeen) -> Finding:
    """Judge the state of an instance.

    Args:
        seen: What was seen of it.
    """
    name = seen.name
    if seen.problem:
        return Finding("instance", "failed", seen.problem, about=name)
    if seen.state is None:
        return Finding(
            "instance",
            "warning",
            t(
                "it is not loaded, as right after a start of the server",
                "não está carregada, como logo após iniciar o servidor",
            ),
            t("ask again in a minute", "tente de novo em um minuto"),
            name,
        )
    if seen.state == "open" and seen.dead:
        return Finding(
            "instance",
            "failed",
            t(
                "it says open, but its socket is dead: nothing is sent",
                "diz open, mas o socket está morto: nada é enviado",
            ),
            t("instances.restart connects it anew", "instances.restart conecta de novo"),
            name,
        )
    if seen.state == "open":
        words = t("open, and its socket works", "open, e o socket funciona")
        return Finding("instance", "ok", "open" if seen.dead is None else words, about=name)
    if seen.state == "connecting":
        return Finding(
            "instance",
            "warning",
            t("connecting: no phone is linked yet", "connecting: nenhum telefone conectado ainda"),
            t(
                f"scan its QR code: {program()} connect {name}",
                f"leia o QR code: {program()} connect {name}",
            ),
            name,
        )
    return Finding(
        "instance",
        "failed",
        t(f"{seen.state}: it sends and receives nothing", f"{seen.state}: não envia nem recebe"),
        t(f"link it: {program()} connect {name}", f"conecte: {program()} connect {name}"),
        name,
    )


def qr(seen: InstanceSeen) -> Finding | None:
    """Judge why there is no QR code; None where that is no question.

    Args:
        seen: What was seen of the instance.
    """
    if seen.codes is None:
        return None
    if seen.has_code:
        return Finding("qr", "ok", t("there is a code to scan", "há um código para ler"),
                       about=seen.name)  # fmt: skip
    if seen.codes:
        return Finding(
            "qr",
            "warning",
            t(
                f"the server made {seen.codes} codes and has none now",
                f"o servidor fez {seen.codes} códigos e não tem nenhum agora",
            ),
            t(f"begin anew: {program()} connect {seen.name}",
              f"comece de novo: {program()} connect {seen.name}"),
            seen.name,
        )  # fmt: skip
    told = seen.web_version
    hint = t(
        f"CONFIG_SESSION_PHONE_VERSION={told}, the version that the server finds now",
        f"CONFIG_SESSION_PHONE_VERSION={told}, a versão que o servidor encontra agora",
    )
    plain = t(
        "CONFIG_SESSION_PHONE_VERSION to one that WhatsApp Web has now",
        "CONFIG_SESSION_PHONE_VERSION para uma que o WhatsApp Web tem agora",
    )
    return Finding(
        "qr",
        "failed",
        t(
            'no QR code ({"count": 0}): the server gets none from WhatsApp',
            'sem QR code ({"count": 0}): o servidor não recebe nenhum do WhatsApp',
        ),
        t(
            f"set {hint if told else plain} in the server's environment and restart it; if it "
            "stays, look if it reaches the internet (its log, its proxy)",
            f"defina {hint if told else plain} no ambiente do servidor e reinicie; se continuar, "
            "veja se ele alcança a internet (log, proxy)",
        ),
        seen.name,
    )


def store(seen: InstanceSeen) -> Finding:
    """Judge if the server stores messages, by which a lost answer of a send is found again.

    Args:
        seen: What was seen of the instance.
    """
    if seen.stored is None:
        words = t("the server does not tell", "o servidor não informa")
        return Finding("store", "skipped", words, about=seen.name)
    if seen.stored:
        words = t(f"{seen.stored} messages are stored", f"{seen.stored} mensagens guardadas")
        return Finding("store", "ok", words, about=seen.name)
    if seen.state != "open":
        words = t("no message is stored yet", "nenhuma mensagem guardada ainda")
        return Finding("store", "skipped", words, about=seen.name)
    return Finding(
        "store",
        "warning",
        t(
            "no message is stored: the instance is new, or the server stores none",
            "nenhuma mensagem guardada: a instância é nova ou o servidor não guarda",
        ),
        t(
            "if it has sent or received any, set DATABASE_SAVE_DATA_NEW_MESSAGE=true on the "
            "server: sends whose answer is lost are found there",
            "se ela já enviou ou recebeu, use DATABASE_SAVE_DATA_NEW_MESSAGE=true no servidor: é "
            "ali que se acham envios cuja resposta se perdeu",
        ),
        seen.name,
    )
