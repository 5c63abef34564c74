"""The history that a phone sends after it was connected, in batches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evolution_sdk.testing.fake.arrange_errors import ArrangementError
from evolution_sdk.testing.fake.incoming import add_chat, add_contact
from evolution_sdk.testing.fake.js import JsonObject, as_object, defined, or_undefined
from evolution_sdk.testing.fake.lids import LID_SUFFIX
from evolution_sdk.testing.fake.message_table import MessageRow
from evolution_sdk.testing.fake.numbers import create_jid
from evolution_sdk.testing.fake.state import (
    HistorySync,
    Instance,
    ServerState,
    message_record,
    stored,
)

from .people import check_phone

_WHOLE = 100


def sync_history(
    server: ServerState,
    instance: Instance,
    *,
    messages: Sequence[Mapping[str, Any]],
    contacts: Mapping[str, str],
    progress: float | None,
    is_latest: bool | None,
) -> None:
    """Let the phone send a batch of its history, as :meth:`PhoneActs.sync_history`.

    Raises:
        ArrangementError: A message has no chat or no content.
    """
    check_phone(instance)
    names = {create_jid(number): name for number, name in contacts.items()}
    rows = [_row(server, instance, at, message, names) for at, message in enumerate(messages)]
    # What is stored already is not told again.
    rows = [row for row in rows if instance.message(row.key["id"]) is None]
    chats = list(dict.fromkeys([*names, *(str(row.key["remoteJid"]) for row in rows)]))
    chats = [jid for jid in chats if instance.chat(jid) is None]
    seen = _counted(instance, progress)
    seen.messages, seen.chats = seen.messages + len(rows), seen.chats + len(chats)
    seen.contacts += len(names)
    server.emit(instance, "chats.set", [_chat(server, instance, jid, names) for jid in chats])
    for jid in chats:
        add_chat(server, instance, jid, names.get(jid))
    told = [_told(row, instance) for row in rows]
    extra: JsonObject = {"isLatest": is_latest, "progress": progress}
    whole = server.profile.has("history_progress")
    server.emit(instance, "messages.set", told, extra if whole else None)
    if server.options.store_messages:
        for row in rows:
            instance.add_message(row)
    _tell_contacts(server, instance, names)
    # Only the newest servers know this event.
    if progress == _WHOLE:
        data = {
            "messageCount": seen.messages,
            "chatCount": seen.chats,
            "contactCount": seen.contacts,
            "progress": progress,
        }
        server.emit(instance, "messaging-history.set", data)
        instance.history = HistorySync()


def _counted(instance: Instance, progress: float | None) -> HistorySync:
    """Return the counts of the run; one whose progress does not grow begins anew."""
    now = -1 if progress is None else progress
    if now <= instance.history.progress:
        instance.history = HistorySync()
    instance.history.progress = now
    return instance.history


def _row(
    server: ServerState,
    instance: Instance,
    at: int,
    given: Mapping[str, Any],
    names: Mapping[str, str],
) -> MessageRow:
    key, content = as_object(given.get("key")), as_object(given.get("message"))
    chat = (key or {}).get("remoteJid")
    if key is None or not isinstance(chat, str) or not content:
        raise ArrangementError(
            f"messages[{at}]: must be a message as findMessages lists it: a key with a remoteJid, "
            'and a message, such as {"key": {"remoteJid": "5511…@s.whatsapp.net"}, "message": '
            '{"conversation": "…"}}.',
            variable="messages",
        )
    key = {"remoteJid": create_jid(chat), "fromMe": False, "id": server.ids.whatsapp("3A")} | {
        name: value for name, value in key.items() if name != "remoteJid"
    }
    context = None
    text = as_object(content.get("extendedTextMessage"))
    if text is not None:
        # The server makes a plain text of it.
        content, context = {"conversation": text.get("text", "")}, text.get("contextInfo")
    status = given.get("status", None if key["fromMe"] else "DELIVERY_ACK")
    kind = str(given.get("messageType") or next(iter(content)))
    lost = server.profile.has("context_is_messages_own")
    participant = key.get("participant")
    return MessageRow(
        id=server.ids.row(),
        key=key,
        push_name=_name(server, key, given.get("pushName"), names),
        message_type=kind,
        message=stored(content),
        timestamp=int(given.get("messageTimestamp") or server.now_ms() / 1000),
        source=str(given.get("source", "unknown")),
        context_info=None if lost else stored(context),
        status=status,
        participant=participant if isinstance(participant, str) else None,
        visible_at_ms=server.now_ms(),
    )


def _name(server: ServerState, key: JsonObject, given: Any, names: Mapping[str, str]) -> str | None:
    web = server.profile.has("sends_as_web")
    if key["fromMe"]:
        return given or ("Você" if web else None)
    who = str(key.get("participant") or key["remoteJid"])
    known = names.get(who) if web else None
    return given or known or (who.partition("@")[0] if web else None)


def _told(row: MessageRow, instance: Instance) -> JsonObject:
    record = message_record(row, instance.id)
    for name in ("id", "MessageUpdate", "contextInfo"):
        del record[name]
    return defined(
        **{**record, "pushName": or_undefined(row.push_name)},
        status=or_undefined(row.status),
        contextInfo=or_undefined(row.context_info),
    )


def _chat(
    server: ServerState, instance: Instance, jid: str, names: Mapping[str, str]
) -> JsonObject:
    told: JsonObject = {"remoteJid": jid}
    if server.profile.has("chat_lids"):
        lid = jid if jid.endswith(LID_SUFFIX) else None
        phone = None if lid is None else server.network.lids.phone(lid)
        told = {"remoteJid": phone or jid, "remoteLid": lid}
    told["instanceId"] = instance.id
    return told | ({"name": names[jid]} if jid in names else {})


def _tell_contacts(server: ServerState, instance: Instance, names: Mapping[str, str]) -> None:
    if not names:
        return
    for event in ("contacts.upsert", "contacts.update"):
        # The pictures are looked up after the contacts were announced.
        pictured = event == "contacts.update"
        data = [
            {
                "remoteJid": jid,
                "pushName": name,
                "profilePicUrl": server.network.profile(jid).picture if pictured else None,
                "instanceId": instance.id,
            }
            for jid, name in names.items()
        ]
        server.emit(instance, event, data)
    for jid, name in names.items():
        known = instance.contact(jid)
        if known is None:
            add_contact(server, instance, jid, name, server.network.profile(jid).picture)
        else:
            known["pushName"] = name
