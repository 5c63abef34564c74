"""Every exception of the SDK.

::

    EvolutionError
    ├── ArchiveError                  the local backup cannot be read
    ├── ConfigurationError            a setting is missing or wrong
    ├── RequestValidationError        refused here, before sending: names the field and the rule
    ├── ClientClosedError             the client was used after close()
    ├── CircuitOpenError              not tried: the server has been failing
    ├── WaitTimeoutError              a wait_* helper ran out of time
    ├── DeliveryFailedError           accepted, but WhatsApp reported a failure later
    ├── TransportError                no answer arrived
    │   ├── ConnectionFailedError     refused, unreachable, or cut off
    │   └── EvolutionTimeoutError     no answer in time
    ├── SendOutcomeUnknownError       a send may or may not have happened
    ├── UnexpectedResponseError       something answered, but not the Evolution API
    └── EvolutionAPIError             the server answered with an error
        ├── BadRequestError               400, and anything the server will refuse again
        │   └── ServerVersionError        it wants the bodies of version 1
        ├── AuthenticationError           401
        ├── PermissionDeniedError         403
        ├── NotFoundError                 404 about anything but the two below
        │   ├── InstanceNotFoundError
        │   └── RouteNotFoundError        wrong URL or server version
        ├── InstanceAlreadyExistsError
        ├── RecipientNotFoundError        the number is not on WhatsApp
        ├── InstanceNotConnectedError     the instance has no working WhatsApp session
        ├── RateLimitError
        ├── PayloadTooLargeError          413
        ├── ChannelNotSupportedError      this channel cannot do that
        ├── FeatureDisabledError          switched off on the server
        ├── MetaAPIError                  Meta refused (WHATSAPP-BUSINESS)
        └── ServerError                   5xx

Every error pickles and copies, carries ``phase`` and ``retryable``, and never shows a key, a QR
code or a message body in ``str`` or ``repr``. ``raw`` and ``messages`` hold what the server said.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ._core.effect import Effect, Phase
from ._core.redact import headline

__all__ = [
    "ArchiveError",
    "AuthenticationError",
    "BadRequestError",
    "ChannelNotSupportedError",
    "CircuitOpenError",
    "ClientClosedError",
    "ConfigurationError",
    "ConnectionFailedError",
    "DeliveryFailedError",
    "EvolutionAPIError",
    "EvolutionError",
    "EvolutionTimeoutError",
    "FeatureDisabledError",
    "InstanceAlreadyExistsError",
    "InstanceNotConnectedError",
    "InstanceNotFoundError",
    "MetaAPIError",
    "NotFoundError",
    "PayloadTooLargeError",
    "PermissionDeniedError",
    "RateLimitError",
    "RecipientNotFoundError",
    "RequestValidationError",
    "RouteNotFoundError",
    "SendOutcomeUnknownError",
    "ServerError",
    "ServerVersionError",
    "TransportError",
    "UnexpectedResponseError",
    "WaitTimeoutError",
]


def _restore(cls: type[EvolutionError], args: tuple[Any, ...], state: dict[str, Any]) -> Any:
    """Rebuild an error without its constructor, so that any signature pickles."""
    error = cls.__new__(cls)
    error.args = args
    error.__dict__.update(state)
    return error


class EvolutionError(Exception):
    """Root of everything the SDK raises on purpose.

    Attributes:
        phase: How far the call got; see :class:`Phase`.
        transient: Whether the cause is of a kind that passes.
        effect: What the operation does, once known; see :class:`Effect`.
        operation: Key of the operation, such as ``message.send_text``; empty outside of a call.
        instance: The instance the call was for, or None.
        attempts: How many times the call was tried; 0 until the retry service has seen it.
        stopped_because: Why the retry service stopped, in one word, or None.
    """

    phase: Phase = Phase.NOT_SENT
    transient: bool = False
    effect: Effect | None = None
    operation: str = ""
    instance: str | None = None
    attempts: int = 0
    stopped_because: str | None = None

    @property
    def retryable(self) -> bool:
        """Whether repeating the same call may help and cannot do harm."""
        if not self.transient:
            return False
        return self.phase is Phase.NOT_SENT or self.effect in (Effect.READ, Effect.IDEMPOTENT)

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy must not share the list that add_note() extends.
        state = {k: list(v) if k == "__notes__" else v for k, v in self.__dict__.items()}
        return (_restore, (type(self), self.args, state))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class ConfigurationError(EvolutionError):
    """A setting is missing or wrong.

    Attributes:
        variable: Name of the environment variable or argument.
    """

    def __init__(self, message: str, *, variable: str | None = None) -> None:
        super().__init__(message)
        self.variable = variable


class RequestValidationError(EvolutionError):
    """The request was refused here, before anything was sent.

    Attributes:
        field: The argument at fault, as the caller wrote it.
        rule: What the server demands of it.
    """

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class ClientClosedError(EvolutionError):
    """The client was used after it had been closed; make a new one."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or "This client is closed. Create a new one, or keep it open.")


class CircuitOpenError(EvolutionError):
    """The call was not tried, because the server has been failing."""

    transient = True


class WaitTimeoutError(EvolutionError):
    """A ``wait_*`` helper ran out of time; nothing was sent that could be lost."""

    phase = Phase.ANSWERED
    transient = True


class ArchiveError(EvolutionError):
    """The file of the local backup cannot be read: damaged, locked, or of a newer version."""


class DeliveryFailedError(EvolutionError):
    """A message was accepted, and WhatsApp reported later that it failed."""

    phase = Phase.ANSWERED


class TransportError(EvolutionError):
    """No answer arrived. ``phase`` tells whether the request may have been acted upon."""

    transient = True

    def __init__(self, message: str, *, phase: Phase = Phase.UNKNOWN) -> None:
        super().__init__(message)
        self.phase = phase


class ConnectionFailedError(TransportError):
    """The connection was refused, could not be made, or broke."""


class EvolutionTimeoutError(TransportError):
    """No answer in time. The server keeps working after a client has gone."""


class SendOutcomeUnknownError(EvolutionError):
    """A send may or may not have happened, and nothing could settle it.

    Look for the message before sending again: the server has no protection against doubles.
    The failure that caused it is ``__cause__``.

    Attributes:
        operation: Key of the operation, such as ``message.send_text``.
        instance: The instance it was sent through.
        checked: What was looked at to find out, in words.
    """

    phase = Phase.UNKNOWN

    def __init__(self, operation: str, instance: str | None, checked: str) -> None:
        super().__init__(
            f"{operation}: no answer told whether it happened ({checked}). "
            "Check before doing it again."
        )
        self.operation = operation
        self.instance = instance
        self.checked = checked


class UnexpectedResponseError(EvolutionError):
    """Something answered, but not like the Evolution API does.

    Attributes:
        status: HTTP status of the answer.
        operation: Key of the operation.
        raw: The body as received.
    """

    phase = Phase.UNKNOWN

    def __init__(self, status: int, operation: str, raw: Any, hint: str) -> None:
        super().__init__(f"{operation}: HTTP {status} with a body that is not JSON. {hint}")
        self.status = status
        self.operation = operation
        self.raw = raw


class EvolutionAPIError(EvolutionError):
    """The server answered with an error.

    Attributes:
        status: HTTP status.
        messages: The texts of the server's error, in order, without its nesting.
        operation: Key of the operation, such as ``message.send_text``.
        instance: The instance the call was for, or None.
        raw: The decoded body.
        advice: What to do about it; empty when the server's words say enough.
    """

    phase = Phase.ANSWERED
    advice: str = ""

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
        for name, value in details.items():
            if name not in type(self).__annotations__:
                raise TypeError(f"{type(self).__name__} has no detail {name!r}")
            setattr(self, name, value)

    def __str__(self) -> str:
        shown = "; ".join(filter(None, map(headline, self.messages))) or "no detail given"
        where = f" [{self.operation}]" if self.operation else ""
        text = f"HTTP {self.status}{where}: {shown.rstrip('.')}"
        return f"{text}. {self.advice}" if self.advice else text


class BadRequestError(EvolutionAPIError):
    """The server refused the request and will refuse it again."""


class ServerVersionError(BadRequestError):
    """The server demands what only version 1 knows; nothing was done."""

    advice = (
        "The server looks like version 1, this SDK speaks to version 2: see "
        "client.server.info().version, and upgrade the server"
    )


class AuthenticationError(EvolutionAPIError):
    """401: the key is missing, wrong, or belongs to another instance."""

    advice = "Check EVOLUTION_API_KEY: the global key, or the token of this very instance"


class PermissionDeniedError(EvolutionAPIError):
    """403."""


class NotFoundError(EvolutionAPIError):
    """404: the thing asked for does not exist."""


class InstanceNotFoundError(NotFoundError):
    """The instance does not exist, or is not loaded yet after a server restart."""

    advice = "Check the name (it is case-sensitive) or create the instance"


class RouteNotFoundError(NotFoundError):
    """The server has no such route: wrong base URL, or another server version."""

    advice = "Check EVOLUTION_API_URL and the server's version (this SDK speaks to v2)"


class InstanceAlreadyExistsError(EvolutionAPIError):
    """The instance name is taken, or its deletion has not finished yet."""

    advice = "Choose another name, or wait until its deletion has finished"


class RecipientNotFoundError(EvolutionAPIError):
    """The number is not on WhatsApp.

    Attributes:
        number: The number as it was sent.
        jid: What the server made of it.
    """

    advice = "Nothing was sent"

    number: str = ""
    jid: str = ""


class InstanceNotConnectedError(EvolutionAPIError):
    """The instance has no working WhatsApp session (even if its state says open)."""

    transient = True
    advice = "Connect the instance (QR or pairing code), or wait until it has reconnected"


class RateLimitError(EvolutionAPIError):
    """Too many requests, said by a proxy (429) or by WhatsApp (``rate-overlimit``).

    Attributes:
        retry_after_ms: How long to wait, in milliseconds, when the answer said so.
    """

    phase = Phase.NOT_SENT
    transient = True
    advice = "Slow down: WhatsApp bans numbers that do not"

    retry_after_ms: int | None = None


class PayloadTooLargeError(EvolutionAPIError):
    """413: over the server's 136 MB for JSON, or over a proxy's limit."""

    advice = "Send the file by URL or as multipart, or raise the limit of the proxy in front"


class ChannelNotSupportedError(EvolutionAPIError):
    """The instance's channel (Baileys, Business, Evolution) cannot do this."""


class FeatureDisabledError(EvolutionAPIError):
    """The feature is switched off on the server."""

    advice = "Enable it in the server's environment"


class MetaAPIError(EvolutionAPIError):
    """Meta refused the call of a WHATSAPP-BUSINESS instance; nothing was sent.

    Attributes:
        code: Meta's error code.
        type: Meta's error type, such as ``OAuthException``.
        fbtrace_id: Meta's trace id, for its support.
    """

    code: int | str | None = None
    type: str | None = None
    fbtrace_id: str | None = None


class ServerError(EvolutionAPIError):
    """5xx: the server, or a proxy in front of it, failed."""

    phase = Phase.UNKNOWN
    transient = True
