"""Filters about chats, people, delivery and time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Any

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.events._base import Event, Source
from evolution_sdk.events._mentions import (
    all_ids,
    by_account,
    mentions_account,
    quotes_account,
)
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity.identities import is_same_line
from evolution_sdk.models.message import MessageStatus

from ._algebra import Filter, FunctionFilter
from ._content import ChoiceFilter, known, looking, message_of
from ._kinds import AboutChat, AboutDelivery, AboutMessage, AnyEvent
from ._needs import Probe, needs

Who = str | Jid | PhoneNumber


def _instance_of(event: Event[Any]) -> tuple[str]:
    return (event.instance,)


def _source_of(event: Event[Any]) -> tuple[Source | None]:
    return (event.source,)


def _status_of(event: object) -> tuple[object]:
    return (getattr(event, "status", None),)


_INSTANCE = Probe("instance", 9, _instance_of)
_SOURCE = Probe("source", 1, _source_of)
_STATUS = Probe("status", 2, _status_of)


def _chat(event: object) -> Jid | None:
    chat = getattr(event, "chat", None)
    return chat if isinstance(chat, Jid) else None


def _jid(value: Who) -> Jid:
    if isinstance(value, PhoneNumber):
        return value.jid
    return value if isinstance(value, Jid) else Jid.parse(value)


def _is_one_of(jids: Iterable[Jid], wanted: Iterable[Jid]) -> bool:
    """Compare chats or phone lines; a number with and without Brazil's ninth digit is equal."""
    for jid in jids:
        bare = jid.bare
        for one in wanted:
            if bare == one or (bare.is_phone and one.is_phone and is_same_line(bare, one)):
                return True
    return False


def _shown(word: str, values: tuple[object, ...]) -> str:
    return f"{word}({', '.join(repr(str(value)) for value in values)})"


def _wanted(word: str, values: tuple[Who, ...]) -> tuple[Jid, ...]:
    if not values:
        raise RequestValidationError(word, "needs at least one value")
    return tuple(_jid(value).bare for value in values)


@looking("from_me")
def from_me(event: AboutDelivery) -> bool:
    """Match messages of this account. On Business, never a ``messages.update``.

    Server 2.2.3 reports own messages in groups with hidden ids as those of others: they match once
    a router or a client knows the account's hidden id.
    """
    if getattr(event, "from_me", False) is True:
        return True
    message = message_of(event)
    return message is not None and by_account(event, message)


@looking("group")
def group(event: AboutChat) -> bool:
    """Match events about a group."""
    chat = _chat(event)
    return chat is not None and chat.is_group


@looking("private")
def private(event: AboutChat) -> bool:
    """Match events about a chat with one person."""
    chat = _chat(event)
    return chat is not None and (chat.is_phone or chat.is_lid)


@looking("broadcast")
def broadcast(event: AboutChat) -> bool:
    """Match events about a broadcast list or a story."""
    chat = _chat(event)
    return chat is not None and (chat.is_broadcast or chat.is_status)


@looking("story")
def story(event: AboutChat) -> bool:
    """Match stories (``status@broadcast``)."""
    chat = _chat(event)
    return chat is not None and chat.is_status


@looking("lid")
def lid(event: AboutChat) -> bool:
    """Match a chat or a sender known by a hidden id (``@lid``) instead of a phone number."""
    jids = (_chat(event), getattr(event, "sender", None))
    return any(isinstance(jid, Jid) and jid.is_lid for jid in jids)


def instance(*names: str) -> Filter[AnyEvent]:
    """Match events of these instances.

    Args:
        *names: Names of the instances.
    """
    if not names:
        raise RequestValidationError("instance", "needs at least one name")
    wanted = frozenset(names)
    return known(
        lambda event: event.instance in wanted,
        _shown("instance", names),
        needs(_INSTANCE, wanted),
    )


def source(*sources: Source) -> Filter[AnyEvent]:
    """Match events by transport.

    Args:
        *sources: ``webhook``, ``socket``, ``queue`` or ``backfill``.
    """
    if not sources:
        raise RequestValidationError("source", "needs at least one value")
    wanted = frozenset(sources)
    return known(
        lambda event: event.source in wanted, _shown("source", sources), needs(_SOURCE, wanted)
    )


@looking("backfill")
def backfill(event: AnyEvent) -> bool:
    """Match events that were missed and read from the server's store later."""
    return event.source == "backfill"


def chat(*chats: Who) -> Filter[AboutChat]:
    """Match events about one of these chats.

    Args:
        *chats: JIDs or phone numbers; the chat's other id counts, too, if the event has it.

    Raises:
        RequestValidationError: A value is neither a JID nor a phone number.
    """
    wanted = _wanted("chat", chats)

    def ask(event: AboutChat) -> bool:
        # A person may write from a phone number or a hidden id; the message may name both.
        message = message_of(event)
        alt = None if message is None else message.chat_alt
        return _is_one_of(all_ids(event, (_chat(event), alt)), wanted)

    return known(ask, _shown("chat", chats))


def sender(*people: Who) -> Filter[AboutMessage]:
    """Match messages that one of these people wrote.

    Args:
        *people: JIDs or phone numbers; the sender's other id counts, too.

    Raises:
        RequestValidationError: A value is neither a JID nor a phone number.
    """
    wanted = _wanted("sender", people)

    def ask(event: AboutMessage) -> bool:
        message = message_of(event)
        if message is None:
            return False
        return _is_one_of(all_ids(event, (event.sender, message.sender_alt)), wanted)

    return known(ask, _shown("sender", people))


def _mentioned(event: object) -> tuple[Jid, ...]:
    message = message_of(event)
    return () if message is None else message.mentions


mentions: ChoiceFilter = ChoiceFilter(
    "mentions",
    lambda event: bool(_mentioned(event)),
    lambda values: _mentions(_wanted("mentions", values)),
)
"""Matches messages with a mention; ``mentions("5511…")`` for one of these people."""


def _mentions(wanted: tuple[Jid, ...]) -> Callable[[AboutMessage], bool]:
    return lambda event: _is_one_of(all_ids(event, _mentioned(event)), wanted)


@looking("mentions_me")
def mentions_me(event: AboutMessage) -> bool:
    """Match messages that mention this account; see ``event.mentions_me``."""
    message = message_of(event)
    return message is not None and mentions_account(event, message)


@looking("replies_to_me")
def replies_to_me(event: AboutMessage) -> bool:
    """Match messages that quote one of this account; see ``event.replies_to_me``."""
    message = message_of(event)
    return message is not None and quotes_account(event, message)


@looking("addressed_to_me")
def addressed_to_me(event: AboutMessage) -> bool:
    """Match what is meant for this account: a private chat, a mention, or a reply to it.

    Its own messages are never matched. In groups of a 2.4 server a plain text has lost its
    quotation, so that a reply is not recognised there.
    """
    message = message_of(event)
    if message is None or by_account(event, message):
        return False
    chat = _chat(event)
    private = chat is not None and (chat.is_phone or chat.is_lid)
    return private or mentions_account(event, message) or quotes_account(event, message)


def status(*statuses: MessageStatus | str) -> Filter[AboutDelivery]:
    """Match messages with one of these statuses.

    Args:
        *statuses: Such as ``"READ"``.
    """
    if not statuses:
        raise RequestValidationError("status", "needs at least one value")
    wanted = frozenset(MessageStatus(str(one)) for one in statuses)
    return known(
        lambda event: getattr(event, "status", None) in wanted,
        _shown("status", statuses),
        needs(_STATUS, wanted),
    )


def _age_s(event: object, clock: Callable[[], float]) -> float | None:
    """Return the seconds since the message was written; None without a time."""
    written = getattr(event, "timestamp", None)
    seconds = written.timestamp() if isinstance(written, datetime) else 0.0
    return clock() - seconds if seconds > 0 else None


def older_than_s(seconds: float, *, clock: Callable[[], float] = time.time) -> Filter[AboutMessage]:
    """Match messages older than this; never one without a time.

    Args:
        seconds: Age in seconds.
        clock: Seconds since 1970.
    """

    def ask(event: AboutMessage) -> bool:
        age = _age_s(event, clock)
        return age is not None and age > seconds

    return FunctionFilter(ask, f"older_than_s({seconds:g})", is_pure=clock is time.time)


def newer_than_s(seconds: float, *, clock: Callable[[], float] = time.time) -> Filter[AboutMessage]:
    """Match messages of at most this age; never one without a time.

    Args:
        seconds: Age in seconds.
        clock: Seconds since 1970.
    """

    def ask(event: AboutMessage) -> bool:
        age = _age_s(event, clock)
        return age is not None and age <= seconds

    return FunctionFilter(ask, f"newer_than_s({seconds:g})", is_pure=clock is time.time)
