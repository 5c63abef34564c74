"""A support bot: answers a menu in opening hours, and passes chats on to a person.

Run: python examples/cookbook/support_bot.py, with EVOLUTION_… and WEBHOOK_URL in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime
from zoneinfo import ZoneInfo

from evolution_sdk import EvolutionClient, SyncMessagesUpsert
from evolution_sdk.events import EventRouter, filters
from evolution_sdk.webhooks import WebhookReceiver

MENU = "1 Order status\n2 Opening hours\n3 Talk to a person"
ANSWERS = {"1": "Please send your order number.", "2": "Monday to Friday, 9 to 18."}
CLOSED = "We are closed now. We answer on the next working day."
HANDED_OVER = "A person will answer you here."


def is_open(now: datetime) -> bool:
    """Tell whether it is Monday to Friday, 9 to 18."""
    return now.weekday() < 5 and 9 <= now.hour < 18


def make_router(now: Callable[[], datetime]) -> EventRouter:
    """Answer the menu; with_person holds the chats that a person has taken over."""
    router = EventRouter()
    with_person: set[str] = set()  # keep it in your database if several processes answer

    @router.on(SyncMessagesUpsert, filters.from_me & filters.text("#bot"))
    def give_back(event: SyncMessagesUpsert) -> None:
        # Your colleague writes #bot on the phone: the bot answers this chat again.
        with_person.discard(str(event.chat))

    @router.on(SyncMessagesUpsert, filters.text & filters.private & ~filters.from_me)
    def answer(event: SyncMessagesUpsert) -> None:
        chat = str(event.chat)
        if chat in with_person:
            return
        if not is_open(now()):
            event.reply_text(CLOSED)
        elif event.text == "3":
            with_person.add(chat)
            event.reply_text(HANDED_OVER)
        else:
            event.reply_text(ANSWERS.get(event.text or "", MENU))

    return router


def main() -> None:
    """Serve the receiver until Ctrl-C."""
    import uvicorn

    router = make_router(lambda: datetime.now(ZoneInfo("America/Sao_Paulo")))
    with EvolutionClient() as client:
        receiver = WebhookReceiver(router, client=client, inbox="inbox.db")
        client.webhook.sync(router, url=os.environ["WEBHOOK_URL"])
        uvicorn.run(receiver.asgi, host=os.environ.get("HOST", "127.0.0.1"), port=8000)


if __name__ == "__main__":
    main()
