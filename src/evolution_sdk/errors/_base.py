"""The root of all errors, and the errors without an answer of the server."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk._base.redact import mask_phone
from evolution_sdk._base.restore import restore


class EvolutionError(Exception):
    """Root of all errors that the SDK raises deliberately.

    Attributes:
        phase: Progress of the call when it failed; see :class:`Phase`.
        transient: Whether the cause is of a kind that passes.
        effect: Effect of the operation, once known; see :class:`Effect`.
        operation: Key of the operation, such as ``message.send_text``; empty outside of a call.
        instance: The instance the call was for, or None.
        message_id: The id that the client gave the message of a send, where the server may have
            made it the message's own; None for other calls.
        attempts: Number of attempts; 0 until the retry service has seen the error.
        stopped_because: Reason in one word why the retry service stopped, or None.
    """

    phase: Phase = Phase.NOT_SENT
    transient: bool = False
    effect: Effect | None = None
    operation: str = ""
    instance: str | None = None
    message_id: str | None = None
    attempts: int = 0
    stopped_because: str | None = None
    _text_is_ours: ClassVar[bool] = False
    """True if its text cannot hold a person's number: its digits are limits and examples."""

    @property
    def retryable(self) -> bool:
        """Tell whether repeating the same call may help and can do no harm."""
        if not self.transient:
            return False
        # A call that may have reached the server is repeated only if doing it twice is harmless.
        return self.phase is Phase.NOT_SENT or self.effect in (Effect.READ, Effect.IDEMPOTENT)

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy must not share the list of notes, which add_note() extends.
        state = {k: list(v) if k == "__notes__" else v for k, v in self.__dict__.items()}
        return (restore, (type(self), self.args, state))

    def __str__(self) -> str:
        # The text may quote the server, which repeats phone numbers.
        text = super().__str__()
        return text if self._text_is_ours else mask_phone(text)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class ConfigurationError(EvolutionError):
    """A setting is missing or wrong.

    Attributes:
        variable: Name of the environment variable or argument.
    """

    _text_is_ours = True

    def __init__(self, message: str, *, variable: str | None = None) -> None:
        super().__init__(message)
        self.variable = variable


class RequestValidationError(EvolutionError):
    """The SDK rejected the request before anything was sent.

    Attributes:
        field: The wrong argument, by the name the caller used.
        rule: The rule that it breaks.
    """

    _text_is_ours = True

    def __init__(self, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.field = field
        self.rule = rule


class ClientClosedError(EvolutionError):
    """The client was used after it had been closed; create a new one."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or "This client is closed. Create a new one, or keep it open.")


class CircuitOpenError(EvolutionError):
    """The call was not tried, because the server or the instance has been failing.

    Attributes:
        scope: The part that failed: ``server`` or ``instance``.
        retry_after_ms: Time until an attempt is let through again, in milliseconds.
    """

    transient = True

    def __init__(self, scope: str, instance: str | None = None, retry_after_ms: float = 0) -> None:
        who = "the server" if scope == "server" else f"the connection of {instance!r}"
        super().__init__(f"Not tried: {who} has failed. Check it; retry in {retry_after_ms:.0f} ms")
        self.scope = scope
        self.instance = instance
        self.retry_after_ms = retry_after_ms


class SendLimitError(EvolutionError):
    """Nothing was sent, because the wait for a rate limit of the settings would be too long.

    Attributes:
        limit: The setting, such as ``daily_cap`` or ``quiet_hours``; ``pause`` after a
            ``RateLimitError``.
        resets_in_ms: Time until the limit lets the next send through, in milliseconds.
    """

    def __init__(self, limit: str, resets_in_ms: float = 0) -> None:
        what = "these are quiet_hours" if limit == "quiet_hours" else f"{limit} is reached"
        remedy = "change them" if limit == "quiet_hours" else "raise it"
        super().__init__(f"Not sent: {what}. Send in {resets_in_ms:.0f} ms or {remedy}")
        self.limit = limit
        self.resets_in_ms = resets_in_ms


class NewContactsPausedError(EvolutionError):
    """Nothing was sent: first messages to new chats are paused after WhatsApp refused several.

    Chats that the client knows are not affected. See ``on_refused`` of the rate limits.

    Attributes:
        until: End of the pause, as an aware datetime.
        refusals: Refused messages that brought it about.
        retry_after_ms: Time until then, in milliseconds.
    """

    _text_is_ours = True

    def __init__(self, until: datetime, refusals: int, retry_after_ms: float = 0) -> None:
        super().__init__(
            f"Not sent: WhatsApp refused {refusals} messages, so that new chats wait until "
            f"{until.isoformat(timespec='seconds')}. Do not write to strangers meanwhile; known "
            "chats go on. Is this chat known? Tell it with known_contacts."
        )
        self.until = until
        self.refusals = refusals
        self.retry_after_ms = retry_after_ms


class BulkheadFullError(EvolutionError):
    """Nothing was sent, because too many calls are in flight.

    Attributes:
        limit: The setting that was reached.
    """

    def __init__(self, limit: str) -> None:
        super().__init__(f"Not tried: {limit} is reached. Make fewer calls at once, or raise it.")
        self.limit = limit


class UnsupportedByServerError(EvolutionError):
    """The server's version lacks the operation, the event or the field; nothing was done.

    Attributes:
        operation: Key of the operation, such as ``message.send_carousel``.
        needs: First version that has it, such as ``2.4``.
        version: Version of the server, such as ``2.3.7``; None when it could not be read.
    """

    _text_is_ours = True

    def __init__(
        self, operation: str, needs: str, version: str | None = None, what: str | None = None
    ) -> None:
        this = "this one did not tell its version" if version is None else f"this one is {version}"
        super().__init__(
            f"{what or operation} needs server {needs}; {this}. Nothing was done. Upgrade the "
            "server, or ask client.supports(…) first"
        )
        self.operation = operation
        self.needs = needs
        self.version = version


class WaitTimeoutError(EvolutionError):
    """A ``wait_*`` helper ran out of time. Waiting sends nothing, so nothing is lost.

    Attributes:
        last_status: The last known status, if the helper waited for one.
    """

    phase = Phase.ANSWERED
    transient = True
    last_status: str | None = None


class ArchiveError(EvolutionError):
    """The archive cannot be read: its file is damaged, locked or too new, or its database is gone.

    Attributes:
        kind: The sort of trouble: ``unavailable``, ``busy``, ``full``, ``corrupt``, ``rights``,
            ``schema`` or ``other``.
        remedy: Recommended action.
    """

    def __init__(self, message: str, *, kind: str = "other", remedy: str = "") -> None:
        super().__init__(message)
        self.kind: str = kind
        self.remedy: str = remedy


class OutboxStoreError(EvolutionError):
    """The outbox's database could not do what was asked; nothing was taken over.

    Attributes:
        key: Key of the message that was handed over, so that it can be handed over again under the
            same one: should it be there after all, the first row is returned. None for other calls.
        kind: Sort of trouble: ``unavailable``, ``busy``, ``full``, ``corrupt``, ``rights``,
            ``schema``, ``data`` or ``other``.
    """

    _text_is_ours = True

    def __init__(self, text: str, *, kind: str = "other", key: str | None = None) -> None:
        again = f" Hand it over again with key={key!r}." if key is not None else ""
        super().__init__(f"The outbox's database cannot be used: {text}{again}")
        self.kind = kind
        self.key = key
        self.transient: bool = kind in ("unavailable", "busy", "full")


class OutboxConflictError(EvolutionError):
    """The key belongs to another message already; nothing was written.

    Attributes:
        key: The key.
        differs: Parts in which the two differ, such as ``text``; never their values.
    """

    _text_is_ours = True

    def __init__(self, key: str, differs: tuple[str, ...] = ()) -> None:
        parts = f" ({', '.join(differs)})" if differs else ""
        super().__init__(
            f"Not taken over: the key {key!r} belongs to another message already, which differs"
            f"{parts}. Give each message a key of its own."
        )
        self.key = key
        self.differs = differs


class OutboxEndedError(EvolutionError):
    """A message of the outbox that was waited for has ended before it got that far.

    Attributes:
        key: Its key.
        state: The state in which it ended, such as ``failed`` or ``unknown``.
        reason: The reason, in words.
    """

    def __init__(self, key: str, state: str, reason: str = "") -> None:
        why = f": {reason}" if reason else ""
        super().__init__(f"The message {key!r} has ended as {state}{why}.")
        self.key = key
        self.state = state
        self.reason = reason


class RecipientOptedOutError(EvolutionError):
    """The recipient asked not to be written to; nothing was taken over.

    Attributes:
        since: The time of the opt-out, aware.
    """

    _text_is_ours = True

    def __init__(self, since: datetime) -> None:
        super().__init__(
            f"Not taken over: the recipient opted out on {since.date().isoformat()}. Write again "
            "only after they asked for it: outbox.opt_in(number)."
        )
        self.since = since


class DeliveryFailedError(EvolutionError):
    """A message was accepted, but WhatsApp later reported that it failed."""

    phase = Phase.ANSWERED


class DeliveryRefusedError(DeliveryFailedError):
    """WhatsApp refused a message after the server had accepted it (201, then status ERROR).

    It will not arrive. Do not simply send it again: with some reasons each repetition makes it
    worse. ``message_id`` is the id of the message.

    Attributes:
        code: WhatsApp's code, such as 463; None where the server does not tell it.
        meaning: The reason in words: what the code stands for, or else the likely reason.
        advice: Recommended action.
        reason_is_told: True if ``code`` was told; False if ``meaning`` is a guess, or tells that
            nothing is known.
    """

    def __init__(
        self,
        message_id: str,
        *,
        code: int | None = None,
        meaning: str = "no reason was told",
        advice: str = "",
        reason_is_told: bool = False,
    ) -> None:
        told = "" if code is None else f" (code {code})"
        super().__init__(
            f"WhatsApp refused message {message_id}{told}: {meaning}. It was accepted by the "
            f"server before, but will not arrive. {advice}".rstrip()
        )
        self.message_id: str | None = message_id
        self.code = code
        self.meaning = meaning
        self.advice = advice
        self.reason_is_told = reason_is_told


class TransportError(EvolutionError):
    """No answer arrived. ``phase`` tells whether the server may have acted on the request."""

    transient = True

    def __init__(self, message: str, *, phase: Phase = Phase.UNKNOWN) -> None:
        super().__init__(message)
        self.phase = phase


class ConnectionFailedError(TransportError):
    """The connection was refused, could not be opened, or broke."""


class EvolutionTimeoutError(TransportError):
    """No answer arrived in time. The server keeps working after the client has gone."""


class SendOutcomeUnknownError(EvolutionError):
    """A send may or may not have happened, and no look-up could settle it.

    Look for the message before sending again: the server does not protect against duplicates.
    ``__cause__`` is the original failure.

    Attributes:
        operation: Key of the operation, such as ``message.send_text``.
        instance: The instance it was sent through.
        message_id: The id that the client gave the message, by which it can be looked for where the
            server takes such an id (2.4); None where no id was given.
        checked: Description of the search for the message.
        told: Text received instead of an answer, from the server or a proxy, or the failure.
    """

    phase = Phase.UNKNOWN

    def __init__(self, operation: str, instance: str | None, checked: str, told: str = "") -> None:
        came = f" (received: {told.rstrip('.')})" if told else ""
        super().__init__(
            f"{operation}: it is not known whether it happened{came}. Looked for: {checked}. "
            "Check before doing it again."
        )
        self.operation = operation
        self.instance = instance
        self.checked = checked
        self.told = told


class UnexpectedResponseError(EvolutionError):
    """The answer does not come from the Evolution API.

    Attributes:
        status: HTTP status of the answer.
        operation: Key of the operation.
        raw: The body as received.
    """

    phase = Phase.UNKNOWN

    def __init__(self, status: int, operation: str, raw: Any, hint: str) -> None:
        body = "is not JSON" if isinstance(raw, str) else "the Evolution API does not write"
        super().__init__(f"{operation}: HTTP {status} with a body that {body}. {hint}")
        self.status = status
        self.operation = operation
        self.raw = raw


class ResponseTooLargeError(UnexpectedResponseError):
    """The answer was larger than allowed and was not read to the end.

    It is never raised for a completed send, and never causes a send to be repeated.

    Attributes:
        limit_bytes: The limit, in bytes.
    """

    def __init__(self, status: int, operation: str, limit_bytes: int) -> None:
        super().__init__(status, operation, None, "")
        text = (
            f"{operation}: HTTP {status} with a body above {limit_bytes} bytes, which was not read "
            "to the end. Ask for less at once, or raise EVOLUTION_MAX_RESPONSE_BYTES."
        )
        # Replaces the parent's text, which is about a body that is not JSON.
        Exception.__init__(self, text)
        self.limit_bytes = limit_bytes
