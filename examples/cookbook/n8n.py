"""Forward messages to an n8n workflow; none is lost while n8n is down.

Run: python examples/cookbook/n8n.py, with EVOLUTION_…, WEBHOOK_URL and N8N_URL in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import httpx

from evolution_sdk import EvolutionClient, SyncMessagesUpsert
from evolution_sdk.events import EventRouter, filters
from evolution_sdk.retry import EvolutionRetryService
from evolution_sdk.webhooks import WebhookReceiver


def make_router(post: Callable[[dict[str, Any]], object]) -> EventRouter:
    """Forward what the workflow needs, in a form that is the same on all server versions."""
    router = EventRouter()

    @router.on(SyncMessagesUpsert, ~filters.from_me)
    def forward(event: SyncMessagesUpsert) -> None:
        post(
            {
                "id": event.delivery_key,  # a duplicate has the same id: n8n can skip it
                "instance": event.instance,
                "chat": str(event.chat),
                "name": event.push_name,
                "kind": str(event.kind),
                "text": event.text,
            }
        )

    return router


def poster(http: httpx.Client, url: str) -> Callable[[dict[str, Any]], object]:
    """Post to n8n; raise on an error status, so that the event is tried again."""
    return lambda told: http.post(url, json=told).raise_for_status()


def main() -> None:
    """Serve the receiver; what n8n does not take is tried again, then kept as a dead letter."""
    import uvicorn

    with EvolutionClient() as client, httpx.Client(timeout=10) as http:
        router = make_router(poster(http, os.environ["N8N_URL"]))
        retry = EvolutionRetryService(max_attempts=5, retry_on=httpx.HTTPError)
        receiver = WebhookReceiver(router, client=client, inbox="inbox.db", retry=retry)
        client.webhook.sync(router, url=os.environ["WEBHOOK_URL"])
        uvicorn.run(receiver.asgi, host=os.environ.get("HOST", "127.0.0.1"), port=8000)


if __name__ == "__main__":
    main()
