"""Events about contacts, chats, groups, labels, presences and calls."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models.group import Group, Member

from ._base import D_co, Event
from ._json import jids, many, one_or_many
from .message_event import first
from .records import (
    CallChange,
    CallStatus,
    ChatChange,
    ContactChange,
    JoinAction,
    JoinMethod,
    JoinRequest,
    LabelAction,
    LabelChange,
    LabelLink,
    ParticipantAction,
    ParticipantsChange,
    PresenceChange,
    PresenceOf,
)


class _Counted(Event[D_co]):
    """An event about any number of things; copies have the same hash of the data."""

    __slots__ = ()

    def _shown(self) -> dict[str, object]:
        return {"count": len(self._data) if is_array(self._data) else None}


class _Contacts(_Counted[ContactChange | tuple[ContactChange, ...] | None]):
    __slots__ = ()

    def _read(self) -> ContactChange | tuple[ContactChange, ...] | None:
        return one_or_many(ContactChange, self._data)

    @property
    def contacts(self) -> tuple[ContactChange, ...]:
        """The contacts, as a tuple also when one was told."""
        return many(ContactChange, self._data)


class ContactsSet(_Contacts):
    """Contacts from the history. The server declares it, but 2.3.6 never sends it."""

    wire = "contacts.set"
    __slots__ = ()


class ContactsUpsert(_Contacts):
    """New contacts: a list after a synchronisation, one object after a first message."""

    wire = "contacts.upsert"
    __slots__ = ()


class ContactsUpdate(_Contacts):
    """Changed contacts; it comes with nearly every message that arrives."""

    wire = "contacts.update"
    __slots__ = ()


class _Chats(_Counted[ChatChange | tuple[ChatChange, ...] | None]):
    __slots__ = ()

    def _read(self) -> ChatChange | tuple[ChatChange, ...] | None:
        return one_or_many(ChatChange, self._data)

    @property
    def chats(self) -> tuple[ChatChange, ...]:
        """The chats, as a tuple also when one was told."""
        return many(ChatChange, self._data)


class ChatsSet(_Chats):
    """Chats from the history; since 2.4 with both ids of a chat (``lid``, ``phone``)."""

    wire = "chats.set"
    __slots__ = ()


class ChatsUpsert(_Chats):
    """New or renamed chats: a list, possibly empty; one object on the EVOLUTION channel."""

    wire = "chats.upsert"
    __slots__ = ()


class ChatsUpdate(_Chats):
    """Chats changed; the server does not say in which way."""

    wire = "chats.update"
    __slots__ = ()


class ChatsDelete(_Counted[tuple[str, ...]]):
    """Chats were deleted; ``data`` holds their JIDs as text."""

    wire = "chats.delete"
    __slots__ = ()

    def _read(self) -> tuple[str, ...]:
        found = self._data if is_array(self._data) else [self._data]
        return tuple(item for item in found if isinstance(item, str))

    @property
    def chats(self) -> tuple[Jid, ...]:
        """The chats that were deleted."""
        return jids(list(self.data))


class _Groups(_Counted[tuple[Group, ...]]):
    __slots__ = ()

    def _read(self) -> tuple[Group, ...]:
        return many(Group, self._data)

    @property
    def groups(self) -> tuple[Group, ...]:
        """The groups."""
        return self.data


class GroupsUpsert(_Groups):
    """Groups were created or joined, with all that is known about them."""

    wire = "groups.upsert"
    __slots__ = ()


class GroupsUpdate(_Groups):
    """Groups changed; only the changed fields are told (``group.told``), and by whom.

    No instance can subscribe to it: the server offers the name ``GROUP_UPDATE``, which matches no
    event. Only the global websocket and a global SQS queue carry it (`facts/observed.md`
    "Webhooks").
    """

    wire = "groups.update"
    __slots__ = ()


class GroupParticipantsUpdate(Event[ParticipantsChange]):
    """Members joined, left, or changed their rights. Identified by the hash of the data."""

    wire = "group-participants.update"
    __slots__ = ()

    def _read(self) -> ParticipantsChange:
        return ParticipantsChange.from_wire(first(self._data))

    @property
    def chat(self) -> Jid | None:
        """The group."""
        return self.data.chat

    @property
    def action(self) -> ParticipantAction | None:
        """The change; one that this SDK does not know keeps WhatsApp's own word."""
        return self.data.action

    @property
    def members(self) -> tuple[Member, ...]:
        """The members concerned, whichever way the server's version writes them.

        ``is_admin`` is what the change made of them; None for those who left.
        """
        return self._once("members", lambda: self.data.members)

    @property
    def author(self) -> Jid | None:
        """The person who made the change: the member itself, or an administrator."""
        return self.data.author_ids.jid

    @property
    def author_phone(self) -> PhoneNumber | None:
        """The phone number of who made the change, if it was told."""
        return self.data.author_ids.phone

    def _shown(self) -> dict[str, object]:
        change = self.data
        return {"group": change.id, "action": None if change.action is None else str(change.action)}


class GroupJoinRequest(Event[JoinRequest]):
    """Somebody asked to join a group, took it back, or was turned down.

    The server's library tells it, but no version up to 2.4 passes it on: it is here for those that
    do. Identified by the hash of the data.
    """

    wire = "group.join-request"
    __slots__ = ()

    def _read(self) -> JoinRequest:
        return JoinRequest.from_wire(first(self._data))

    @property
    def chat(self) -> Jid | None:
        """The group."""
        return self.data.chat

    @property
    def action(self) -> JoinAction | None:
        """The change of the request."""
        return self.data.action

    @property
    def method(self) -> JoinMethod | None:
        """The way of asking; None where a request ends."""
        return self.data.method

    @property
    def member(self) -> Member:
        """The person who wants to join."""
        return self.data.member

    @property
    def author(self) -> Jid | None:
        """The person who made the change."""
        return self.data.author_ids.jid

    @property
    def author_phone(self) -> PhoneNumber | None:
        """The phone number of who made the change, if it was told."""
        return self.data.author_ids.phone

    def _shown(self) -> dict[str, object]:
        change = self.data
        return {"group": change.id, "action": None if change.action is None else str(change.action)}


class LabelsEdit(Event[LabelChange]):
    """A label changed. Identified by the hash of the data: a deletion comes twice at once."""

    wire = "labels.edit"
    __slots__ = ()

    def _read(self) -> LabelChange:
        return LabelChange.from_wire(first(self._data))

    @property
    def label(self) -> LabelChange:
        """The label: id, name, colour (0 to 19), and WhatsApp's number of a predefined one."""
        return self.data

    @property
    def is_deleted(self) -> bool:
        """True if the label was deleted."""
        return self.data.deleted


class LabelsAssociation(Event[LabelLink]):
    """A label was set on a chat or a message, or removed. Identified by the hash of the data."""

    wire = "labels.association"
    __slots__ = ()

    def _read(self) -> LabelLink:
        return LabelLink.from_wire(first(self._data))

    @property
    def chat(self) -> Jid | None:
        """The chat."""
        return self.data.chat

    @property
    def label_id(self) -> str:
        """The label's id, as in :class:`LabelsEdit`."""
        return self.data.label_id

    @property
    def action(self) -> LabelAction | None:
        """``add`` or ``remove``."""
        return self.data.type


class PresenceUpdate(Event[PresenceChange]):
    """Somebody types, records, comes or goes. Told apart by the hash of the data."""

    wire = "presence.update"
    __slots__ = ()

    def _read(self) -> PresenceChange:
        return PresenceChange.from_wire(first(self._data))

    @property
    def chat(self) -> Jid | None:
        """The chat."""
        return self.data.chat

    @property
    def presences(self) -> Mapping[Jid, PresenceOf]:
        """Presences by person, who is an ``@lid`` or a phone's JID; in groups by member."""
        return self._once("presences", lambda: self.data.people)

    @property
    def typing(self) -> tuple[Jid, ...]:
        """The people who are writing."""
        return self._those(lambda one: one.is_typing)

    @property
    def recording(self) -> tuple[Jid, ...]:
        """The people who are recording a voice message."""
        return self._those(lambda one: one.is_recording)

    @property
    def online(self) -> tuple[Jid, ...]:
        """The people who are there."""
        return self._those(lambda one: one.is_online)

    def _those(self, wanted: Callable[[PresenceOf], bool]) -> tuple[Jid, ...]:
        return tuple(jid for jid, one in self.presences.items() if wanted(one))


class Call(Event[CallChange]):
    """An incoming call. Identified by id and status; a raw node by the hash of the data.

    The server tells the first of several calls only.
    """

    wire = "call"
    repeatable = False
    __slots__ = ()

    def _read(self) -> CallChange:
        return CallChange.from_wire(first(self._data))

    @property
    def calls(self) -> tuple[CallChange, ...]:
        """The calls, as a tuple also when one was told."""
        return many(CallChange, self._data)

    @property
    def status(self) -> CallStatus | None:
        """The state of the call; one that this SDK does not know keeps WhatsApp's own word."""
        return self.data.status

    @property
    def chat(self) -> Jid | None:
        """The chat of the call."""
        return self.data.chat

    @property
    def caller(self) -> Jid | None:
        """The caller, without device: often an ``@lid``."""
        return self.data.caller

    @property
    def caller_phone(self) -> PhoneNumber | None:
        """The caller's phone number, if it was told; never the digits of a hidden id."""
        return self.data.caller_phone

    @property
    def is_raw_node(self) -> bool:
        """True for a raw node of the protocol, which only the socket shows."""
        return self.data.packet is not None

    def _identity(self) -> tuple[object, ...] | None:
        data = first(self._data)
        if not is_object(data):
            return None
        call_id = data.get("id")
        return (call_id, data.get("status")) if isinstance(call_id, str) else None

    def _shown(self) -> dict[str, object]:
        status = self.data.status
        return {"status": None if status is None else str(status)}
