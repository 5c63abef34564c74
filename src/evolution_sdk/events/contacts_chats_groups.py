"""Events about contacts, chats, groups, labels, presences and calls."""

from __future__ import annotations

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk.identity import Jid
from evolution_sdk.models.group import Group

from ._base import D_co, Event
from ._json import jids, many, one_or_many
from .message_event import first
from .records import (
    CallChange,
    ChatChange,
    ContactChange,
    LabelChange,
    LabelLink,
    ParticipantsChange,
    PresenceChange,
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
    """Chats from the history."""

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
    """Groups changed; only the changed fields are told.

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

    def _shown(self) -> dict[str, object]:
        change = self.data
        return {"group": change.id, "action": None if change.action is None else str(change.action)}


class LabelsEdit(Event[LabelChange]):
    """A label changed. Identified by the hash of the data: a deletion comes twice at once."""

    wire = "labels.edit"
    __slots__ = ()

    def _read(self) -> LabelChange:
        return LabelChange.from_wire(first(self._data))


class LabelsAssociation(Event[LabelLink]):
    """A label was set on a chat or removed. Identified by the hash of the data."""

    wire = "labels.association"
    __slots__ = ()

    def _read(self) -> LabelLink:
        return LabelLink.from_wire(first(self._data))


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


class Call(Event[CallChange]):
    """An incoming call. Identified by id and status; a raw node by the hash of the data."""

    wire = "call"
    repeatable = False
    __slots__ = ()

    def _read(self) -> CallChange:
        return CallChange.from_wire(first(self._data))

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
