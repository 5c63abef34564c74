"""A menu that every phone shows: buttons or numbered lines, and one handler for all answers.

Run: python examples/cookbook/menu.py, with EVOLUTION_… and WEBHOOK_URL in the environment.
"""

from __future__ import annotations

import os

from evolution_sdk import Button, EvolutionClient, SyncMessagesUpsert
from evolution_sdk.events import EventRouter, filters
from evolution_sdk.webhooks import WebhookReceiver

MENU = {"Opening hours": "Monday to Friday, 9 to 18.", "Address": "Av. Paulista, 1578, São Paulo."}
# What comes by itself, without a word for us: it gets no menu.
QUIET = {"album", "call_log", "placeholder", "protocol", "unknown"}
BUTTONS = [Button(display_text=choice, id=choice) for choice in MENU]


def chosen(event: SyncMessagesUpsert) -> str | None:
    """Return the choice that an answer means: a button, a vote, a number, or its words."""
    if event.selected is not None:
        return event.selected.id
    if event.poll_vote is not None:
        # None: the server could not read the vote. Empty: it was taken back.
        return next(iter(event.poll_vote.options or ()), None)
    words = (event.text or "").strip()
    numbers = {str(place): choice for place, choice in enumerate(MENU, 1)}
    if words in numbers:
        return numbers[words]
    return next((choice for choice in MENU if choice.lower() == words.lower()), None)


def make_router() -> EventRouter:
    """Answer a choice; show the menu after anything else."""
    router = EventRouter()

    @router.on(SyncMessagesUpsert, filters.private & ~filters.from_me)
    def answer(event: SyncMessagesUpsert) -> None:
        choice = chosen(event)
        if choice in MENU:
            event.reply_text(MENU[choice])
        elif event.target is None and event.kind not in QUIET:
            # Before server 2.4, phones often show no buttons: it sends numbered lines instead.
            event.reply_buttons(title="How can we help?", buttons=BUTTONS, fallback="text")

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
