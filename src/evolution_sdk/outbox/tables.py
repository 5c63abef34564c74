"""Tables of the outbox. The row of a message is the truth; all others only say where work is."""

from __future__ import annotations

from evolution_sdk._sql.schema import Steps

__all__ = ["PART", "STEPS"]

PART = "outbox"

# Times are milliseconds: of the day in `…_at` columns that people read (hand-over, not_before,
# expiry), of the store's steady clock in those that a look reckons with (begun, lost, answered).
_MESSAGE = """CREATE TABLE evolution_outbox (
    id [[number]],
    key TEXT NOT NULL UNIQUE,
    instance TEXT NOT NULL,
    chat TEXT NOT NULL,
    recipient TEXT NOT NULL,
    operation TEXT NOT NULL,
    payload [[bytes]] NOT NULL,
    file TEXT,
    metadata TEXT,
    priority INTEGER NOT NULL,
    on_unknown TEXT NOT NULL,
    not_before [[big]],
    expires_at [[big]],
    due_at [[big]] NOT NULL,
    created_at [[big]] NOT NULL,
    state TEXT NOT NULL,
    lined_up INTEGER NOT NULL DEFAULT 0,
    attempts INTEGER NOT NULL DEFAULT 0,
    failures INTEGER NOT NULL DEFAULT 0,
    looks INTEGER NOT NULL DEFAULT 0,
    worker TEXT,
    boot TEXT,
    begun_at [[big]],
    begun_steady [[big]],
    lost_steady [[big]],
    given_id TEXT,
    message_id TEXT,
    remote_jid TEXT,
    server_time [[big]],
    answered_steady [[big]],
    sent_at [[big]],
    server_at [[big]],
    delivered_at [[big]],
    read_at [[big]],
    error TEXT,
    reason TEXT NOT NULL DEFAULT '',
    found INTEGER NOT NULL DEFAULT 0
)"""
# A chat with work. Whoever works on it holds its row, so that its messages go one after another.
# Hand-over does not touch it: the caller's transaction may last, and must hold up nobody.
_CHAT = """CREATE TABLE evolution_outbox_chat (
    instance TEXT NOT NULL,
    chat TEXT NOT NULL,
    head [[big]] NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL,
    ready_at [[big]] NOT NULL,
    worker TEXT,
    PRIMARY KEY (instance, chat)
)"""

STEPS: Steps = (
    (
        _MESSAGE,
        "CREATE INDEX evolution_outbox_due ON evolution_outbox (due_at, id) WHERE lined_up = 0",
        "CREATE INDEX evolution_outbox_queue ON evolution_outbox (instance, chat, id) "
        "WHERE lined_up = 1 AND state = 'queued'",
        "CREATE INDEX evolution_outbox_rank ON evolution_outbox (instance, chat, priority) "
        "WHERE lined_up = 1 AND state = 'queued'",
        "CREATE INDEX evolution_outbox_sending ON evolution_outbox (instance, chat) "
        "WHERE state = 'sending'",
        "CREATE INDEX evolution_outbox_worker_of ON evolution_outbox (worker) "
        "WHERE state = 'sending'",
        "CREATE INDEX evolution_outbox_expiry ON evolution_outbox (expires_at) "
        "WHERE state = 'queued' AND expires_at IS NOT NULL",
        "CREATE INDEX evolution_outbox_begun ON evolution_outbox (instance, chat, begun_steady) "
        "WHERE begun_steady IS NOT NULL",
        "CREATE INDEX evolution_outbox_told ON evolution_outbox (instance, answered_steady) "
        "WHERE server_time IS NOT NULL",
        "CREATE INDEX evolution_outbox_message ON evolution_outbox (instance, message_id) "
        "WHERE message_id IS NOT NULL",
        "CREATE INDEX evolution_outbox_given ON evolution_outbox (instance, given_id) "
        "WHERE given_id IS NOT NULL AND message_id IS NULL",
        "CREATE INDEX evolution_outbox_state ON evolution_outbox (state, instance, created_at)",
        "CREATE INDEX evolution_outbox_to ON evolution_outbox (chat, id)",
        "CREATE INDEX evolution_outbox_file_of ON evolution_outbox (file) WHERE file IS NOT NULL",
        _CHAT,
        "CREATE INDEX evolution_outbox_chat_ready ON evolution_outbox_chat "
        "(instance, priority DESC, head) WHERE state = 'ready'",
        "CREATE INDEX evolution_outbox_chat_waiting ON evolution_outbox_chat (ready_at) "
        "WHERE state = 'waiting'",
        "CREATE INDEX evolution_outbox_chat_busy ON evolution_outbox_chat (worker) "
        "WHERE state = 'busy'",
        """CREATE TABLE evolution_outbox_instance (
            instance TEXT PRIMARY KEY,
            paused_until [[big]],
            pause_reason TEXT NOT NULL DEFAULT '',
            by_person INTEGER NOT NULL DEFAULT 0,
            troubles INTEGER NOT NULL DEFAULT 0
        )""",
        """CREATE TABLE evolution_outbox_worker (
            id TEXT PRIMARY KEY,
            host TEXT NOT NULL,
            pid INTEGER NOT NULL,
            slot INTEGER NOT NULL,
            lease_until [[big]] NOT NULL
        )""",
        """CREATE TABLE evolution_outbox_file (
            hash TEXT PRIMARY KEY,
            content [[bytes]] NOT NULL,
            size [[big]] NOT NULL,
            created_at [[big]] NOT NULL
        )""",
        """CREATE TABLE evolution_outbox_opt_out (
            instance TEXT NOT NULL,
            chat TEXT NOT NULL,
            since [[big]] NOT NULL,
            reason TEXT NOT NULL,
            PRIMARY KEY (instance, chat)
        )""",
        """CREATE TABLE evolution_outbox_boot (
            boot TEXT PRIMARY KEY,
            anchor [[big]] NOT NULL
        )""",
    ),
)
