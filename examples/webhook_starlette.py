"""Answer ``/ping`` under Starlette: ``uvicorn webhook_starlette:app``."""

from __future__ import annotations

import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
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
async def lifespan(_: Starlette) -> AsyncGenerator[None]:
    async with client, receiver.running():
        yield


app = Starlette(lifespan=lifespan, routes=[Route("/evolution{rest:path}", endpoint=receiver.asgi)])
