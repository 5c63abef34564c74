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
    answered INTEGER NOT NULL DEFAULT 0,
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
# Each claim has a ticket of its own: what came of an earlier one never lets go of a later one.
# Hand-over does not touch it: the caller's transaction may last, and must hold up nobody.
_CHATS = "evolution_outbox_chat"
_CHAT = """CREATE TABLE evolution_outbox_chat (
    instance TEXT NOT NULL,
    chat TEXT NOT NULL,
    head [[big]] NOT NULL,
    priority INTEGER NOT NULL,
    state TEXT NOT NULL,
    ready_at [[big]] NOT NULL,
    worker TEXT,
    ticket TEXT,
    PRIMARY KEY (instance, chat)
)"""


def _index(name: str, columns: str, where: str = "", table: str = "evolution_outbox") -> str:
    some = f" WHERE {where}" if where else ""
    return f"CREATE INDEX evolution_outbox_{name} ON {table} ({columns}){some}"


STEPS: Steps = (
    (
        _MESSAGE,
        _index("due", "due_at, id", "lined_up = 0"),
        # `id + 0`: an order that only these have, see taking.py.
        _index("new", "instance, chat, (id + 0)", "lined_up = 0"),
        _index("queue", "instance, chat, (id + 0)", "lined_up = 1 AND state = 'queued'"),
        _index("rank", "instance, chat, priority", "lined_up = 1 AND state = 'queued'"),
        _index("sending", "instance, chat", "state = 'sending'"),
        _index("worker_of", "worker", "state = 'sending'"),
        _index("expiry", "expires_at", "state = 'queued' AND expires_at IS NOT NULL"),
        _index("nameless", "instance, id", "state = 'sent' AND message_id IS NULL"),
        _index("begun", "instance, chat, begun_steady", "begun_steady IS NOT NULL"),
        _index("told", "instance, answered_steady", "server_time IS NOT NULL"),
        _index("message", "instance, message_id", "message_id IS NOT NULL"),
        _index("given", "instance, given_id", "given_id IS NOT NULL AND message_id IS NULL"),
        # Two for people's questions alone, which say `created_at > 0` (it always is): work is never
        # searched by them, whatever the database thinks of it. The first is of equal use for
        # counts, for the oldest that waits, and for what is old enough to go.
        _index("state", "state, instance, coalesce(not_before, created_at)", "created_at > 0"),
        _index("to", "chat, id", "created_at > 0"),
        _index("found", "instance, id", "found = 1"),
        _index("file_of", "file", "file IS NOT NULL"),
        _CHAT,
        _index(
            "chat_ready",
            "instance, priority DESC, head",
            "state = 'ready'",
            table="evolution_outbox_chat",
        ),
        _index("chat_waiting", "ready_at", "state = 'waiting'", table=_CHATS),
        _index("chat_busy", "worker", "state = 'busy'", table=_CHATS),
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
            size [[big]] NOT NULL,
            created_at [[big]] NOT NULL,
            content [[bytes]] NOT NULL
        )""",
        _index("file_age", "created_at", table="evolution_outbox_file"),
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
