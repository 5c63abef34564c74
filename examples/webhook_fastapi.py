"""Answer ``/ping`` under FastAPI: ``uvicorn webhook_fastapi:app``.

The path takes whatever the server appends (``/messages-upsert``), so that FastAPI never answers
404, after which the server would drop the event for good.
"""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from starlette.routing import Route

from evolution_sdk import AsyncEvolutionClient, AsyncMessagesUpsert
from evolution_sdk.events import EventRouter, filters
from evolution_sdk.webhooks import WebhookReceiver

router = EventRouter()


@router.on(AsyncMessagesUpsert, filters.command("ping") & ~filters.from_me)
async def ping(event: AsyncMessagesUpsert) -> None:
    await event.reply_text("pong")


client = AsyncEvolutionClient()
receiver = WebhookReceiver(
    router,
    client=client,
    inbox=os.environ.get("INBOX_PATH"),
    jwt_key=os.environ.get("WEBHOOK_JWT_KEY"),
)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
    async with client, receiver.running():
        yield


app = FastAPI(lifespan=lifespan, routes=[Route("/evolution{rest:path}", endpoint=receiver.asgi)])
