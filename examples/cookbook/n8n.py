"""n8n beside us: its workflow gets the events it wants, and none is lost while it is down.

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
    """Hand over what the workflow needs, in a form that no server version changes."""
    router = EventRouter()

    @router.on(SyncMessagesUpsert, ~filters.from_me)
    def forward(event: SyncMessagesUpsert) -> None:
        post(
            {
                "id": event.delivery_key,  # the same for a copy: n8n can leave it out
                "instance": event.instance,
                "chat": str(event.chat),
                "name": event.push_name,
                "kind": str(event.kind),
                "text": event.text,
            }
        )

    return router


def poster(http: httpx.Client, url: str) -> Callable[[dict[str, Any]], object]:
    """Post to n8n; an error status is an error, so that the event becomes a dead letter."""
    return lambda told: http.post(url, json=told).raise_for_status()


def main() -> None:
    """Serve the receiver; what n8n does not take is tried again, then kept for a replay."""
    import uvicorn

    with EvolutionClient() as client, httpx.Client(timeout=10) as http:
        router = make_router(poster(http, os.environ["N8N_URL"]))
        retry = EvolutionRetryService(max_attempts=5, retry_on=httpx.HTTPError)
        receiver = WebhookReceiver(router, client=client, inbox="inbox.db", retry=retry)
        client.webhook.sync(router, url=os.environ["WEBHOOK_URL"])
        uvicorn.run(receiver.asgi, port=8000)


if __name__ == "__main__":
    main()
