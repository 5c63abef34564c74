"""Opt-out: whoever writes SAIR gets no more messages from the outbox.

Run: python examples/cookbook/opt_out.py, with EVOLUTION_… and WEBHOOK_URL in the environment.
"""

from __future__ import annotations

import os
from contextlib import closing

from evolution_sdk import EvolutionClient, SyncMessagesUpsert
from evolution_sdk.errors import RecipientOptedOutError
from evolution_sdk.events import EventRouter, filters
from evolution_sdk.outbox import Outbox
from evolution_sdk.webhooks import WebhookReceiver

STOP = {"sair", "parar", "stop", "cancelar"}
BACK = {"voltar", "start"}


def make_router(outbox: Outbox) -> EventRouter:
    """Listen for the words; the outbox keeps the list, and refuses messages to those on it."""
    router = EventRouter()

    @router.on(SyncMessagesUpsert, filters.text & filters.private & ~filters.from_me)
    def listen(event: SyncMessagesUpsert) -> None:
        word = (event.text or "").strip().casefold()
        if event.chat is None:
            return
        # The phone and the hidden id, where the event tells both.
        ids = [one for one in (event.chat, event.chat_alt) if one is not None]
        if word in STOP:
            # The answer first: after the opt-out, nothing more should go out.
            event.reply_text("Done: you get no more messages. Write VOLTAR to get them again.")
            for one in ids:
                outbox.opt_out(one, reason=word)
        elif word in BACK and sum(map(outbox.opt_in, ids)):
            event.reply_text("Welcome back.")

    return router


def campaign(outbox: Outbox, numbers: list[str], text: str, name: str) -> list[str]:
    """Hand over a message to everybody who has not opted out; return those who have."""
    left_out: list[str] = []
    for number in numbers:
        try:
            outbox.messages.send_text(number, text, key=f"{name}-{number}")
        except RecipientOptedOutError:
            left_out.append(number)
    return left_out


def main() -> None:
    """Serve the receiver until Ctrl-C."""
    import uvicorn

    # Not started: it keeps the list. Workers here would send a campaign without its limits.
    with EvolutionClient() as client, closing(Outbox("marketing.db", client=client)) as outbox:
        outbox.migrate()
        router = make_router(outbox)
        receiver = WebhookReceiver(router, client=client, inbox="inbox.db")
        client.webhook.sync(router, url=os.environ["WEBHOOK_URL"])
        uvicorn.run(receiver.asgi, host=os.environ.get("HOST", "127.0.0.1"), port=8000)


if __name__ == "__main__":
    main()
