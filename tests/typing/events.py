"""Read by mypy and pyright, never run: a wrong filter or handler is refused, a right one is not."""

from __future__ import annotations

from collections.abc import Coroutine
from typing import Any, assert_type

from evolution_sdk import AsyncEvolutionClient, AsyncSentMessage
from evolution_sdk.events import (
    ConnectionUpdate,
    Event,
    EventRouter,
    MessageEvent,
    MessagesUpdate,
    MessagesUpsert,
    SendMessage,
    filters,
)
from evolution_sdk.events.filters import CommandCall, Filter

router = EventRouter()

assert_type(filters.text & ~filters.from_me, Filter[MessageEvent])
assert_type(filters.instance("x") & filters.text, Filter[MessageEvent])
assert_type(filters.text | filters.instance("x"), Filter[MessageEvent])


@filters.new
def urgent(event: MessagesUpsert) -> bool:
    return event.text == "!"


assert_type(urgent, Filter[MessagesUpsert])


@router.on(MessagesUpsert, filters.text, urgent, filters.command("x"), filters.instance("y"))
def handler(event: MessagesUpsert, command: CommandCall) -> None: ...


@router.on((MessagesUpsert, SendMessage), filters.group)
async def both(event: MessageEvent) -> None: ...


@router.on(MessagesUpdate, filters.status("READ") & filters.from_me)
def read(event: MessagesUpdate) -> None: ...


@router.on(Event)
def everything(event: Event) -> None: ...


@router.on(ConnectionUpdate, filters.text)  # type: ignore[misc]  # it has no text  # pyright: ignore[reportArgumentType]
def wrong_filter(event: ConnectionUpdate) -> None: ...


@router.on(Event, urgent)  # type: ignore[misc]  # not every event is a message  # pyright: ignore[reportArgumentType]
def too_wide(event: Event) -> None: ...


@router.on(MessagesUpsert)  # type: ignore[arg-type]  # the handler is of another event  # pyright: ignore[reportArgumentType]
def wrong_handler(event: ConnectionUpdate) -> None: ...


async def answered() -> int:
    return 1


@router.on(MessagesUpsert)
def hands_on(event: MessagesUpsert) -> Coroutine[Any, Any, None]:  # a coroutine to be awaited
    return awaited()


async def awaited() -> None: ...


@router.on(MessagesUpsert)  # type: ignore[type-var]  # the answer of a call, not awaited  # pyright: ignore[reportArgumentType]
def forgets(event: MessagesUpsert) -> Coroutine[Any, Any, int]:
    return answered()


def forgets_too(client: AsyncEvolutionClient) -> None:
    def handler(event: MessagesUpsert) -> Coroutine[Any, Any, AsyncSentMessage]:
        return event.bind(client).reply_text("hi")

    router.add(handler, MessagesUpsert)  # type: ignore[arg-type]  # as above  # pyright: ignore[reportCallIssue, reportArgumentType]
    router.add(lambda event: event.bind(client).reply_text("hi"), MessagesUpsert)  # type: ignore[misc]  # as above  # pyright: ignore[reportCallIssue, reportArgumentType]
