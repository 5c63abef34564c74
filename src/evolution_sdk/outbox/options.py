"""Options of a hand-over: those of the message, and the outbox's own; parted from each other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, TypeAlias, TypedDict, cast, overload

from evolution_sdk._client.compose import ComposeOptions
from evolution_sdk._client.options import SendOptions, check_options
from evolution_sdk._client.references import KeyLike
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid, PhoneNumber

__all__ = ["OutboxComposeOptions", "OutboxSendOptions", "OwnOptions", "WhenUnknown", "split"]

WhenUnknown: TypeAlias = Literal["hold", "resend"]
"""Fate of a message of which neither is proven, that it was sent or that it was not."""

MOST_KEY_LENGTH: Final = 255
MOST_PRIORITY: Final = 32_767
_NOT_HERE: Final = {
    "retry": "the outbox decides when it is tried again",
    "timeout_ms": "the outbox goes by the settings of the client (EVOLUTION_TIMEOUT_…)",
}


class OutboxSendOptions(TypedDict, total=False):
    """Options of a hand-over, for kinds of message that take neither a delay nor mentions.

    Attributes:
        key: Your name for the message, up to 255 characters: handed over again, it is the same
            message. Default: one is made.
        not_before: Time before which it is not sent, aware. Default: at once.
        expires_at: Time after which it is not sent any more, aware. Default: never.
        priority: Between chats, higher ones go first: -32768 to 32767. Default: 0.
        instance: The instance that sends it. Default: the client's.
        metadata: Data of yours that is kept beside it, as JSON. Default: none.
        on_unknown: What becomes of it when neither is proven, that it was sent or that it was not:
            ``hold`` (default: it waits for a person as ``unknown``) or ``resend`` (sent again, at
            the risk of a second one).
        message_id: The id of the message, see :class:`~evolution_sdk.SendOptions`. Default: made
            by the outbox where the server may take one.
    """

    key: str | None
    not_before: datetime | None
    expires_at: datetime | None
    priority: int
    instance: str | None
    metadata: Mapping[str, Any] | None
    on_unknown: WhenUnknown
    message_id: str | None


class OutboxComposeOptions(OutboxSendOptions, total=False):
    """Options of a hand-over, for most kinds of message.

    Attributes:
        delay_ms: Show "typing…" for this long before sending, in milliseconds; the server holds
            its answer meanwhile. Business ignores it. Default: none.
        quoted: The message to answer: a message, its key, or its WhatsApp id. Default: none.
        mentioned: Numbers or JIDs to mention; in groups only. Default: nobody.
        mentions_every_one: Mention the whole group. Default: no.
    """

    delay_ms: int
    quoted: KeyLike | str
    mentioned: Sequence[str | PhoneNumber | Jid]
    mentions_every_one: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnOptions:
    """The outbox's own options of one hand-over; its repr shows no data of the caller's.

    Attributes:
        key: The caller's name for the message; None to make one.
        not_before: Time before which it is not sent; None for at once.
        expires_at: Time after which it is not sent any more; None for never.
        priority: Higher ones go first.
        instance: The instance that sends it; None for the client's.
        metadata: Data that is kept beside it; None for none.
        on_unknown: What becomes of it when neither is proven; None for the outbox's own.
    """

    key: str | None = None
    not_before: datetime | None = None
    expires_at: datetime | None = None
    priority: int = 0
    instance: str | None = None
    metadata: Mapping[str, Any] | None = field(default=None, repr=False)
    on_unknown: WhenUnknown | None = None


_OWN: Final = frozenset(OwnOptions.__dataclass_fields__)
_KNOWN: Final = frozenset(OutboxComposeOptions.__annotations__)


@overload
def split(options: OutboxComposeOptions) -> tuple[OwnOptions, ComposeOptions]: ...


@overload
def split(options: OutboxSendOptions) -> tuple[OwnOptions, SendOptions]: ...


def split(
    options: OutboxComposeOptions | OutboxSendOptions,
) -> tuple[OwnOptions, ComposeOptions | SendOptions]:
    """Part the outbox's own options from those of the message.

    Args:
        options: All of them, as the caller gave them.

    Returns:
        The outbox's own, and the rest, which the kind of message may still refuse.

    Raises:
        TypeError: There is no such option.
        RequestValidationError: A value breaks a rule.
    """
    given = cast("Mapping[str, Any]", options)
    for name, why in _NOT_HERE.items():
        if name in given:
            raise TypeError(f"A hand-over takes no option {name!r}: {why}.")
    check_options(given, _KNOWN, "A hand-over")
    own = OwnOptions(**{name: value for name, value in given.items() if name in _OWN})
    _check(own)
    rest = {name: value for name, value in given.items() if name not in _OWN}
    return own, cast("ComposeOptions", rest)


def _check(own: OwnOptions) -> None:
    if own.key is not None and not 0 < len(own.key) <= MOST_KEY_LENGTH:
        raise RequestValidationError("key", f"must have 1 to {MOST_KEY_LENGTH} characters")
    for name in ("key", "instance"):
        # No database takes these in a text.
        if not _is_storable(getattr(own, name) or ""):
            raise RequestValidationError(name, "must not hold a NUL or half a character")
    if own.instance is not None and not own.instance.strip():
        raise RequestValidationError("instance", "must not be blank; leave it out for the client's")
    if not -MOST_PRIORITY - 1 <= own.priority <= MOST_PRIORITY:
        raise RequestValidationError(
            "priority", f"must be from {-MOST_PRIORITY - 1} to {MOST_PRIORITY}"
        )
    _check_aware("not_before", own.not_before)
    _check_aware("expires_at", own.expires_at)
    first, last = own.not_before, own.expires_at
    if first is not None and last is not None and last <= first:
        raise RequestValidationError("expires_at", "must be after not_before")
    if own.metadata is not None:
        try:
            json.dumps(dict(own.metadata), allow_nan=False).encode()
        except (TypeError, ValueError, RecursionError):
            raise RequestValidationError(
                "metadata", "must be JSON: texts, numbers, lists and objects, with texts as names"
            ) from None


def _check_aware(name: str, value: datetime | None) -> None:
    if value is not None and value.utcoffset() is None:
        raise RequestValidationError(
            name, "must be aware, such as datetime(2026, 1, 31, 9, tzinfo=ZoneInfo(…))"
        )


def _is_storable(text: str) -> bool:
    try:
        return b"\0" not in text.encode()
    except UnicodeEncodeError:
        return False
