"""Queries of stored messages, statuses, contacts and chats, with the server's filters and traps."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from .channels.base import to_jid
from .errors import ErrorThrown, database_error
from .js import UNDEFINED, JsonObject, get, iso, parse_date_ms, to_number, truthy
from .message_table import Entry, MessageRow
from .numbers import is_group
from .state import BAILEYS, Instance, ServerState, message_record

T = TypeVar("T")
_DAY_MS = 24 * 3600 * 1000
_DEFAULT_SIZE = 50
_SOURCES = ("ios", "android", "web", "unknown", "desktop")


def _call(table: str) -> str:
    return f"this.prismaRepository.{table}.findMany()"


def _type(value: Any) -> str:
    """Name the type of a value as the database's client does."""
    if isinstance(value, bool):
        return "Boolean"
    return "String" if isinstance(value, str) else "Float" if isinstance(value, float) else "Object"


def _page(rows: Sequence[T], skip: Any, take: Any, table: str) -> list[T]:
    """Cut a page; the database wants whole numbers, and no negative one to skip."""
    # JSON has one type of number, so that 10.0 is whole, while true is none.
    for name, value in (("take", take), ("skip", skip)):
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if isinstance(value, bool) or not whole:
            raise database_error(
                _call(table),
                f"Argument `{name}`: Invalid value provided. "
                f"Expected Int, provided {_type(value)}.",
            )
    if skip < 0:
        raise database_error(_call(table), "Argument `skip`: must not be negative.")
    start, size = int(skip), int(take)
    if size < 0:
        # A negative size counts from the end.
        return list(rows[::-1][start : start - size][::-1])
    return list(rows[start : start + size])


def _size_and_page(query: JsonObject) -> tuple[Any, Any]:
    size, page = get(query, "offset"), get(query, "page")
    # `offset` is the page size in this API; zero, like nothing, means the default.
    return (size if truthy(size) else _DEFAULT_SIZE), (page if truthy(page) else 1)


def _skip(size: Any, page: Any) -> Any:
    if not isinstance(size, (int, float)):
        return 0
    # A page given as text is multiplied like a number; the answer echoes it as text.
    skip = size * (to_number(page) - 1)
    return int(skip) if not math.isnan(skip) and float(skip).is_integer() else skip


def _time_window(where: Any) -> tuple[int, int] | None:
    """Read both bounds, in seconds; one alone is ignored."""
    low, high = get(where, "messageTimestamp", "gte"), get(where, "messageTimestamp", "lte")
    if not truthy(low) or not truthy(high):
        return None
    bounds = parse_date_ms(low), parse_date_ms(high)
    if any(math.isnan(bound) for bound in bounds):
        raise database_error(_call("message"), "Argument `gte`: Invalid value provided.")
    return math.floor(bounds[0] / 1000), math.floor(bounds[1] / 1000)


def _either_jid(server: ServerState, instance: Instance, key: Any) -> tuple[Any, Any] | None:
    """Return both JIDs of a filter of which either may fit; None where the first must.

    Since 2.3.7 the two are alternatives (its `fetchMessages`); before, the first had to fit, too.
    """
    one, other = get(key, "remoteJid"), get(key, "remoteJidAlt")
    apart = instance.integration == BAILEYS and server.profile.has("phone_in_lid_keys")
    return (one, other) if apart and truthy(one) and truthy(other) else None


def _key_filters(instance: Instance, key: Any) -> dict[str, Any]:
    """Pick the key members that filter; false and empty ones do not (`facts/semantics.md` §8)."""
    names = ["id", "fromMe", "remoteJid"]
    if instance.integration == BAILEYS:
        names.append("participant")
        # The second JID is looked at only while the first is not given.
        if not truthy(get(key, "remoteJid")):
            names.append("remoteJidAlt")
    else:
        # The other channels share a base class, which misspells the member.
        names.append("participants")
    return {name: value for name in names if truthy(value := get(key, name))}


def _row_filters(where: Any) -> list[Callable[[MessageRow], bool]]:
    """Make the filters on columns, with values checked as the database checks them."""
    filters: list[Callable[[MessageRow], bool]] = []
    row_id, source, kind = get(where, "id"), get(where, "source"), get(where, "messageType")
    for name, value in (("id", row_id), ("source", source), ("messageType", kind)):
        if value is not UNDEFINED and not isinstance(value, str):
            raise database_error(_call("message"), f"Argument `{name}`: Invalid value provided.")
    if row_id is not UNDEFINED:
        filters.append(lambda row: row.id == row_id)
    if source is not UNDEFINED:
        # The column is an enumeration of the database, which refuses every other word.
        if source not in _SOURCES:
            raise database_error(_call("message"), "Argument `source`: Invalid value provided.")
        filters.append(lambda row: row.source == source)
    if kind is not UNDEFINED:
        filters.append(lambda row: row.message_type == kind)
    return filters


def _narrowed(
    server: ServerState, instance: Instance, where: Any, keys: dict[str, Any]
) -> Sequence[Entry]:
    """List the messages that the indexes leave over, newest first; takes out what is settled."""
    table, now_ms, window = instance.table, server.now_ms(), _time_window(where)
    if "id" in keys:
        low, high = window or (-math.inf, math.inf)
        found = [
            (row.timestamp, -row.place, row)
            for row in table.by_key(keys["id"])
            if row.visible_at_ms <= now_ms and low <= row.timestamp <= high
        ]
        return sorted(found, reverse=True)
    # Most callers name a chat.
    chat = keys.pop("remoteJid") if isinstance(keys.get("remoteJid"), str) else None
    return table.newest_first(now_ms, chat, window)


def find_messages(server: ServerState, instance: Instance, query: JsonObject) -> JsonObject:
    """Answer ``findMessages``: newest first, ``offset`` is the page size."""
    where = get(query, "where")
    keys = _key_filters(instance, get(where, "key"))
    filters = _row_filters(where)
    either = _either_jid(server, instance, get(where, "key"))
    if either is not None:
        one, other = either
        del keys["remoteJid"]
        filters.append(
            lambda row: row.key.get("remoteJid") == one or row.key.get("remoteJidAlt") == other
        )
    rows = _narrowed(server, instance, where, keys)
    if keys or filters:
        rows = [
            entry
            for entry in rows
            if all(entry[2].key.get(name) == value for name, value in keys.items())
            and all(fits(entry[2]) for fits in filters)
        ]
    size, page = _size_and_page(query)
    records = _page(rows, _skip(size, page), size, "message")
    return {
        "messages": {
            "total": len(rows),
            "pages": math.ceil(len(rows) / size),
            "currentPage": page,
            "records": [_shown(instance, row) for _, _, row in records],
        }
    }


def _shown(instance: Instance, row: MessageRow) -> JsonObject:
    record = message_record(row, instance.id)
    # Only Baileys fills in names of messages that were stored without one.
    if instance.integration != BAILEYS or row.push_name:
        return record
    if row.key.get("fromMe"):
        record["pushName"] = "Você"
    elif row.context_info:
        author = row.context_info.get("participant") or row.key.get("participant")
        record["pushName"] = author.split("@")[0] if author else row.push_name
    return record


def find_statuses(server: ServerState, instance: Instance, query: JsonObject) -> list[JsonObject]:
    """Answer ``findStatusMessage``: it filters by ``remoteJid`` and ``id``, the WhatsApp id."""
    where = get(query, "where")
    jid, key_id = get(where, "remoteJid"), get(where, "id")
    rows = [
        update
        for update in (instance.updates_of(key_id) if isinstance(key_id, str) else instance.updates)
        if jid in (UNDEFINED, update["remoteJid"]) and key_id in (UNDEFINED, update["keyId"])
    ]
    if server.profile.has("stories_unpaged"):
        size, page = _size_and_page(query)
        return _page(rows, _skip(size, page), size, "messageUpdate")
    size, page = get(query, "offset"), get(query, "page")
    skip = to_number(size) * (0 if page == 1 else to_number(page) - 1)
    if math.isnan(skip):
        # No page, no number: the database misses what it is to skip.
        raise database_error(_call("messageUpdate"), "Argument `skip` is missing.")
    return _page(rows, skip, size, "messageUpdate")


def _jid_filter(where: Any) -> str | None:
    jid = get(where, "remoteJid")
    if not truthy(jid):
        return None
    # The server calls includes(), which texts and lists have.
    if not isinstance(jid, str | list):
        raise ErrorThrown("query?.where?.remoteJid.includes is not a function", name="TypeError")
    return jid if isinstance(jid, str) and "@" in jid else to_jid(jid)


def find_contacts(server: ServerState, instance: Instance, query: JsonObject) -> list[JsonObject]:
    """Answer ``findContacts``; without ``offset`` it lists all."""
    where = get(query, "where")
    jid = _jid_filter(where)
    rows = list(instance.contacts if jid is None else instance.contacts_of(jid))
    if server.profile.has("contacts_filtered_by_id"):
        wanted = {name: get(where, name) for name in ("id", "pushName")}
        rows = [
            c
            for c in rows
            if all(not truthy(value) or c[name] == value for name, value in wanted.items())
        ]
    if not server.profile.has("contacts_typed"):
        return rows
    size, page = get(query, "offset"), get(query, "page")
    skip: Any = 0
    if truthy(page):
        factor = max(to_number(page), 1) - 1
        # Paging without a size multiplies undefined: the database refuses what comes out.
        skip = to_number(size) * factor
    if truthy(size) or truthy(page):
        rows = _page(rows, skip, size if truthy(size) else len(rows), "contact")
    return [{**contact, **_kind(contact)} for contact in rows]


def _kind(contact: JsonObject) -> JsonObject:
    # A contact without name and picture is known from a group only.
    group = is_group(contact["remoteJid"])
    saved = bool(contact["pushName"]) or bool(contact["profilePicUrl"])
    kind = "group" if group else "contact" if saved else "group_member"
    return {"isGroup": group, "isSaved": saved, "type": kind}


def find_chats(server: ServerState, instance: Instance, query: JsonObject) -> list[JsonObject]:
    """Answer ``findChats``: one chat per JID with stored messages, last activity first."""
    where = get(query, "where")
    jid, window = _jid_filter(where), _time_window(where)
    now_ms = server.now_ms()
    newest = {
        chat: row
        for chat in ([jid] if jid is not None else tuple(instance.table.chats()))
        # At first only chats with a contact were listed.
        if (server.profile.has("chats_whole") or instance.contact(chat) is not None)
        and (row := instance.table.last(now_ms, chat, window)) is not None
    }
    rows = sorted(
        newest.items(),
        key=lambda item: (-item[1].timestamp, instance.table.of_chat(item[0])[0].place),
    )
    take, skip = get(query, "take"), get(query, "skip")
    # This route alone pages by take and skip.
    if not server.profile.has("chats_whole"):
        return [_older_chat(server, instance, chat, row) for chat, row in rows]
    if truthy(take) or truthy(skip):
        whole = take if truthy(take) else len(rows)
        rows = _page(rows, skip if truthy(skip) else 0, whole, "chat")
    return [_chat(server, instance, chat, row) for chat, row in rows]


def _older_chat(server: ServerState, instance: Instance, jid: str, row: MessageRow) -> JsonObject:
    """Show a chat as its contact; the last message gets lost in the server's query."""
    contact, whole = instance.contact(jid) or {}, _chat(server, instance, jid, row)
    left_out = ("lastMessage", "unreadCount", "isSaved")
    shown = {name: value for name, value in whole.items() if name not in left_out}
    return {**shown, "pushName": contact.get("pushName")}


def _chat(server: ServerState, instance: Instance, jid: str, row: MessageRow) -> JsonObject:
    contact, chat = instance.contact(jid), instance.chat(jid)
    # The 24 hours in which Meta lets a business answer; the server counts them from the chat's
    # creation, on every channel.
    opened = parse_date_ms(chat["createdAt"]) if chat else math.nan
    closes = opened + _DAY_MS
    return {
        "id": contact["id"] if contact else None,
        "remoteJid": jid,
        # Two columns share this name in the query; the chat's wins.
        "pushName": chat["name"] if chat else None,
        "profilePicUrl": contact["profilePicUrl"] if contact else None,
        "updatedAt": iso(row.timestamp * 1000),
        "windowStart": chat["createdAt"] if chat else None,
        "windowExpires": iso(closes) if chat else None,
        "windowActive": chat is not None and closes > server.now_ms(),
        "lastMessage": {
            "id": row.id,
            "key": row.key,
            "pushName": "Você" if row.key.get("fromMe") else row.push_name,
            "participant": row.participant,
            "messageType": row.message_type,
            "message": None if row.content is None else _without_media(row.content),
            "contextInfo": row.context_info,
            "source": row.source,
            "messageTimestamp": row.timestamp,
            "instanceId": instance.id,
            "sessionId": None,
            "status": row.status,
        },
        "unreadCount": chat["unreadMessages"] if chat else None,
        "isSaved": contact is not None,
    }


_KEPT = {
    "imageMessage": ("caption",),
    "videoMessage": ("caption",),
    "audioMessage": ("seconds",),
    "stickerMessage": (),
    "documentMessage": ("caption", "name"),
    "documentWithCaptionMessage": ("caption", "name"),
}


def _without_media(message: JsonObject) -> JsonObject:
    """Leave out media: chat lists show only the caption or the length."""
    return {
        kind: {name: node[name] for name in _KEPT[kind] if name in node} if kind in _KEPT else node
        for kind, node in message.items()
        if kind != "base64"
    }
