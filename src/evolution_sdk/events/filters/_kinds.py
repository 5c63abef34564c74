"""Unions of events that the built-in filters apply to, from narrow to wide."""

from __future__ import annotations

from typing import TypeAlias

from evolution_sdk.events._base import Event
from evolution_sdk.events.contacts_chats_groups import GroupParticipantsUpdate, PresenceUpdate
from evolution_sdk.events.message_event import MessageEvent
from evolution_sdk.events.messages import MessagesUpdate

# Each contains the one before, so that any two filters have a meaning together.
AboutMessage: TypeAlias = MessageEvent
AboutDelivery: TypeAlias = MessageEvent | MessagesUpdate
AboutChat: TypeAlias = MessageEvent | MessagesUpdate | GroupParticipantsUpdate | PresenceUpdate
AnyEvent: TypeAlias = Event
