"""Filters about where, who, how far and when."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.events._base import Source
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity._server import same_line
from evolution_sdk.identity.lids import jid_or_none
from evolution_sdk.models.message import MessageStatus

from ._algebra import Filter, new
from ._content import Choice, message_of
from ._kinds import AboutChat, AboutDelivery, AboutMessage, AnyEvent

Who = str | Jid | PhoneNumber


def _chat(event: object) -> Jid | None:
    chat = getattr(event, "chat", None)
    return chat if isinstance(chat, Jid) else None


def _jid(value: Who) -> Jid:
    if isinstance(value, PhoneNumber):
        return value.jid
    return value if isinstance(value, Jid) else Jid.parse(value)


def _is_one_of(jids: Iterable[Jid | None], wanted: Iterable[Jid]) -> bool:
    """The same chat or line; Brazil's ninth digit makes no difference."""
    for jid in jids:
        if jid is None:
            continue
        bare = jid.bare
        for one in wanted:
            if bare == one or (bare.is_phone and one.is_phone and _same(bare, one)):
                return True
    return False


def _same(a: Jid, b: Jid) -> bool:
    try:
        return same_line(a, b)
    except RequestValidationError:
        return False


def _shown(word: str, values: tuple[object, ...]) -> str:
    return f"{word}({', '.join(repr(str(value)) for value in values)})"


def _wanted(word: str, values: tuple[Who, ...]) -> tuple[Jid, ...]:
    if not values:
        raise RequestValidationError(word, "needs at least one value")
    return tuple(_jid(value).bare for value in values)


@new(name="from_me")
def from_me(event: AboutDelivery) -> bool:
    """This account wrote the message. Of ``messages.update`` always False on Business."""
    return getattr(event, "from_me", False) is True


@new(name="group")
def group(event: AboutChat) -> bool:
    """It is about a group."""
    chat = _chat(event)
    return chat is not None and chat.is_group


@new(name="private")
def private(event: AboutChat) -> bool:
    """It is about a chat with one person."""
    chat = _chat(event)
    return chat is not None and (chat.is_phone or chat.is_lid)


@new(name="broadcast")
def broadcast(event: AboutChat) -> bool:
    """It is about a broadcast list or a story."""
    chat = _chat(event)
    return chat is not None and (chat.is_broadcast or chat.is_status)


@new(name="story")
def story(event: AboutChat) -> bool:
    """It is a story (``status@broadcast``)."""
    chat = _chat(event)
    return chat is not None and chat.is_status


@new(name="lid")
def lid(event: AboutChat) -> bool:
    """The chat or the writer is known by a hidden id (``@lid``) instead of a phone number."""
    jids = (_chat(event), getattr(event, "sender", None))
    return any(isinstance(jid, Jid) and jid.is_lid for jid in jids)


def instance(*names: str) -> Filter[AnyEvent]:
    """The event is of one of these instances."""
    if not names:
        raise RequestValidationError("instance", "needs at least one name")
    wanted = frozenset(names)
    return new(lambda event: event.instance in wanted, name=_shown("instance", names))


def source(*sources: Source) -> Filter[AnyEvent]:
    """The event arrived this way: ``webhook``, ``socket``, ``queue`` or ``backfill``."""
    if not sources:
        raise RequestValidationError("source", "needs at least one value")
    wanted = frozenset(sources)
    return new(lambda event: event.source in wanted, name=_shown("source", sources))


@new(name="backfill")
def backfill(event: AnyEvent) -> bool:
    """The event was missed, and read from the server's store later."""
    return event.source == "backfill"


def chat(*chats: Who) -> Filter[AboutChat]:
    """It is about one of these chats.

    Args:
        *chats: JIDs or phone numbers; the chat's other identity counts, too, where it is told.

    Raises:
        RequestValidationError: A value is no JID and no phone number.
    """
    wanted = _wanted("chat", chats)

    def ask(event: AboutChat) -> bool:
        message = message_of(event)
        alt = None if message is None else message.chat_alt
        return _is_one_of((_chat(event), alt), wanted)

    return new(ask, name=_shown("chat", chats))


def sender(*people: Who) -> Filter[AboutMessage]:
    """One of these people wrote the message.

    Args:
        *people: JIDs or phone numbers; the writer's other identity counts, too.

    Raises:
        RequestValidationError: A value is no JID and no phone number.
    """
    wanted = _wanted("sender", people)

    def ask(event: AboutMessage) -> bool:
        message = message_of(event)
        return message is not None and _is_one_of((event.sender, message.sender_alt), wanted)

    return new(ask, name=_shown("sender", people))


def _mentioned(event: object) -> tuple[Jid, ...]:
    message = message_of(event)
    return () if message is None else message.mentions


mentions: Choice = Choice(
    "mentions",
    lambda event: bool(_mentioned(event)),
    lambda values: _mentions(_wanted("mentions", values)),
)
"""The message mentions somebody; ``mentions("5511…")`` for one of these people."""


def _mentions(wanted: tuple[Jid, ...]) -> Callable[[AboutMessage], bool]:
    return lambda event: _is_one_of(_mentioned(event), wanted)


@new(name="mentions_me")
def mentions_me(event: AboutMessage) -> bool:
    """The message mentions this account, as far as the envelope tells who that is."""
    me = jid_or_none(event.account)
    return me is not None and _is_one_of(_mentioned(event), (me.bare,))


def status(*statuses: MessageStatus | str) -> Filter[AboutDelivery]:
    """The message got this far, such as ``"READ"``."""
    if not statuses:
        raise RequestValidationError("status", "needs at least one value")
    wanted = frozenset(MessageStatus(str(one)) for one in statuses)
    return new(
        lambda event: getattr(event, "status", None) in wanted, name=_shown("status", statuses)
    )


def _age_s(event: object, clock: Callable[[], float]) -> float | None:
    """Seconds since it was written; None where nobody said when."""
    written = getattr(event, "timestamp", None)
    seconds = written.timestamp() if isinstance(written, datetime) else 0.0
    return clock() - seconds if seconds > 0 else None


def older_than_s(seconds: float, *, clock: Callable[[], float] = time.time) -> Filter[AboutMessage]:
    """The message was written longer ago than this; of an unknown time never.

    Args:
        seconds: In seconds.
        clock: Seconds since 1970.
    """

    def ask(event: AboutMessage) -> bool:
        age = _age_s(event, clock)
        return age is not None and age > seconds

    return new(ask, name=f"older_than_s({seconds:g})")


def newer_than_s(seconds: float, *, clock: Callable[[], float] = time.time) -> Filter[AboutMessage]:
    """The message was written at most this long ago; of an unknown time never.

    Args:
        seconds: In seconds.
        clock: Seconds since 1970.
    """

    def ask(event: AboutMessage) -> bool:
        age = _age_s(event, clock)
        return age is not None and age <= seconds

    return new(ask, name=f"newer_than_s({seconds:g})")
