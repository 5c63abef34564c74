"""How events arrive by HTTP: a receiver that loses none, for any framework or for none."""

from evolution_sdk._client.webhook_sync import WebhookSync

from .answers import ANSWERS, DROPPED_FOR_GOOD, Answer, Rule
from .desk import DeadLetter, Delivery, ReceiverMetrics
from .inbox import Entry, Inbox, MemoryInbox
from .receiver import WebhookReceiver
from .sqlite_inbox import SqliteInbox
from .verify import sign_token

__all__ = [
    "ANSWERS",
    "DROPPED_FOR_GOOD",
    "Answer",
    "DeadLetter",
    "Delivery",
    "Entry",
    "Inbox",
    "MemoryInbox",
    "ReceiverMetrics",
    "Rule",
    "SqliteInbox",
    "WebhookReceiver",
    "WebhookSync",
    "sign_token",
]
