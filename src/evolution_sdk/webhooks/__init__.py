"""Events by HTTP: a receiver that loses none, for any framework or for none."""

from evolution_sdk._client.webhook_sync import WebhookSync

from .inbox import Inbox, MemoryInbox
from .postgres_inbox import PostgresInbox
from .queue import DeadLetter, Delivery, ReceiverMetrics
from .receiver import WebhookReceiver
from .responses import ANSWERS, DROPPED_FOR_GOOD, Answer
from .sqlite_inbox import SqliteInbox
from .verify import sign_token

__all__ = [
    "ANSWERS",
    "DROPPED_FOR_GOOD",
    "Answer",
    "DeadLetter",
    "Delivery",
    "Inbox",
    "MemoryInbox",
    "PostgresInbox",
    "ReceiverMetrics",
    "SqliteInbox",
    "WebhookReceiver",
    "WebhookSync",
    "sign_token",
]
