"""The names of events in subscriptions: plain data, so that settings can import it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal, get_args

__all__ = ["EVENTS_SINCE", "EVENT_NAMES", "LATER_EVENTS", "EventName"]

EventName = Literal[
    "APPLICATION_STARTUP",
    "QRCODE_UPDATED",
    "MESSAGES_SET",
    "MESSAGES_UPSERT",
    "MESSAGES_EDITED",
    "MESSAGES_UPDATE",
    "MESSAGES_DELETE",
    "SEND_MESSAGE",
    "SEND_MESSAGE_UPDATE",
    "CONTACTS_SET",
    "CONTACTS_UPSERT",
    "CONTACTS_UPDATE",
    "PRESENCE_UPDATE",
    "CHATS_SET",
    "CHATS_UPSERT",
    "CHATS_UPDATE",
    "CHATS_DELETE",
    "GROUPS_UPSERT",
    "GROUP_UPDATE",
    "GROUP_PARTICIPANTS_UPDATE",
    "CONNECTION_UPDATE",
    "LABELS_EDIT",
    "LABELS_ASSOCIATION",
    "CALL",
    "TYPEBOT_START",
    "TYPEBOT_CHANGE_STATUS",
    "MESSAGING_HISTORY_SET",
    "REMOVE_INSTANCE",
    "LOGOUT_INSTANCE",
    "INSTANCE_CREATE",
    "INSTANCE_DELETE",
    "STATUS_INSTANCE",
]
"""The events that can be subscribed to, by their names in subscriptions."""

EVENT_NAMES: tuple[str, ...] = get_args(EventName)

EVENTS_SINCE: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SEND_MESSAGE_UPDATE": "2.3",
        "INSTANCE_CREATE": "2.3",
        "INSTANCE_DELETE": "2.3",
        "STATUS_INSTANCE": "2.3",
        "MESSAGING_HISTORY_SET": "2.4",
    }
)
"""First server version that knows a name; 2.2 knows all others. An earlier one refuses the whole
subscription (recorded: "webhook.set every event name" of each version)."""

LATER_EVENTS: Final = frozenset(name for name, since in EVENTS_SINCE.items() if since != "2.3")
"""Names that not every server from 2.3 on knows: subscribed to only where they are asked for."""
