"""How a receiver is mounted, for type checkers: the lines of docs/en/webhooks.md and examples."""

from __future__ import annotations

from typing import assert_type

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from evolution_sdk.events import EventRouter
from evolution_sdk.webhooks import WebhookReceiver
from evolution_sdk.webhooks.responses import Response

receiver = WebhookReceiver(EventRouter())

app = FastAPI(lifespan=receiver.running)
app.routes.append(Route("/evolution{rest:path}", endpoint=receiver.asgi))
app.mount("/mounted", receiver.asgi)

listed = [Route("/evolution{rest:path}", endpoint=receiver.asgi)]
Starlette(lifespan=receiver.running, routes=[*listed, Mount("/mounted", receiver.asgi)])
FastAPI(lifespan=receiver.running, routes=[*listed])


async def view(body: bytes, headers: dict[str, str]) -> Response:
    """A view of any framework with an event loop."""
    answer = await receiver.handle_async("POST", "/evolution", headers, body)
    assert_type(answer, tuple[int, dict[str, str], bytes])
    return answer
