"""Notices in a chat: lines of WhatsApp's own, such as "Ana added Bia" or "missed call".

Such a record has a ``messageStubType`` and no content. Facts: the numbers are those of
``WebMessageInfo.StubType`` in WhatsApp's protobuf (Baileys, ``WAProto/WAProto.proto``), the
parameters those that Baileys writes (``src/Socket/messages-recv.ts``). No server up to 2.4 posts
such records (`facts/versions/baileys.md` "Event → shape"): they are read for those that do, and for
stores of Baileys.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import NamedTuple

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.models.base import OpenEnum
from evolution_sdk.models.group import GroupParticipant, Member
from evolution_sdk.models.people import person_ids
from evolution_sdk.models.wire import decode_long


class NoticeKind(OpenEnum):
    """The kind of a notice; one unknown to this SDK keeps WhatsApp's word, in lower case."""

    REVOKED = "revoked"
    """A message was taken back."""
    UNDECRYPTABLE = "undecryptable"
    """A message could not be decrypted, or not yet: its content may follow."""
    UNSUPPORTED = "unsupported"
    """A message of a kind that WhatsApp's library does not know."""
    GROUP_CREATED = "group_created"
    GROUP_DELETED = "group_deleted"
    GROUP_SUBJECT = "group_subject"
    GROUP_DESCRIPTION = "group_description"
    GROUP_PICTURE = "group_picture"
    GROUP_INVITE_LINK = "group_invite_link"
    """The invitation was renewed; ``text`` is its code."""
    GROUP_ANNOUNCE = "group_announce"
    """The right to write changed: ``on`` leaves it to administrators."""
    GROUP_RESTRICT = "group_restrict"
    """The right to change settings changed: ``on`` leaves it to administrators."""
    GROUP_MEMBER_ADD_MODE = "group_member_add_mode"
    GROUP_JOIN_APPROVAL = "group_join_approval"
    GROUP_JOIN_REQUEST = "group_join_request"
    MEMBERS_ADDED = "members_added"
    MEMBERS_REMOVED = "members_removed"
    MEMBERS_LEFT = "members_left"
    MEMBERS_PROMOTED = "members_promoted"
    MEMBERS_DEMOTED = "members_demoted"
    NUMBER_CHANGED = "number_changed"
    COMMUNITY = "community"
    """Anything about a community and its groups."""
    CALL_MISSED = "call_missed"
    CALL_SILENCED = "call_silenced"
    """A call of an unknown caller, which did not ring."""
    DISAPPEARING_TIMER = "disappearing_timer"
    SECURITY_CODE = "security_code"
    """The security code of the other side changed, for example with a new phone."""
    ENCRYPTED = "encrypted"
    """The chat says that it is encrypted."""
    BLOCKED = "blocked"
    PINNED = "pinned"
    PAYMENT = "payment"
    BUSINESS = "business"
    """Anything about a business: its verification, its provider, its assistants."""
    UNKNOWN = "unknown"


class StubType(NamedTuple):
    """WhatsApp's type of a notice: its number, its word, and what it is about."""

    number: int
    word: str
    kind: NoticeKind


_K = NoticeKind
STUB_TYPES: tuple[StubType, ...] = (
    StubType(1, "REVOKE", _K.REVOKED),
    StubType(2, "CIPHERTEXT", _K.UNDECRYPTABLE),
    StubType(3, "FUTUREPROOF", _K.UNSUPPORTED),
    StubType(20, "GROUP_CREATE", _K.GROUP_CREATED),
    StubType(21, "GROUP_CHANGE_SUBJECT", _K.GROUP_SUBJECT),
    StubType(22, "GROUP_CHANGE_ICON", _K.GROUP_PICTURE),
    StubType(23, "GROUP_CHANGE_INVITE_LINK", _K.GROUP_INVITE_LINK),
    StubType(24, "GROUP_CHANGE_DESCRIPTION", _K.GROUP_DESCRIPTION),
    StubType(25, "GROUP_CHANGE_RESTRICT", _K.GROUP_RESTRICT),
    StubType(26, "GROUP_CHANGE_ANNOUNCE", _K.GROUP_ANNOUNCE),
    StubType(27, "GROUP_PARTICIPANT_ADD", _K.MEMBERS_ADDED),
    StubType(28, "GROUP_PARTICIPANT_REMOVE", _K.MEMBERS_REMOVED),
    StubType(29, "GROUP_PARTICIPANT_PROMOTE", _K.MEMBERS_PROMOTED),
    StubType(30, "GROUP_PARTICIPANT_DEMOTE", _K.MEMBERS_DEMOTED),
    StubType(31, "GROUP_PARTICIPANT_INVITE", _K.MEMBERS_ADDED),
    StubType(32, "GROUP_PARTICIPANT_LEAVE", _K.MEMBERS_LEFT),
    StubType(33, "GROUP_PARTICIPANT_CHANGE_NUMBER", _K.NUMBER_CHANGED),
    StubType(38, "E2E_IDENTITY_CHANGED", _K.SECURITY_CODE),
    StubType(39, "E2E_ENCRYPTED", _K.ENCRYPTED),
    StubType(40, "CALL_MISSED_VOICE", _K.CALL_MISSED),
    StubType(41, "CALL_MISSED_VIDEO", _K.CALL_MISSED),
    StubType(42, "INDIVIDUAL_CHANGE_NUMBER", _K.NUMBER_CHANGED),
    StubType(43, "GROUP_DELETE", _K.GROUP_DELETED),
    StubType(45, "CALL_MISSED_GROUP_VOICE", _K.CALL_MISSED),
    StubType(46, "CALL_MISSED_GROUP_VIDEO", _K.CALL_MISSED),
    StubType(71, "GROUP_PARTICIPANT_ADD_REQUEST_JOIN", _K.MEMBERS_ADDED),
    StubType(72, "CHANGE_EPHEMERAL_SETTING", _K.DISAPPEARING_TIMER),
    StubType(73, "E2E_DEVICE_CHANGED", _K.SECURITY_CODE),
    StubType(75, "E2E_ENCRYPTED_NOW", _K.ENCRYPTED),
    StubType(118, "E2E_IDENTITY_UNAVAILABLE", _K.SECURITY_CODE),
    StubType(122, "BLOCK_CONTACT", _K.BLOCKED),
    StubType(130, "DISAPPEARING_MODE", _K.DISAPPEARING_TIMER),
    StubType(132, "ADMIN_REVOKE", _K.REVOKED),
    StubType(134, "COMMUNITY_LINK_PARENT_GROUP", _K.COMMUNITY),
    StubType(135, "COMMUNITY_LINK_SIBLING_GROUP", _K.COMMUNITY),
    StubType(136, "COMMUNITY_LINK_SUB_GROUP", _K.COMMUNITY),
    StubType(137, "COMMUNITY_UNLINK_PARENT_GROUP", _K.COMMUNITY),
    StubType(138, "COMMUNITY_UNLINK_SIBLING_GROUP", _K.COMMUNITY),
    StubType(139, "COMMUNITY_UNLINK_SUB_GROUP", _K.COMMUNITY),
    StubType(140, "GROUP_PARTICIPANT_ACCEPT", _K.MEMBERS_ADDED),
    StubType(141, "GROUP_PARTICIPANT_LINKED_GROUP_JOIN", _K.MEMBERS_ADDED),
    StubType(142, "COMMUNITY_CREATE", _K.COMMUNITY),
    StubType(144, "GROUP_MEMBERSHIP_JOIN_APPROVAL_REQUEST", _K.GROUP_JOIN_REQUEST),
    StubType(145, "GROUP_MEMBERSHIP_JOIN_APPROVAL_MODE", _K.GROUP_JOIN_APPROVAL),
    StubType(147, "COMMUNITY_PARTICIPANT_PROMOTE", _K.MEMBERS_PROMOTED),
    StubType(148, "COMMUNITY_PARTICIPANT_DEMOTE", _K.MEMBERS_DEMOTED),
    StubType(149, "COMMUNITY_PARENT_GROUP_DELETED", _K.COMMUNITY),
    StubType(151, "GROUP_PARTICIPANT_JOINED_GROUP_AND_PARENT_GROUP", _K.MEMBERS_ADDED),
    StubType(158, "COMMUNITY_PARENT_GROUP_SUBJECT_CHANGED", _K.COMMUNITY),
    StubType(169, "SILENCED_UNKNOWN_CALLER_AUDIO", _K.CALL_SILENCED),
    StubType(170, "SILENCED_UNKNOWN_CALLER_VIDEO", _K.CALL_SILENCED),
    StubType(171, "GROUP_MEMBER_ADD_MODE", _K.GROUP_MEMBER_ADD_MODE),
    StubType(172, "GROUP_MEMBERSHIP_JOIN_APPROVAL_REQUEST_NON_ADMIN_ADD", _K.GROUP_JOIN_REQUEST),
    StubType(173, "COMMUNITY_CHANGE_DESCRIPTION", _K.COMMUNITY),
    StubType(177, "PINNED_MESSAGE_IN_CHAT", _K.PINNED),
)
"""The types of notices that matter to a program; WhatsApp has some 220."""

_BY_NUMBER: Mapping[int, StubType] = MappingProxyType({one.number: one for one in STUB_TYPES})
_BY_WORD: Mapping[str, StubType] = MappingProxyType({one.word: one for one in STUB_TYPES})
_ABOUT_MEMBERS = frozenset(
    {
        _K.MEMBERS_ADDED,
        _K.MEMBERS_REMOVED,
        _K.MEMBERS_LEFT,
        _K.MEMBERS_PROMOTED,
        _K.MEMBERS_DEMOTED,
        _K.NUMBER_CHANGED,
        _K.GROUP_JOIN_REQUEST,
    }
)
# Of the types that have no row, as WhatsApp begins their words.
_FAMILIES = (
    ("BIZ_", _K.BUSINESS),
    ("BLUE_MSG_", _K.BUSINESS),
    ("VERIFIED_", _K.BUSINESS),
    ("PAYMENT_", _K.PAYMENT),
    ("COMMUNITY_", _K.COMMUNITY),
)
_LONGEST_WORD = 100


@dataclass(frozen=True, slots=True)
class Notice:
    """A line of WhatsApp's own in a chat.

    Attributes:
        kind: The kind of notice.
        type: WhatsApp's word for it, or its number as text where this SDK does not know the word.
        members: The people it is about, of a group.
        text: The first parameter that names no member, such as the new subject of a group or
            ``on``; None if there is none.
        parameters: All parameters as WhatsApp wrote them.
    """

    kind: NoticeKind
    type: str
    members: tuple[Member, ...] = field(default=(), repr=False)
    text: str | None = field(default=None, repr=False)
    parameters: tuple[str, ...] = field(default=(), repr=False)

    @property
    def is_group_call(self) -> bool:
        """True for a missed call of a group."""
        return self.kind is NoticeKind.CALL_MISSED and "GROUP" in self.type

    @property
    def is_video_call(self) -> bool:
        """True for a missed or silenced video call."""
        calls = (NoticeKind.CALL_MISSED, NoticeKind.CALL_SILENCED)
        return self.kind in calls and self.type.endswith("VIDEO")


def notice_of(record: object) -> Notice | None:
    """Read the notice of a message record.

    Args:
        record: The record as JSON, with ``messageStubType`` (a number or WhatsApp's word) and
            ``messageStubParameters``.

    Returns:
        The notice; None for a record that is none. It never raises.
    """
    if not is_object(record):
        return None
    found = _type_of(record.get("messageStubType"))
    if found is None:
        return None
    kind, word = found
    told = record.get("messageStubParameters")
    parameters = tuple(one for one in told if isinstance(one, str)) if is_array(told) else ()
    read = tuple(map(_member, parameters)) if kind in _ABOUT_MEMBERS else (None,) * len(parameters)
    pairs = tuple(zip(parameters, read, strict=True))
    return Notice(
        kind,
        word,
        members=tuple(member for member in read if member is not None),
        text=next((one for one, member in pairs if member is None), None),
        parameters=parameters,
    )


def _type_of(value: object) -> tuple[NoticeKind, str] | None:
    number = decode_long(value)
    if number is not None:
        known = _BY_NUMBER.get(number)
        if known is not None:
            return known.kind, known.word
        # Every message has the number 0 in some stores.
        return (NoticeKind.UNKNOWN, str(number)) if 0 < number < 1 << 31 else None
    if not isinstance(value, str) or not value or len(value) > _LONGEST_WORD:
        return None
    known = _BY_WORD.get(value)
    if known is not None:
        return known.kind, known.word
    if value == "UNKNOWN":
        return None
    family = next((kind for start, kind in _FAMILIES if value.startswith(start)), None)
    return family or NoticeKind(value.lower()), value


def _member(parameter: str) -> Member | None:
    """Read a member: a JID, or since Baileys 7 an object as JSON."""
    if not parameter.startswith("{"):
        ids = person_ids((parameter,))
        return None if ids.jid is None else Member(*ids)
    try:
        told: object = json.loads(parameter)
    except (ValueError, RecursionError):
        return None
    if not is_object(told):
        return None
    if "lid" in told and "pn" in told:  # of a request to join
        ids = person_ids((told["lid"],), (told["pn"],))
        return None if ids.jid is None else Member(*ids)
    member = GroupParticipant.from_wire(told).member
    return member if member.is_told else None
