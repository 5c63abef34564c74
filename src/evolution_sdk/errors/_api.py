"""Errors that the server answered with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from evolution_sdk._base.effect import Phase
from evolution_sdk._base.redact import headline, mask_phone

from ._base import EvolutionError

Concerns: TypeAlias = Literal["call", "instance", "server"]
"""The scope of a failure: a single call (message, file, group, number), an instance, the server."""


_MAX_TOLD = 350
"""Length at which the texts of one answer are cut: some list every allowed value, many times."""


_INTEGRATIONS = {
    "baileys": "WHATSAPP-BAILEYS",
    "business": "WHATSAPP-BUSINESS",
    "evolution": "EVOLUTION",
}


class EvolutionAPIError(EvolutionError):
    """The server answered with an error.

    Attributes:
        status: HTTP status.
        messages: The texts of the server's error, in order, without its nesting.
        operation: Key of the operation, such as ``message.send_text``.
        instance: The instance the call was for, or None.
        raw: The decoded body.
        advice: Recommended action; empty if the server's text says enough.
        concerns: Scope of the failure. ``call`` says nothing about other calls, so neither a
            circuit breaker nor the monitor counts it.
        by_server: Whether the Evolution server itself wrote the answer. A proxy may have given up
            while the server still works.
        shown: The part of ``messages`` that ``str`` shows, without content of the request that they
            repeat. None if they repeat none.
    """

    phase = Phase.ANSWERED
    advice: str = ""
    concerns: Concerns = "call"
    by_server: bool = True
    shown: tuple[str, ...] | None = None

    def __init__(
        self,
        status: int,
        messages: Sequence[str] = (),
        operation: str = "",
        instance: str | None = None,
        raw: Any = None,
        **details: Any,
    ) -> None:
        super().__init__()
        self.status = status
        self.messages: tuple[str, ...] = tuple(messages)
        self.operation = operation
        self.instance = instance
        self.raw = raw
        # A misspelt detail would otherwise be stored unnoticed.
        for name, value in details.items():
            if name not in type(self).__annotations__:
                raise TypeError(f"{type(self).__name__} has no detail {name!r}")
            setattr(self, name, value)

    def __str__(self) -> str:
        texts = self.messages if self.shown is None else self.shown
        told = "; ".join(filter(None, map(headline, texts))) or "no detail given"
        # The server's text may repeat phone numbers.
        shown = mask_phone(told)
        if len(shown) > _MAX_TOLD:
            shown = f"{shown[:_MAX_TOLD]}… (all of it is in .messages)"
        where = f" [{self.operation}]" if self.operation else ""
        text = f"HTTP {self.status}{where}: {shown.rstrip('.')}"
        return f"{text}. {self.advice}" if self.advice else text


class BadRequestError(EvolutionAPIError):
    """The server rejected the request, and will reject it again."""


class ServerVersionError(BadRequestError):
    """The server demands the bodies of version 1; nothing was done."""

    advice = (
        "The server looks like version 1, and this SDK supports version 2: see "
        "client.server.info().version, and upgrade the server"
    )


class AuthenticationError(EvolutionAPIError):
    """401: the key is missing, wrong, or belongs to another instance.

    Attributes:
        key_source: Origin of the rejected key, the name of a variable or an argument; None if no
            key was sent.
    """

    advice: str = "Check EVOLUTION_API_KEY: the global key, or the token of this very instance"
    key_source: str | None = None

    def name_key(self, source: str | None, *, needs_global: bool) -> None:
        """Set the advice to the origin of the rejected key and the kind of key needed.

        Args:
            source: Name of the variable or argument; None if no key was sent.
            needs_global: Whether the route accepts only the server's global key.
        """
        self.key_source = source
        if source is not None:
            wanted = "the server's global key (its AUTHENTICATION_API_KEY)"
            if not needs_global:
                wanted += ", or the token of this very instance"
            self.advice = f"The refused key came from {source}: it must be {wanted}"


class PermissionDeniedError(EvolutionAPIError):
    """403: the server does not allow this."""


class NotFoundError(EvolutionAPIError):
    """404: the requested thing does not exist."""


class InstanceNotFoundError(NotFoundError):
    """The instance does not exist, or is not loaded yet after a server restart."""

    advice = "Check the name (it is case-sensitive) or create the instance"


class RouteNotFoundError(NotFoundError):
    """The server has no such route: wrong base URL, or another server version."""

    advice = "Check EVOLUTION_API_URL and the server's version (this SDK supports v2)"


class InstanceAlreadyExistsError(EvolutionAPIError):
    """The instance name is taken, or its deletion has not finished yet."""

    advice = "Choose another name, or wait until its deletion has finished"


class RecipientNotFoundError(EvolutionAPIError):
    """The number is not on WhatsApp.

    Attributes:
        number: The number as it was sent.
        jid: The JID that the server made of it.
    """

    advice = "Nothing was sent"

    number: str = ""
    jid: str = ""


class InstanceNotConnectedError(EvolutionAPIError):
    """The instance has no working WhatsApp session, even if its state is ``open``."""

    transient = True
    advice = "Connect the instance (QR or pairing code), or wait until it has reconnected"
    concerns: Concerns = "instance"


class RateLimitError(EvolutionAPIError):
    """Too many requests, reported by a proxy (429) or by WhatsApp (``rate-overlimit``).

    Attributes:
        retry_after_ms: Time to wait, in milliseconds, or None if the answer gave none.
    """

    phase = Phase.NOT_SENT
    transient = True
    advice = "Slow down: WhatsApp bans numbers that send too fast"
    concerns: Concerns = "instance"

    retry_after_ms: int | None = None


class PayloadTooLargeError(EvolutionAPIError):
    """413: the body exceeds the server's 136 MB for JSON, or a proxy's limit."""

    advice = "Send the file by URL or as multipart, or raise the limit of the proxy"


class ChannelNotSupportedError(EvolutionAPIError):
    """The channel of the instance (Baileys, Business, Evolution) does not support the call."""

    advice = "Use an instance of another channel; the method's page names those that can do it"

    def name_channels(self, channels: Sequence[str]) -> None:
        """Set the advice to the channels that support the call.

        Args:
            channels: Their names, ``baileys``, ``business`` or ``evolution``.
        """
        names = (_INTEGRATIONS.get(channel, channel) for channel in channels)
        self.advice = f"Use an instance whose integration is {' or '.join(names)}"


class FeatureDisabledError(EvolutionAPIError):
    """The feature is switched off on the server."""

    advice = "Enable it in the server's environment"


class MetaAPIError(EvolutionAPIError):
    """Meta refused a call of a WHATSAPP-BUSINESS instance; nothing was sent.

    Attributes:
        code: Meta's error code.
        type: Meta's error type, such as ``OAuthException``.
        fbtrace_id: Meta's trace id, to quote to Meta's support.
    """

    code: int | str | None = None
    type: str | None = None
    fbtrace_id: str | None = None


class LicenseRequiredError(EvolutionAPIError):
    """The server (2.4 or newer) is not activated and rejects every call; nothing was done.

    Attributes:
        register_url: URL for the activation, as given by the server. It is built from the
            request's own host: show it to a person, and never open it automatically.
        instance_id: The id of this installation, for the licensor.
        docs_url: URL of the licensor's explanation.
    """

    phase = Phase.NOT_SENT
    concerns: Concerns = "server"

    register_url: str | None = None
    instance_id: str | None = None
    docs_url: str | None = None

    def __str__(self) -> str:
        where = f" [{self.operation}]" if self.operation else ""
        page = headline(self.register_url or "the server's /manager/login")
        return (
            f"HTTP {self.status}{where}: the server is not activated, nothing was done. "
            f"Open {page} to activate it"
        )


class ServerError(EvolutionAPIError):
    """5xx: the server, or a proxy in front of it, failed.

    Attributes:
        retry_after_ms: Time to wait, in milliseconds, or None if the answer gave none.
    """

    # A proxy's 502 or 504 may come after the server has acted (`facts/semantics.md` §7).
    phase = Phase.UNKNOWN
    transient = True
    concerns: Concerns = "server"

    retry_after_ms: int | None = None
