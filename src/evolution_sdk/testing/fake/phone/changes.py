"""Changes of earlier messages by the phone of their author: edits and deletions for everyone."""

from __future__ import annotations

from evolution_sdk.testing.fake.arrange_errors import ArrangementError
from evolution_sdk.testing.fake.js import JsonObject, as_object, defined
from evolution_sdk.testing.fake.message_keys import stored_key
from evolution_sdk.testing.fake.message_table import MessageRow
from evolution_sdk.testing.fake.numbers import create_jid, is_group
from evolution_sdk.testing.fake.state import Instance, ServerState
from evolution_sdk.testing.fake.statuses import add_update, tell_chat

from .people import author, check_phone, found, is_own, member_name, own_name, tell_contact

_TEXTS = ("conversation", "extendedTextMessage")
_CAPTIONED = ("imageMessage", "videoMessage", "documentMessage")


def edit(server: ServerState, instance: Instance, *, message_id: str, text: str) -> None:
    """Edit a message, as :meth:`PhoneActs.edit`.

    Raises:
        ArrangementError: Messages of its kind cannot be edited.
    """
    check_phone(instance)
    row = found(instance, message_id)
    content = _edited(row, text)
    who = author(server, instance, row)
    key = _written_key(server, instance, row, who)
    told = {
        "key": key,
        "type": "MESSAGE_EDIT",
        "editedMessage": content,
        "timestampMs": str(int(server.now_ms())),
    }
    server.emit(instance, "messages.edited", told)
    if server.profile.has("edits_stored"):
        _store(server, instance, row, key, content)
    _tell_author(server, instance, who)
    if server.profile.has("edits_are_updates"):
        _tell_update(server, instance, row, who, content)


def _edited(row: MessageRow, text: str) -> JsonObject:
    if row.message_type in _TEXTS:
        return {"conversation": text}
    node = as_object(row.message.get(row.message_type))
    if row.message_type not in _CAPTIONED or node is None:
        raise ArrangementError(
            f"message_id: a {row.message_type} cannot be edited; texts can, and images, videos "
            "and documents, whose caption changes.",
            variable="message_id",
        )
    return {row.message_type: {**node, "caption": text}}


def revoke(server: ServerState, instance: Instance, *, message_id: str, from_: str | None) -> None:
    """Delete a message for everyone, as :meth:`PhoneActs.revoke`.

    Raises:
        ArrangementError: It is somebody else's, and the chat is no group.
    """
    check_phone(instance)
    row = found(instance, message_id)
    who = _revoker(server, instance, row, from_)
    key = _written_key(server, instance, row, who)
    kept = server.profile.has("revocations_are_edits")
    if kept:
        server.emit(instance, "messages.edited", {"key": key, "type": "REVOKE"})
        _store(server, instance, row, key, None)
    _tell_author(server, instance, who)
    event = _stanza_key(server, instance, row, who)
    status = "SERVER_ACK" if server.profile.has("edits_are_updates") else "DELETED"
    if server.profile.has("deletions_have_status"):
        event["status"] = "DELETED"
    server.emit(instance, "messages.delete", event)
    if server.options.store_message_updates:
        add_update(server, instance, row, status)


def _revoker(server: ServerState, instance: Instance, row: MessageRow, from_: str | None) -> str:
    wrote = author(server, instance, row)
    if from_ is None:
        return wrote
    chat = str(row.key["remoteJid"])
    if is_own(server, instance, create_jid(from_)):
        who = own_name(server, instance, chat)
    else:
        who = member_name(server, chat, from_)
    if not is_group(chat) and server.network.lids.of(who) != server.network.lids.of(wrote):
        raise ArrangementError(
            "from_: only the author deletes a message in a chat of two. Leave it out; an admin "
            "can delete the messages of others in a group.",
            variable="from_",
        )
    return who


def _written_key(server: ServerState, instance: Instance, row: MessageRow, who: str) -> JsonObject:
    """Make the key of the message as the phone that changes it writes it: from its own side.

    A contact names our number as the chat, and the message as its own
    (`facts/versions/baileys.md` "SDK misreadings").
    """
    chat = str(row.key["remoteJid"])
    key: JsonObject = {"remoteJid": chat, "fromMe": True, "id": row.key["id"]}
    if is_group(chat):
        wrote = author(server, instance, row)
        if who != wrote:
            key |= {"fromMe": False, "participant": wrote}
    elif not row.key.get("fromMe"):
        key["remoteJid"] = own_name(server, instance, chat)
    return key


def _stanza_key(server: ServerState, instance: Instance, row: MessageRow, who: str) -> JsonObject:
    """Make the key of the message that brings the change, with the id of the one it changes."""
    chat, own = str(row.key["remoteJid"]), is_own(server, instance, who)
    participant = who if is_group(chat) else None
    return stored_key(server, chat, str(row.key["id"]), participant, from_me=own)


def _store(
    server: ServerState,
    instance: Instance,
    row: MessageRow,
    key: JsonObject,
    content: JsonObject | None,
) -> None:
    """Write the change into the row; nothing remains of a deleted message's content."""
    row.message, row.content_lost = content or {}, content is None
    # The row's time moves with the change.
    row.timestamp, row.status = int(server.now_ms() / 1000), "EDITED"
    if server.options.store_message_updates:
        update = add_update(server, instance, row, "EDITED")
        # Taken from the key as the phone has written it.
        update |= {"remoteJid": key["remoteJid"], "fromMe": key["fromMe"], "participant": None}


def _tell_author(server: ServerState, instance: Instance, who: str) -> None:
    if not is_own(server, instance, who):
        tell_contact(server, instance, who)


def _tell_update(
    server: ServerState, instance: Instance, row: MessageRow, who: str, content: JsonObject
) -> None:
    key = _stanza_key(server, instance, row, who)
    event = defined(
        keyId=key["id"],
        remoteJid=key["remoteJid"],
        fromMe=key["fromMe"],
        **({"participant": key["participant"]} if "participant" in key else {}),
        # No status came: the server makes this one up.
        status="SERVER_ACK",
        instanceId=instance.id,
        message={"editedMessage": {"message": content}},
        messageId=row.id,
    )
    server.emit(instance, "messages.update", event)
    if server.options.store_message_updates:
        add_update(server, instance, row, "SERVER_ACK")
    tell_chat(server, instance, str(key["remoteJid"]))
