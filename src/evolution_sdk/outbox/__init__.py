"""Outbox: a message handed over is written down first, and sent once.

``Outbox("outbox.db", client=client)`` keeps it in a SQLite file, ``Outbox("postgresql://…", …)`` in
PostgreSQL for several machines; ``AsyncOutbox`` is the same for asyncio.
"""

from evolution_sdk._base.public import publish
from evolution_sdk.errors import (
    OutboxConflictError,
    OutboxEndedError,
    OutboxStoreError,
    RecipientOptedOutError,
)

from ._async.messages import AsyncOutboxMessages
from ._async.outbox import AsyncOutbox
from ._async.within import AsyncOutboxTransaction
from ._sync.messages import OutboxMessages
from ._sync.outbox import Outbox
from ._sync.within import OutboxTransaction
from .engine import OutboxEngine, OutboxWork
from .events import OutboxEvent
from .facts import OutboxFact
from .handing_over import OutboxDraft
from .jobs import OutboxJob
from .options import OutboxComposeOptions, OutboxSendOptions
from .procrastinate import ProcrastinateEngine
from .questions import OptOut, OutboxPause, OutboxStats
from .records import OutboxFailure, OutboxMessage, OutboxState

__all__ = [
    "AsyncOutbox",
    "AsyncOutboxMessages",
    "AsyncOutboxTransaction",
    "OptOut",
    "Outbox",
    "OutboxComposeOptions",
    "OutboxConflictError",
    "OutboxDraft",
    "OutboxEndedError",
    "OutboxEngine",
    "OutboxEvent",
    "OutboxFact",
    "OutboxFailure",
    "OutboxJob",
    "OutboxMessage",
    "OutboxMessages",
    "OutboxPause",
    "OutboxSendOptions",
    "OutboxState",
    "OutboxStats",
    "OutboxStoreError",
    "OutboxTransaction",
    "OutboxWork",
    "ProcrastinateEngine",
    "RecipientOptedOutError",
]

# The errors keep their home in evolution_sdk.errors; here they are at hand beside what raises them.
publish(__name__, [name for name in __all__ if not name.endswith("Error")])
