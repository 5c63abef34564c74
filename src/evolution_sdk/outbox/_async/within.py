"""Handing over within a transaction of the program."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from evolution_sdk._async._seam import Later, run_blocking
from evolution_sdk._async.resources.messages import AsyncMessagesApi
from evolution_sdk._base.pending_calls import tracked_class
from evolution_sdk._common.arguments import checked
from evolution_sdk._sql.troubles import of_postgres, of_sqlite
from evolution_sdk.errors import EvolutionError, OutboxStoreError
from evolution_sdk.outbox.callers_connection import check_transaction, driver_connection
from evolution_sdk.outbox.handing_over import OutboxDraft, Statement, drafts_of, put_steps
from evolution_sdk.outbox.options import OwnOptions
from evolution_sdk.outbox.records import OutboxMessage
from evolution_sdk.outbox.store import OutboxStore

from ._seam import drive, run_statement
from .messages import AsyncOutboxMessages

__all__ = ["AsyncOutboxTransaction"]

_SAVE, _UNDO, _KEEP = (
    f"{words} evolution_outbox"
    for words in ("SAVEPOINT", "ROLLBACK TO SAVEPOINT", "RELEASE SAVEPOINT")
)
_NOW = "SELECT (extract(epoch FROM clock_timestamp()) * 1000)::bigint"


@tracked_class
@checked()
class AsyncOutboxTransaction:
    """An outbox over a connection of the program; see :meth:`AsyncOutbox.using`.

    Attributes:
        messages: The sends of ``client.messages``; each returns an :class:`OutboxMessage` whose row
            is there once the program's transaction has committed.
    """

    def __init__(
        self,
        connection: Any,
        store: OutboxStore,
        draft: Callable[[OwnOptions, Callable[[AsyncMessagesApi], Later[Any]]], Later[OutboxDraft]],
    ) -> None:
        self._connection = driver_connection(connection, postgres=store.is_shared)
        self._store = store
        self._draft = draft
        self.messages: AsyncOutboxMessages[OutboxMessage] = AsyncOutboxMessages(self._put)

    async def put_many(self, drafts: Sequence[OutboxDraft]) -> list[OutboxMessage]:
        """Write many messages in the program's transaction.

        Args:
            drafts: The messages, made with ``outbox.drafts``.

        Returns:
            The messages, in the same order.

        Raises:
            OutboxConflictError: A key belongs to another message; none was written.
            RecipientOptedOutError: A recipient opted out; none was written.
            OutboxStoreError: A statement failed; none was written.
            ConfigurationError: The connection is in autocommit mode, and in no transaction.
        """
        given = drafts_of(drafts)
        key = given[0].key if len(given) == 1 else None
        await run_blocking(self._store.check)
        first = check_transaction(self._connection)
        await self._run((first or _SAVE, ()), key)
        try:
            now = await self._now(key)
            made = await drive(
                put_steps(given, now, self._store.cipher, self._store.noting([])),
                lambda step: self._run(step, key),
            )
            if first is None:
                await self._run((_KEEP, ()), key)
        except BaseException:
            # Nothing of it is written, and the program's own rows are as before.
            with suppress(Exception):
                for statement in (_UNDO, _KEEP) if first is None else ("ROLLBACK",):
                    await self._run((statement, ()), key)
            raise
        return made

    async def _put(
        self, own: OwnOptions, compose: Callable[[AsyncMessagesApi], Later[Any]]
    ) -> OutboxMessage:
        draft = await self._draft(own, compose)
        (made,) = await self.put_many([draft])
        return made

    async def _now(self, key: str | None) -> int:
        if not self._store.is_shared:
            return round(self._store.clock.clock.time() * 1_000)
        ((now,),) = await self._run((_NOW, ()), key)
        return int(now)

    async def _run(self, step: Statement, key: str | None) -> list[Any]:
        try:
            return await run_statement(self._connection, *step)
        except EvolutionError:
            raise
        except Exception as error:
            make = of_sqlite if isinstance(error, sqlite3.Error) else of_postgres
            trouble = make(error)
            raise OutboxStoreError(str(trouble), kind=trouble.kind, key=key) from error
