"""The places where a server tells that a hidden id and a phone number are one person.

The table covers the message keys of every Baileys that servers 2.2.3 to 2.4 use (6.7 to
7.0.0-rc.13), groups, members, contacts, chats, calls, and number checks. Facts:
`facts/versions/baileys.md`.

What a person wrote is never looked into: the key inside a reaction, a quotation or a poll vote
comes from that person's phone, who could give any phone to any hidden id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.errors import RequestValidationError

from ._server import server_jid
from ._values import GROUP_ID, Jid
from .chat_forms import LID

__all__ = ["is_stripped_lid", "jid_or_none", "pairs_in"]

_HIDDEN_DIGITS = 14
_LONGEST = 100
_MOST_KNOWN = 4_096
# Fields of one object that name the same person.
_SAME_PERSON = (
    ("remoteJid", "remoteJidAlt", "previousRemoteJid", "remoteLid", "lid", "phoneNumber"),
    ("participant", "participantAlt", "participantPn", "participantLid"),
    ("senderPn", "senderLid"),
    ("recipientPn", "recipientLid"),
    ("id", "lid", "jid", "phoneNumber", "phone_number", "lidJid", "pnJid", "accountLid"),
    ("lid", "pn"),
    ("owner", "ownerPn", "ownerJid"),
    ("subjectOwner", "subjectOwnerPn", "subjectOwnerJid"),
    ("descOwner", "descOwnerPn", "descOwnerJid"),
    ("author", "authorPn", "authorJid"),
    ("from", "callerPn"),
)
_PARTNERS: dict[str, tuple[str, ...]] = {
    name: tuple(dict.fromkeys(other for group in _SAME_PERSON if name in group for other in group))
    for name in {name for group in _SAME_PERSON for name in group}
}
# Fields that name the chat of a key; of an own message the chat is never the writer.
_CHAT = frozenset({"remoteJid", "remoteJidAlt", "previousRemoteJid"})
# Fields that contain such objects: in events, group answers, and pages of the store. ``jid`` is an
# object in ``participantsData`` since 2.3.7; WhatsApp's own nodes, with ``attrs`` and ``content``,
# stand in the answer to a change of members.
_INSIDE = frozenset(
    {
        "attrs",
        "chats",
        "contacts",
        "content",
        "data",
        "groups",
        "jid",
        "key",
        "lastMessage",
        "messages",
        "participants",
        "participantsData",
        "records",
        "updateParticipants",
    }
)
_OF_INTEREST = frozenset({*_PARTNERS, *_INSIDE, "chatId", "number"})
# A page of the store has 100 rows and the largest group 2,000 members. The rest of a longer list is
# not read.
_MOST_ROWS = 5_000


def pairs_in(told: Any, own: object = None) -> Iterator[tuple[Jid, Jid]]:
    """Find every pair of a hidden id and a phone's JID in data of the server.

    Args:
        told: An event, a model, their JSON, or a list of them.
        own: The account's phone, so that an own message under it makes no pair with its chat.
            ``sender`` of an envelope takes its place.
    """
    for part, hidden, account in _parts_of(told, own):
        yield from _pairs_of(part, hidden, account)


def _parts_of(told: Any, own: object) -> list[tuple[Mapping[str, Any], list[str], object]]:
    """Find the objects that hold a hidden id; this runs for every event, and finds few."""
    found: list[tuple[Mapping[str, Any], list[str], object]] = []
    # A list of things to do instead of recursion, so that the depth of nesting does not matter.
    todo: list[Any] = [told]
    # JSON never contains itself, but what a program hands over may. The parts are kept, not their
    # ids alone: an id is given anew once its object is gone.
    seen: dict[int, Any] = {}
    while todo:
        part = todo.pop()
        if not _is_json(part):
            part = getattr(part, "raw", part)  # events and models keep what the server wrote
        if id(part) in seen:
            continue
        seen[id(part)] = part
        if is_object(part):
            if "data" in part and "event" in part:  # the envelope of an event
                own = part.get("sender") or own
                todo.append(part["data"])
                continue
            hidden = _survey(part, todo)
            if hidden:
                found.append((part, hidden, own))
        elif is_array(part):
            todo.extend(one for one in part[:_MOST_ROWS] if type(one) is not str)
    return found


def _is_json(part: object) -> bool:
    return type(part) is dict or type(part) is list


def _survey(part: Mapping[str, Any], todo: list[Any]) -> list[str]:
    """Return the fields that hold a hidden id, and put what is inside on the list."""
    hidden: list[str] = []
    for name, value in part.items():
        if name not in _OF_INTEREST:
            continue
        # Most of them hold no hidden id either: this look saves reading any.
        if type(value) is str:
            if value.endswith(LID):
                hidden.append(name)
        elif value and name in _INSIDE:
            todo.append(value)
    return hidden


def _pairs_of(part: Mapping[str, Any], hidden: list[str], own: object) -> Iterator[tuple[Jid, Jid]]:
    by_me = part.get("fromMe") is True
    for name in hidden:
        for other in _PARTNERS.get(name, ()):
            phone = part.get(other)
            # Some servers name the account as the other id of the chat it writes in.
            if phone is None or (by_me and name in _CHAT and _is_writer(phone, part, own)):
                continue
            yield from _pair(part[name], phone)
    if "senderPn" in part or "senderLid" in part:
        # Baileys 6.7 names the writer separately: in groups the participant, otherwise the chat.
        writer = part.get("participant") or (None if by_me else part.get("remoteJid"))
        yield from _pair(writer, part.get("senderPn"))
        yield from _pair(writer, part.get("senderLid"))
    if by_me and ("recipientPn" in part or "recipientLid" in part):
        yield from _pair(part.get("remoteJid"), part.get("recipientPn"))
        yield from _pair(part.get("remoteJid"), part.get("recipientLid"))
    if "callerPn" in part and part.get("status") == "offer" and part.get("isGroup") is not True:
        # The server may have put the phone into ``from``; an offer comes from the chat itself.
        yield from _pair(part.get("chatId"), part["callerPn"])
    if "exists" in part:  # a number check, which may answer with the hidden id
        yield from number_pair(part.get("number"), part.get("jid"))


def number_pair(number: Any, jid: Any) -> Iterator[tuple[Jid, Jid]]:
    """Find the pair in the JID under which the server knows a recipient.

    Args:
        number: The recipient as it was asked for.
        jid: The server's answer.
    """
    if isinstance(number, str) and isinstance(jid, str):
        if jid.endswith(LID):
            yield from _pair(jid, server_jid(number))
        elif number.endswith(LID):  # 2.3.7 and later answer, and store, the phone
            yield from _pair(number, jid)


def _is_writer(phone: object, part: Mapping[str, Any], own: object) -> bool:
    """Tell if an id in an own message is the account's: 2.3.0 to 2.3.2 put it in the chat's place.

    There it is ``senderPn`` as well, so that rows of the store need no envelope.
    """
    return _is_same(phone, own) or _is_same(phone, part.get("senderPn"))


def _is_same(phone: object, own: object) -> bool:
    one, other = jid_or_none(phone), jid_or_none(own)
    return one is not None and other is not None and one.bare == other.bare


def _pair(one: Any, other: Any) -> Iterator[tuple[Jid, Jid]]:
    # Most pairs of fields hold no hidden id: a check before parsing saves the time.
    if not (isinstance(one, str) and isinstance(other, str)) or (LID in one) is (LID in other):
        return
    # Made-up ids may have megabytes, and pairs are remembered.
    if len(one) > _LONGEST or len(other) > _LONGEST:
        return
    hidden, phone = (one, other) if LID in one else (other, one)
    lid, known = jid_or_none(hidden), None if is_stripped_lid(phone) else jid_or_none(phone)
    if lid is None or known is None or not (lid.is_lid and known.is_phone):
        return
    # Where the server knows no phone, some versions repeat the digits of the hidden id.
    if lid.user != known.user:
        yield lid, known


def is_stripped_lid(text: object) -> bool:
    """Tell if bare digits are rather a hidden id that lost its server than a phone number.

    Server 2.4 cuts ``:12@lid`` off a device's id (`facts/versions/baileys.md`, "receipt from a
    device jid"). Hidden ids have 14 digits or more; phone numbers of that length are very rare.

    Args:
        text: Anything; only bare digits can be one.
    """
    return (
        isinstance(text, str)
        and len(text) >= _HIDDEN_DIGITS
        and text.isdecimal()
        and GROUP_ID.fullmatch(text) is None
    )


def jid_or_none(text: object) -> Jid | None:
    """Read a JID.

    Args:
        text: Anything.

    Returns:
        The JID, or None if it is not one.
    """
    if not isinstance(text, str):
        return None
    # The same few chats and people come again and again. A stranger's text may be of any length.
    return _read_jid(text) if type(text) is str and len(text) <= _LONGEST else _parsed(text)


def _parsed(text: str) -> Jid | None:
    try:
        return Jid.parse(text)
    except RequestValidationError:
        return None


_read_jid = lru_cache(_MOST_KNOWN)(_parsed)
