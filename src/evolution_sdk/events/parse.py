"""Parsing: from the bytes that arrived to a typed event; it never raises."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any, TypeAlias, TypeGuard, cast

from pydantic_core import from_json

from evolution_sdk._base.json_types import is_object

from ._base import Event, Source
from .contacts_chats_groups import (
    Call,
    ChatsDelete,
    ChatsSet,
    ChatsUpdate,
    ChatsUpsert,
    ContactsSet,
    ContactsUpdate,
    ContactsUpsert,
    GroupJoinRequest,
    GroupParticipantsUpdate,
    GroupsUpdate,
    GroupsUpsert,
    LabelsAssociation,
    LabelsEdit,
    PresenceUpdate,
)
from .lifecycle import (
    ApplicationStartup,
    ConnectionUpdate,
    CredsUpdate,
    InstanceCreate,
    InstanceDelete,
    LogoutInstance,
    MessagingHistorySet,
    QrcodeUpdated,
    RemoveInstance,
    StatusInstance,
    TypebotChangeStatus,
    TypebotStart,
)
from .messages import (
    MessagesDelete,
    MessagesEdited,
    MessagesSet,
    MessagesUpdate,
    MessagesUpsert,
    SendMessage,
    SendMessageUpdate,
)
from .unknown import MalformedEvent, ServerErrorReport, TemplateStatusUpdate, UnknownEvent

Body: TypeAlias = bytes | bytearray | memoryview | str | Mapping[str, Any]

EVENT_CLASSES: Mapping[str, type[Event]] = MappingProxyType(
    {
        kind.wire: kind
        for kind in (
            ApplicationStartup,
            InstanceCreate,
            InstanceDelete,
            RemoveInstance,
            LogoutInstance,
            QrcodeUpdated,
            ConnectionUpdate,
            StatusInstance,
            MessagesSet,
            MessagesUpsert,
            MessagesEdited,
            MessagesUpdate,
            MessagesDelete,
            SendMessage,
            SendMessageUpdate,
            ContactsSet,
            ContactsUpsert,
            ContactsUpdate,
            PresenceUpdate,
            ChatsSet,
            ChatsUpsert,
            ChatsUpdate,
            ChatsDelete,
            GroupsUpsert,
            GroupsUpdate,
            GroupParticipantsUpdate,
            LabelsEdit,
            LabelsAssociation,
            Call,
            TypebotStart,
            TypebotChangeStatus,
            CredsUpdate,
            MessagingHistorySet,
        )
    }
)
"""The class of each of the server's 33 events, by the server's name."""

# Events of the server's library that no version up to 2.4 passes on. Those about channels
# (newsletter.…) are not among them: their shapes are not settled, an UnknownEvent keeps them.
_FORESEEN: Mapping[str, type[Event]] = {GroupJoinRequest.wire: GroupJoinRequest}
# MESSAGES_UPSERT in subscriptions, messages-upsert in paths: one key for all spellings.
_BY_SPELLING = {
    name.replace("-", ".").replace("_", "."): kind
    for name, kind in {**EVENT_CLASSES, **_FORESEEN}.items()
}
_LONGEST_NAME = max(map(len, EVENT_CLASSES))
_STATUS_FIELDS = ("keyId", "status", "remoteJid")


def parse_event(
    body: Body,
    *,
    source: Source | None = None,
    received_at: datetime | None = None,
    event_hint: str | None = None,
) -> Event:
    """Read one event, of any transport; never raises.

    Args:
        body: The body of a webhook, the argument of a socket event, the body of a queue message;
            as bytes, text, or decoded. A decoded one is kept, not copied: do not change it.
        source: Transport by which it arrived.
        received_at: Time of arrival (aware); nothing here looks at a clock.
        event_hint: Name of the event from elsewhere, such as a routing key, or the last part of
            the path of a by-events webhook (``messages-upsert``); used only where the body names
            no event.

    Returns:
        An event of its class; :class:`UnknownEvent` for a name that this SDK does not know,
        :class:`MalformedEvent` for a body that is no event. Both keep everything.
    """
    try:
        raw: object = body if _is_dict(body) else _decoded(body)
    except _UnreadableError as problem:
        return MalformedEvent(
            problem.body, source=source, received_at=received_at, reason=problem.reason
        )
    if not _is_dict(raw):
        reason = "the body is not a JSON object"
        return MalformedEvent(raw, source=source, received_at=received_at, reason=reason)
    # Nearly every event is a plain envelope of a known name; all the rest takes the longer way.
    name = raw.get("event")
    kind = EVENT_CLASSES.get(name) if type(name) is str else None
    if kind is not None and "data" in raw:
        data = raw["data"]
        event = kind.wire
    else:
        found = _recognised(raw, name, event_hint)
        if found is None:
            reason = "the body names no event"
            return MalformedEvent(raw, source=source, received_at=received_at, reason=reason)
        kind, event, data = found
    instance = raw.get("instance")
    return kind(
        raw,
        data,
        event=event,
        instance=instance if type(instance) is str else "",
        source=source,
        received_at=received_at,
    )


def event_class(name: str) -> type[Event] | None:
    """Return the class of an event, by any spelling of its name.

    Args:
        name: ``messages.upsert``, ``MESSAGES_UPSERT`` or ``messages-upsert``.

    Returns:
        The class, or None for a name that the server does not have.
    """
    # A stranger may post a name of megabytes.
    if len(name) > _LONGEST_NAME:
        return None
    return _BY_SPELLING.get(name.lower().replace("-", ".").replace("_", "."))


def _is_dict(value: object) -> TypeGuard[dict[str, object]]:
    return type(value) is dict


class _UnreadableError(Exception):
    """A body could not be decoded; the reason names nothing of its content."""

    def __init__(self, body: object, reason: str) -> None:
        super().__init__(reason)
        self.body = body
        self.reason = reason


def _decoded(body: object) -> object:
    # Reads nearly every body, to the same values as json and in half the time. What it refuses (a
    # lone surrogate, a byte order mark, deep nesting, whatever is wrong) json reads or explains.
    if type(body) is bytes or type(body) is str:
        try:
            # Only names are kept for the next body: the rest may be what people wrote.
            return cast("object", from_json(body, cache_strings="keys"))
        except ValueError:
            pass
    try:
        if is_object(body):
            return dict(body)
        if not isinstance(body, bytes | str):
            body = bytes(memoryview(cast("bytearray", body)))
    except Exception as error:
        raise _UnreadableError(body, "the body is not bytes, text or a mapping") from error
    # Of bytes json itself takes the byte order mark off, of text it refuses it.
    plain = body.lstrip("\ufeff") if isinstance(body, str) else body
    try:
        return json.loads(plain)
    except RecursionError as error:
        raise _UnreadableError(body, "the JSON is nested too deeply") from error
    except json.JSONDecodeError as error:
        raise _UnreadableError(body, "the body is not JSON") from error
    except UnicodeDecodeError as error:
        raise _UnreadableError(body, "the body is not UTF-8") from error
    except ValueError:
        pass
    # The one error left is an integer with more digits than Python converts: its text is kept.
    try:
        return json.loads(plain, parse_int=_number)
    except (ValueError, RecursionError) as error:
        raise _UnreadableError(body, "the body is not JSON") from error


def _number(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:
        return digits


def _recognised(
    raw: dict[str, object], name: object, hint: str | None
) -> tuple[type[Event], str, object] | None:
    """Return class, name and data of everything that is not a plain envelope of a known event."""
    data = raw.get("data")
    if isinstance(name, str) and name:
        # Meta's own post, without the server's envelope: its "event" is APPROVED or the like.
        if "message_template_id" in raw:
            return TemplateStatusUpdate, TemplateStatusUpdate.wire, raw
        # The report carries the global key, or names no instance; any other "error" is unknown.
        if name == ServerErrorReport.wire and ("api_key" in raw or "instance" not in raw):
            return ServerErrorReport, name, data
        kind = event_class(name)
        return (UnknownEvent, name, data) if kind is None else (kind, kind.wire, data)
    # Business posts statuses of a template message without an envelope to its own webhook.
    if all(field in raw for field in _STATUS_FIELDS):
        return MessagesUpdate, MessagesUpdate.wire, raw
    if hint:
        kind = event_class(hint)
        if kind is not None and "data" in raw:
            return kind, kind.wire, data
        if "data" in raw:
            return UnknownEvent, hint, data
    return None
