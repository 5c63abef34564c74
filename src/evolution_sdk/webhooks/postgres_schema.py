"""Tables of a PostgreSQL inbox."""

from __future__ import annotations

from evolution_sdk._sql.schema import Steps

PART = "inbox"

STEPS: Steps = (
    (
        # Whoever handles events. ``free``: it has ended, or others have begun to take its events.
        """CREATE TABLE evolution_inbox_receiver (
            id [[number]],
            until TIMESTAMPTZ NOT NULL,
            free BOOLEAN NOT NULL DEFAULT FALSE
        )""",
        # ``handed``: its owner has it in memory. ``again``: an owner before had it, too.
        """CREATE TABLE evolution_inbox_event (
            id [[number]],
            chat [[bytes]] NOT NULL,
            owner [[big]] NOT NULL,
            handed BOOLEAN NOT NULL,
            again BOOLEAN NOT NULL DEFAULT FALSE,
            key [[bytes]] NOT NULL,
            body [[bytes]] NOT NULL,
            source TEXT NOT NULL,
            hint [[bytes]],
            received_at [[real]] NOT NULL,
            finished TEXT NOT NULL DEFAULT '{}',
            attempts INTEGER NOT NULL DEFAULT 0,
            failed_at [[real]],
            error [[bytes]] NOT NULL DEFAULT '',
            error_text [[bytes]] NOT NULL DEFAULT ''
        )""",
        """CREATE INDEX evolution_inbox_chat ON evolution_inbox_event (chat, id)
            WHERE failed_at IS NULL""",
        """CREATE INDEX evolution_inbox_owner ON evolution_inbox_event (owner, id)
            WHERE failed_at IS NULL""",
        """CREATE INDEX evolution_inbox_waiting ON evolution_inbox_event (owner, id)
            WHERE NOT handed AND failed_at IS NULL""",
        """CREATE INDEX evolution_inbox_dead ON evolution_inbox_event (id)
            WHERE failed_at IS NOT NULL""",
        # The numbers tell how many there are at most, without a count that all would wait for.
        """CREATE TABLE evolution_inbox_key (
            number [[number]],
            key [[bytes]] NOT NULL UNIQUE,
            at [[real]] NOT NULL
        )""",
    ),
)
"""The steps from one version to the next; only ever added to."""
