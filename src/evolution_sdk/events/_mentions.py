"""Mentions of people and of the account: by phone or hidden id, in messages of every version.

Facts: `facts/versions/baileys.md` ("reply / mention / forward / ad in a text"). Server 2.4 drops
the context of plain texts: quotation, mentions and ad are then lost, not absent.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, TypeAlias

from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity.identities import Identities, is_same_line
from evolution_sdk.identity.lids import jid_or_none

from ._base import Event, known_by
from .message import EventMessage

__all__ = [
    "Names",
    "all_ids",
    "by_account",
    "is_account",
    "mentions_account",
    "quotes_account",
    "readable",
]

Names: TypeAlias = "Mapping[Any, str] | Callable[[Jid], str | None]"
"""Names of people: a mapping by JID (``Jid`` or text), bare digits or ``+phone``, or a function."""

_MENTION: Final = re.compile(r"@([0-9]{5,20})(?![0-9])")
_MOST_TEXT: Final = 65_536
_ALONE: Final = Identities()
"""For an event that neither a router nor a client has seen: only its envelope counts."""


def mentions_account(event: Event, message: EventMessage) -> bool:
    """Tell whether a message mentions the account.

    Args:
        event: The event.
        message: Its message.
    """
    mentioned: Iterable[Jid] = message.mentions
    if not mentioned and message.context_known is not True:
        # What is left of a mention is its text: the digits of the whole id.
        mentioned = _named_in(message.text)
    return _has_account(event, mentioned)


def quotes_account(event: Event, message: EventMessage) -> bool:
    """Tell whether a message answers one of the account's.

    Args:
        event: The event.
        message: Its message.
    """
    quoted = message.quoted
    if quoted is None or quoted.sender is None:
        return False
    return _has_account(event, (quoted.sender,)) or _is_the_other(message, quoted.sender)


def by_account(event: Event, message: EventMessage) -> bool:
    """Tell whether the account itself wrote a message.

    Server 2.2.3 reports own messages in groups with hidden ids as those of others.

    Args:
        event: The event.
        message: Its message.
    """
    if message.from_me:
        return True
    writers = (message.sender, message.sender_alt)
    return _has_account(event, (who for who in writers if who is not None))


def is_account(event: Event, who: Jid) -> bool:
    """Tell whether an id is the account's own, by the envelope or by what routers and clients know.

    Args:
        event: The event.
        who: The id.
    """
    return _has_account(event, (who,))


def all_ids(event: Event, people: Iterable[Jid | None]) -> Iterator[Jid]:
    """Yield people with their other ids, as far as a router or a client knows them.

    Args:
        event: The event.
        people: Their ids in it.
    """
    for who in people:
        if who is None:
            continue
        yield who
        if not known_by(event):
            continue
        phone, lid = _phone_of(event, who), _lid_of(event, who)
        if phone is not None and who.is_lid:
            yield phone.jid
        if lid is not None and not who.is_lid:
            yield lid


def readable(
    event: Event, message: EventMessage, text: str | None, names: Names | None
) -> str | None:
    """Replace the digits of mentions in a text by names or phone numbers.

    Args:
        event: The event.
        message: Its message.
        text: Its text.
        names: Names of people.
    """
    if text is None or "@" not in text:
        return text
    # A mention by hidden id may stand in the text by phone, and the reverse.
    people: dict[str, Jid] = {}
    for jid in message.mentions:
        people |= {one.user: jid for one in all_ids(event, (jid,)) if one.user not in people}
    guess = not people and message.context_known is not True

    def shown(found: re.Match[str]) -> str:
        digits = found[1]
        who = people.get(digits)
        if who is not None:
            return _shown(event, who, names) or found[0]
        for one in _either(digits) if guess else ():
            told = _shown(event, one, names)
            # Nobody says that these digits are a phone number.
            if told is not None and (one.is_lid or told != f"@+{digits}"):
                return told
        return found[0]

    # One pass over whole runs of digits: no name that was put in is looked at again, and no id is
    # found inside a longer one.
    return _MENTION.sub(shown, text)


def _shown(event: Event, who: Jid, names: Names | None) -> str | None:
    phone = _phone_of(event, who)
    lid = who.bare if who.is_lid else _lid_of(event, who)
    name = None if names is None else _name(names, lid, phone)
    # Of a phone the digits already stand there; a plus makes them a number.
    shown = name or phone
    return None if shown is None else f"@{shown}"


def _name(names: Names, lid: Jid | None, phone: PhoneNumber | None) -> str | None:
    jids = [jid for jid in (lid, None if phone is None else phone.jid) if jid is not None]
    if callable(names):
        return next((name for name in map(names, jids) if name), None)
    keys: list[object] = [key for jid in jids for key in (jid, str(jid), jid.user)]
    keys += [] if phone is None else [phone, str(phone)]
    return next((names[key] for key in keys if names.get(key)), None)


def _named_in(text: str | None) -> Iterator[Jid]:
    for found in _MENTION.finditer((text or "")[:_MOST_TEXT]):
        yield from _either(found[1])


def _either(digits: str) -> tuple[Jid, ...]:
    """Return what bare digits after an ``@`` may be: a hidden id, or a phone."""
    return tuple(
        jid
        for jid in (jid_or_none(f"{digits}@lid"), jid_or_none(f"{digits}@s.whatsapp.net"))
        if jid
    )


def _has_account(event: Event, people: Iterable[Jid]) -> bool:
    asked = tuple(people)
    if not asked:
        return False
    for known in known_by(event) or (_ALONE,):
        account = known.account(event.instance, event.account)
        if any(known.is_account(who, account) for who in asked):
            return True
    return False


def _phone_of(event: Event, who: Jid) -> PhoneNumber | None:
    for known in known_by(event) or (_ALONE,):
        phone = known.phone_of(who, known.account(event.instance, event.account))
        if phone is not None:
            return phone
    return None


def _lid_of(event: Event, who: Jid) -> Jid | None:
    found = (known.lids.lid_of(who) for known in known_by(event))
    return next((lid for lid in found if lid is not None), None)


def _is_the_other(message: EventMessage, quoted: Jid) -> bool:
    """Tell, in a chat of two, whether the quoted message is of the one who is not the chat."""
    # A story or a message of a group that is answered in private may be anybody's.
    if message.from_me or message.is_group or message.context.get("remoteJid"):
        return False
    chat = [jid for jid in (message.chat, message.chat_alt) if jid is not None]
    # Only ids of one kind can be compared; of another kind they may name the same person.
    alike = [jid for jid in chat if jid.server == quoted.server]
    return bool(alike) and not any(is_same_line(quoted, jid) for jid in alike)
