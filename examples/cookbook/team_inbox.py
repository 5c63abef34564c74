"""The back end of a shared inbox: chats, live updates, and answers that are sent once.

Run: uvicorn team_inbox:app --timeout-graceful-shutdown 5, with EVOLUTION_… in the environment.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import FastAPI, HTTPException, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.routing import Route

from evolution_sdk import AsyncEvolutionClient, Jid
from evolution_sdk.archive import Archive, ArchivedMessage
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.events import EventRouter, MessageEvent
from evolution_sdk.outbox import AsyncOutbox, OutboxConflictError, RecipientOptedOutError
from evolution_sdk.webhooks import WebhookReceiver

Limit = Annotated[int, Query(ge=1, le=1_000)]


class Answer(BaseModel):
    """What a colleague writes; the page makes ``key`` once, so a second click sends nothing."""

    key: str
    text: str


def shown(message: ArchivedMessage) -> dict[str, object]:
    """Return a message as the page shows it."""
    return {
        "id": message.id,
        "from_me": message.from_me,
        "text": "[deleted]" if message.deleted_at else message.text or f"[{message.kind}]",
        "status": message.status,
        "at": message.timestamp.isoformat(),
    }


def is_answerable(chat: str) -> bool:
    """Whether it is a person or a group: an answer to a story or a channel goes to everybody."""
    return not chat.endswith(("@broadcast", "@newsletter"))


class Pages:
    """The pages that are open; each is told which chats have news."""

    def __init__(self) -> None:
        self._open: set[asyncio.Queue[str]] = set()

    def tell(self, chat: Jid) -> None:
        """Tell all pages that a chat has news."""
        for page in self._open:
            page.put_nowait(str(chat))

    async def stream(self) -> AsyncIterator[str]:
        """Yield what one page gets, as server-sent events."""
        page: asyncio.Queue[str] = asyncio.Queue()
        self._open.add(page)
        try:
            while True:
                yield f"data: {await page.get()}\n\n"
        finally:
            self._open.discard(page)


def make_app(
    client: AsyncEvolutionClient, archive: Archive, outbox: AsyncOutbox, inbox: str | None = None
) -> FastAPI:
    """Make the application; put your own login in front."""
    router, pages = EventRouter(), Pages()

    @router.on(MessageEvent)
    async def heard(event: MessageEvent) -> None:
        archive.record(event)
        if event.chat is not None:
            pages.tell(event.chat)

    receiver = WebhookReceiver(router, client=client, inbox=inbox)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        client.observe(archive.observe)  # records what is sent
        async with client, outbox, receiver.running():
            yield
        archive.close()

    webhook = Route("/evolution{rest:path}", endpoint=receiver.asgi)
    app = FastAPI(lifespan=lifespan, routes=[webhook])

    @app.get("/chats")
    def chats() -> list[dict[str, object]]:
        newest: dict[str, dict[str, object]] = {}
        for message in archive.messages(limit=1_000):
            newest.setdefault(message.chat, {"chat": message.chat, "last": shown(message)})
        return [one for chat, one in newest.items() if is_answerable(chat)]

    @app.get("/chats/{chat}")
    def messages(chat: str, limit: Limit = 50) -> list[dict[str, object]]:
        return [shown(message) for message in archive.messages(chat=chat, limit=limit)]

    @app.post("/chats/{chat}", status_code=202)
    async def answer(chat: str, said: Answer) -> dict[str, str]:
        if not is_answerable(chat):
            raise HTTPException(422, "a story or a channel cannot be answered")
        try:
            message = await outbox.messages.send_text(chat, said.text, key=said.key)
        except RequestValidationError as error:
            raise HTTPException(422, str(error)) from None
        # Somebody who wants no messages, or a key that was used for another text.
        except (RecipientOptedOutError, OutboxConflictError) as error:
            raise HTTPException(409, str(error)) from None
        return {"state": message.state}

    @app.get("/live")
    def live() -> StreamingResponse:
        return StreamingResponse(pages.stream(), media_type="text/event-stream")

    return app


def main() -> FastAPI:
    """Make the application from the settings in the environment."""
    client = AsyncEvolutionClient()
    outbox = AsyncOutbox("outbox.db", client=client)
    return make_app(client, Archive("whatsapp.db"), outbox, "inbox.db")


def __getattr__(name: str) -> FastAPI:
    # uvicorn asks for `app`; an import for anything else opens no files.
    if name == "app":
        return main()
    raise AttributeError(name)
