"""Judging the webhooks of instances. No I/O."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from evolution_sdk._cli.language import t
from evolution_sdk.cli.shown_url import shown_url
from evolution_sdk.models.webhook import jwt_key_is_long_enough

from .address_findings import is_local
from .findings import Finding

__all__ = ["WebhookSeen", "jwt", "webhook"]

_REFUSES: Final = frozenset({401, 403, 412})


@dataclass(frozen=True, slots=True)
class WebhookSeen:
    """Observations of a webhook.

    Attributes:
        instance: Its instance.
        problem: Why it is not known; empty if it is.
        url: Its URL; empty where none is set.
        enabled: Whether it is switched on.
        jwt_key: Key of its tokens, or None. Never shown.
        status: Status of the answer to a harmless request from here; None where none was made.
        unreached: Why no answer came; empty if one came.
        signed: Status of the answer to a signed empty POST; None where none was made.
        unsigned: The same without a token.
        wanted: URL that the settings want, or None.
    """

    instance: str
    problem: str = ""
    url: str = ""
    enabled: bool = False
    jwt_key: str | None = None
    status: int | None = None
    unreached: str = ""
    signed: int | None = None
    unsigned: int | None = None
    wanted: str | None = None

    def __repr__(self) -> str:
        return f"WebhookSeen({self.instance!r}, enabled={self.enabled})"


def webhook(seen: WebhookSeen, base_url: str) -> Finding:
    """Judge if the events of an instance arrive somewhere.

    Args:
        seen: What was seen of its webhook.
        base_url: The address of the server.
    """
    name, place = seen.instance, shown_url(seen.url)
    if seen.problem:
        return Finding("webhook", "skipped", seen.problem, about=name)
    if not seen.url or not seen.enabled:
        return Finding(
            "webhook",
            "warning" if seen.wanted else "ok",
            t("none of its own", "nenhum próprio")
            if not seen.url
            else t(f"{place} is switched off", f"{place} está desligado"),
            t("webhook.sync() registers that of the settings",
              "webhook.sync() registra o das configurações") if seen.wanted else "",
            name,
        )  # fmt: skip
    if seen.wanted is not None and seen.wanted != seen.url:
        return Finding(
            "webhook",
            "warning",
            t(
                f"{place} is registered, the settings want {shown_url(seen.wanted)}",
                f"{place} está registrado, as configurações pedem {shown_url(seen.wanted)}",
            ),
            t("webhook.sync() registers it", "webhook.sync() o registra"),
            name,
        )
    if is_local(urlsplit(seen.url).hostname or "") and not is_local(
        urlsplit(base_url).hostname or ""
    ):
        return Finding(
            "webhook",
            "failed",
            t(
                f"{place} is, for the server, the server itself",
                f"{place} é, para o servidor, o próprio servidor",
            ),
            t(
                "register an address of this machine that the server reaches",
                "registre um endereço desta máquina que o servidor alcance",
            ),
            name,
        )
    return _answer(seen, place)


def _answer(seen: WebhookSeen, place: str) -> Finding:
    name, status = seen.instance, seen.status
    if status is None:
        return Finding(
            "webhook",
            "warning",
            t(
                f"{place} does not answer from here ({seen.unreached})",
                f"{place} não responde daqui ({seen.unreached})",
            ),
            t(
                "is the program running? If only the server can reach it, look from there",
                "o programa está rodando? Se só o servidor o alcança, teste de lá",
            ),
            name,
        )
    if status // 100 == 3:
        return Finding(
            "webhook",
            "failed",
            t(
                f"{place} redirects (HTTP {status}): a POST would arrive as a GET",
                f"{place} redireciona (HTTP {status}): um POST chegaria como GET",
            ),
            t("register the address it leads to", "registre o endereço de destino"),
            name,
        )
    if status == 404:
        return Finding(
            "webhook",
            "warning",
            t(
                f"{place} answers 404 to HEAD; the server gives events up on 404",
                f"{place} responde 404 a HEAD; com 404 o servidor desiste do evento",
            ),
            t(
                "look at the path; some programs (n8n) answer so to everything but POST: --post "
                "tries an empty one",
                "confira o caminho; alguns programas (n8n) respondem assim a tudo menos POST: "
                "--post testa um vazio",
            ),
            name,
        )
    if status >= 500:
        return Finding(
            "webhook",
            "failed",
            t(
                f"{place} answers HTTP {status}: the proxy there has no program behind it, or it "
                "fails",
                f"{place} responde HTTP {status}: o proxy não tem programa por trás, ou ele falha",
            ),
            t("start the program, and look at its log", "inicie o programa e veja o log dele"),
            name,
        )
    return Finding(
        "webhook",
        "ok",
        t(f"{place} answers (HTTP {status})", f"{place} responde (HTTP {status})"),
        about=name,
    )


def jwt(seen: WebhookSeen) -> Finding | None:
    """Judge how the receiver knows that events are the server's; None without a webhook.

    Args:
        seen: What was seen of the webhook.
    """
    if seen.problem or not seen.url or not seen.enabled:
        return None
    name, key = seen.instance, seen.jwt_key
    if key is None:
        return Finding(
            "jwt",
            "warning",
            t(
                "the webhook has no jwt_key: whoever knows the URL can post events",
                "o webhook não tem jwt_key: quem conhece a URL pode enviar eventos",
            ),
            t(
                "webhook.sync(jwt_key=…), and WebhookReceiver(jwt_key=…)",
                "webhook.sync(jwt_key=…) e WebhookReceiver(jwt_key=…)",
            ),
            name,
        )
    if not jwt_key_is_long_enough(key):
        return Finding(
            "jwt",
            "warning",
            t(
                "the jwt_key is so short that it can be guessed",
                "a jwt_key é tão curta que pode ser adivinhada",
            ),
            t("take one of 16 bytes or more", "use uma de 16 bytes ou mais"),
            name,
        )
    if seen.signed is None or seen.unsigned is None:
        return Finding(
            "jwt",
            "ok",
            t(
                "the server signs with a jwt_key; --post tries if the receiver looks at it",
                "o servidor assina com uma jwt_key; --post testa se o receptor confere",
            ),
            about=name,
        )
    if seen.signed in _REFUSES:
        return Finding(
            "jwt",
            "failed",
            t(
                f"the receiver refuses what the server signs (HTTP {seen.signed})",
                f"o receptor recusa o que o servidor assina (HTTP {seen.signed})",
            ),
            t(
                "its jwt_key is another one, or its clock is wrong",
                "a jwt_key dele é outra ou o relógio está errado",
            ),
            name,
        )
    if seen.unsigned not in _REFUSES:
        return Finding(
            "jwt",
            "warning",
            t(
                f"the receiver takes posts without a token (HTTP {seen.unsigned})",
                f"o receptor aceita envios sem token (HTTP {seen.unsigned})",
            ),
            t("give it the key: WebhookReceiver(jwt_key=…)",
              "dê a chave a ele: WebhookReceiver(jwt_key=…)"),
            name,
        )  # fmt: skip
    return Finding(
        "jwt",
        "ok",
        t(
            f"the receiver takes signed posts only (HTTP {seen.unsigned} without a token)",
            f"o receptor só aceita envios assinados (HTTP {seen.unsigned} sem token)",
        ),
        about=name,
    )
