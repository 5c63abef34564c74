"""An outbox of either colour over either database, in front of a fake server."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any

from clients.conftest import Kit, until
from clients.fake_stage import Stage
from evolution_sdk.events import parse_event
from evolution_sdk.outbox import AsyncOutbox, Outbox

ALICE, BOB, CAROL = "5531988880001", "5531988880002", "5531988880003"

_TIMES = {
    "evolution_outbox": (
        "not_before", "expires_at", "created_at", "begun_at", "begun_steady", "lost_steady",
        "answered_steady", "sent_at",
    ),
    "evolution_outbox_chat": ("ready_at",),
    "evolution_outbox_instance": ("paused_until",),
    "evolution_outbox_file": ("created_at",),
    "evolution_outbox_opt_out": ("since",),
}  # fmt: skip


class Desk:
    """A fake server, a client, and outboxes over one store.

    Attributes:
        is_postgres: Whether the store is PostgreSQL, which goes by its own clock.
    """

    def __init__(self, kit: Kit, place: str) -> None:
        self.kit, self.place = kit, place
        self.is_postgres = place.startswith("postgresql")
        if self.is_postgres:
            kit.time.now = time.time()
        self.stage = Stage(kit)
        self.stage.open_instance()
        self.fake = self.stage.fake
        self.client = self.stage.client()
        self._opened: list[Any] = []
        self.outbox = self.open()

    def open(self, *, client: Any = None, place: str | None = None, **options: Any) -> Any:
        """Another outbox over the same store, as another process has one."""
        make: Any = AsyncOutbox if self.kit.colour == "async" else Outbox
        made = make(
            place or self.place,
            client=self.client if client is None else client,
            **options,
        )
        self._opened.append(made)
        return made

    async def run(self, value: Any) -> Any:
        return await self.kit.run(value)

    async def text(self, text: str = "oi", number: str = ALICE, **options: Any) -> Any:
        """Hand a text over."""
        return await self.run(self.outbox.messages.send_text(number, text, **options))

    async def get(self, key: str) -> Any:
        return await self.run(self.outbox.get(key))

    async def state(self, key: str) -> str:
        found = await self.get(key)
        return str(found.state.value)

    async def deliver(self, message: Any) -> Any:
        return await self.run(self.outbox.deliver(message.id))

    async def sent(self, text: str = "oi", number: str = ALICE, **options: Any) -> Any:
        """Hand a text over and deliver it."""
        message = await self.text(text, number, **options)
        assert await self.deliver(message) is None
        found = await self.get(message.key)
        assert found.state == "sent", found
        return found

    def write(self, sql: str, values: Any = ()) -> list[Any]:
        """Change the store, as a test may."""
        with self.outbox._store.writing() as (session, _):
            rows: list[Any] = session.run(sql, values)
            return rows

    def count(self, table: str = "evolution_outbox") -> int:
        return int(self.write(f"SELECT count(*) FROM {table}")[0][0])

    def set_state(self, key: str, state: str) -> None:
        """Put a message into a state, as workers and events would over time."""
        self.write(
            "UPDATE evolution_outbox SET state = ?, lined_up = 1 WHERE key = ?", (state, key)
        )

    def pass_time(self, seconds: float) -> None:
        """Let time go by: on the fake clock, or by moving what the rows say into the past."""
        self.kit.time.now += seconds
        if not self.is_postgres:
            return
        ms = round(seconds * 1_000)
        for table, names in _TIMES.items():
            changes = ", ".join(f"{name} = {name} - {ms}" for name in names)
            self.write(f"UPDATE {table} SET {changes}")
        self.write(f"UPDATE evolution_outbox SET due_at = due_at - {ms} WHERE due_at > 0")

    def bodies(self, since: int = 0) -> list[Any]:
        """What the server was asked to send, without the id that differs each time."""
        found: list[Any] = []
        for seen in self.stage.sends()[since:]:
            if seen.is_multipart:
                fields, file = seen.form
                body: dict[str, Any] = {**fields, "_file": (file.filename, file.content)}
            else:
                body = dict(seen.json)
            found.append((seen.path, body))
        return found

    async def tell(self, event: str, data: Any, instance: str = "sales") -> None:
        """Feed the client with an event, and have it written down."""
        self.client.feed(parse_event({"event": event, "instance": instance, "data": data}))
        self.flush()

    async def told(self, message_id: str, status: str, chat: str, **more: Any) -> None:
        """Feed the client with a status of a message."""
        data = {"keyId": message_id, "remoteJid": chat, "fromMe": True, "status": status, **more}
        await self.tell("messages.update", data)

    def flush(self) -> None:
        self.outbox._teller._follower.flush()

    async def soon(self, so: Callable[[], bool]) -> None:
        """Let other threads and tasks run until something is so."""
        if self.kit.colour == "async":
            await until(so)
        else:
            await asyncio.to_thread(_wait, so)

    async def close(self) -> None:
        for one in self._opened:
            await self.run(one.close())
        await self.run(self.client.close())


def _wait(so: Callable[[], bool]) -> None:
    for _ in range(100_000):
        if so():
            return
        time.sleep(0)
    raise AssertionError("it never came to be so")
