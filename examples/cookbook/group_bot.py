"""A bot that answers in groups only when somebody mentions it or replies to it.

Run: python examples/cookbook/group_bot.py, with EVOLUTION_… and WEBHOOK_URL in the environment.
"""

from __future__ import annotations

import os
import re

from evolution_sdk import EvolutionClient, SyncMessagesUpsert
from evolution_sdk.events import EventRouter, filters
from evolution_sdk.webhooks import WebhookReceiver


def reply_to(words: str) -> str:
    """Return what the bot answers."""
    return {"help": "Ask me for the time of the next meeting.", "meeting": "Friday at 10."}.get(
        words.casefold(), "I know: help, meeting."
    )


def make_router() -> EventRouter:
    """Answer whoever addresses the bot, also in groups where WhatsApp hides the numbers."""
    router = EventRouter()

    @router.on(SyncMessagesUpsert, filters.group & filters.text & filters.addressed_to_me)
    def answer(event: SyncMessagesUpsert) -> None:
        words = re.sub(r"@\S+", "", event.text or "").strip()
        event.reply_text(reply_to(words))

    return router


def main() -> None:
    """Serve the receiver until Ctrl-C."""
    import uvicorn

    router = make_router()
    with EvolutionClient() as client:
        receiver = WebhookReceiver(router, client=client, inbox="inbox.db")
        client.webhook.sync(router, url=os.environ["WEBHOOK_URL"])
        uvicorn.run(receiver.asgi, host=os.environ.get("HOST", "127.0.0.1"), port=8000)


if __name__ == "__main__":
    main()
