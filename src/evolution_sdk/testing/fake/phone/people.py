"""The actor, the message and the chat of an act: every act of a phone asks for them first."""

from __future__ import annotations

from typing import NamedTuple

from evolution_sdk.testing.fake.arrange_errors import ArrangementError, NotArrangedError
from evolution_sdk.testing.fake.js import JsonObject
from evolution_sdk.testing.fake.lids import LID_SUFFIX
from evolution_sdk.testing.fake.message_table import MessageRow
from evolution_sdk.testing.fake.numbers import create_jid, is_group
from evolution_sdk.testing.fake.state import BAILEYS, Instance, ServerState


def check_phone(instance: Instance) -> None:
    """Refuse an instance that has no phone.

    Raises:
        ArrangementError: Its channel is not Baileys.
    """
    if instance.integration != BAILEYS:
        raise ArrangementError(
            f"instance: only {BAILEYS} has phones on both sides, not {instance.integration}. Use "
            "receive() with the message that this channel would bring.",
            variable="instance",
        )


def found(instance: Instance, message_id: str) -> MessageRow:
    """Find a stored message that somebody acts on.

    Raises:
        NotArrangedError: The instance has none of this id.
    """
    row = instance.message(message_id)
    if row is None:
        raise NotArrangedError(
            f"message_id: the instance has stored no message {message_id!r}. Take the id of a "
            "send (sent.id, fake.sent[-1].key_id) or what receive_text() returned.",
            variable="message_id",
        )
    return row


def own_name(server: ServerState, instance: Instance, chat: str) -> str:
    """Return the JID under which a chat knows the own phone.

    Args:
        server: The server.
        instance: The instance.
        chat: The chat; a group that was not added here is one that hides its members' numbers.
    """
    own, lids = instance.owner_jid or "", server.network.lids
    if is_group(chat):
        group = server.network.group(chat)
        return own if group is not None and group.members and not group.by_lid else lids.of(own)
    return lids.of(own) if chat.endswith(LID_SUFFIX) and lids.known(own) else own


def member_name(server: ServerState, chat: str, who: str) -> str:
    """Return the JID under which a group knows one of its members, from any spelling."""
    jid, group = create_jid(who), server.network.group(chat)
    return server.network.lids.of(jid) if group is not None and group.by_lid else jid


def author(server: ServerState, instance: Instance, row: MessageRow) -> str:
    """Return the JID of whoever wrote a message, as its chat knows them."""
    chat = str(row.key["remoteJid"])
    if row.key.get("fromMe"):
        return own_name(server, instance, chat)
    return str(row.key.get("participant") or chat)


class Actor(NamedTuple):
    """Somebody who acts in a chat.

    Attributes:
        chat: The chat.
        member: Who it is in a group, as the group names them.
        own: Whether it is the own phone.
        known_as_own: Whether the server knows that: the oldest ones do not know the own hidden id.
        name: The name that comes with the act.
    """

    chat: str
    member: str | None
    own: bool
    known_as_own: bool
    name: str | None

    @property
    def jid(self) -> str:
        """The JID under which the chat knows them; in a chat of two the other person's."""
        return self.member or self.chat


def actor(
    server: ServerState,
    instance: Instance,
    row: MessageRow | None,
    from_: str | None,
    participant: str | None,
    push_name: str | None,
) -> Actor:
    """Tell who acts on a message, and in which chat.

    Args:
        server: The server.
        instance: The instance.
        row: The message; None where the instance has not stored it.
        from_: Who acts, or the chat; None for the other person of a chat of two.
        participant: Who acts, where ``from_`` names the group.
        push_name: Their own name.

    Raises:
        ArrangementError: It is nobody, or somebody outside the chat.
    """
    if row is None and from_ is None:
        raise ArrangementError(
            "from_: is needed, as the instance has not stored this message. Give the number or "
            "the chat of whoever acts.",
            variable="from_",
        )
    given = None if from_ is None else create_jid(from_)
    chat = str(row.key["remoteJid"]) if row is not None else str(given)
    who = given
    if is_group(chat):
        who = create_jid(participant) if participant else given
        if who is None or who == chat:
            raise ArrangementError(
                "participant: must name who it is in the group: a number or a LID.",
                variable="participant",
            )
    if who is not None and is_own(server, instance, who):
        return own_actor(server, instance, chat, push_name)
    if is_group(chat):
        return Actor(chat, member_name(server, chat, str(who)), False, False, push_name)
    if given is not None and chat not in (given, server.network.lids.other(given)):
        raise ArrangementError(
            "from_: is not in the chat of this message; only the other person there, or the own "
            "phone, can act on it. Leave it out for that person.",
            variable="from_",
        )
    return Actor(chat, None, False, False, push_name)


def own_actor(
    server: ServerState, instance: Instance, chat: str, push_name: str | None = None
) -> Actor:
    """Describe the own phone in a chat."""
    member = own_name(server, instance, chat) if is_group(chat) else None
    # Its own hidden id is somebody else's for a server that does not know it.
    known = member in (None, instance.owner_jid) or server.profile.has("alternative_keys")
    return Actor(chat, member, True, known, push_name or instance.profile_name)


def is_own(server: ServerState, instance: Instance, jid: str) -> bool:
    """Tell if a JID is the own phone's, or its LID."""
    lids = server.network.lids
    return lids.of(jid) == lids.of(instance.owner_jid or "")


def key_of(server: ServerState, instance: Instance, row: MessageRow, by: Actor) -> JsonObject:
    """Make the key of an earlier message as the library puts it into a message that is about it.

    Args:
        server: The server.
        instance: The instance.
        row: The earlier message.
        by: Who acts on it.
    """
    key: JsonObject = {name: row.key[name] for name in ("remoteJid", "fromMe", "id")}
    if by.member is not None:
        key["participant"] = author(server, instance, row)
    elif not by.own and server.profile.has("participant_in_chats"):
        key["participant"] = ""
    return key


def tell_contact(server: ServerState, instance: Instance, jid: str) -> None:
    """Announce a contact as the library does for whoever sends something with a name."""
    picture = server.network.profile(jid).picture
    data = {"remoteJid": jid, "profilePicUrl": picture, "instanceId": instance.id}
    server.emit(instance, "contacts.update", [data])
