"""Answer voice notes with their text, by a transcriber of your choice.

Run: python examples/cookbook/voice_to_text.py, with EVOLUTION_… and WEBHOOK_URL in the environment.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from evolution_sdk import EvolutionClient, SyncMessagesUpsert
from evolution_sdk.events import EventRouter, filters
from evolution_sdk.webhooks import WebhookReceiver

MOST_BYTES = 5_000_000  # more than a voice note of MOST_SECONDS needs
MOST_SECONDS = 300


def make_router(transcribe: Callable[[bytes, str], str]) -> EventRouter:
    """Answer a voice note with its text; transcribe takes its bytes and its MIME type."""
    router = EventRouter()

    @router.on(SyncMessagesUpsert, filters.media & ~filters.from_me)
    def answer(event: SyncMessagesUpsert) -> None:
        voice = event.media
        if voice is None or not (voice.mimetype or "").startswith("audio/"):
            return
        if (voice.seconds or 0) > MOST_SECONDS:
            event.reply_text("Your voice note is too long for me. Please write.")
            return
        content = event.download_media(max_bytes=MOST_BYTES)
        event.reply_text(f"I heard: {transcribe(content, voice.mimetype or '')}")

    return router


def whisper(content: bytes, mimetype: str) -> str:
    """Put your transcriber here: a local model, or a service."""
    raise NotImplementedError(f"{len(content)} bytes of {mimetype}")


def main() -> None:
    """Serve the receiver until Ctrl-C."""
    import uvicorn

    router = make_router(whisper)
    with EvolutionClient() as client:
        receiver = WebhookReceiver(router, client=client, inbox="inbox.db")
        client.webhook.sync(router, url=os.environ["WEBHOOK_URL"])
        uvicorn.run(receiver.asgi, host=os.environ.get("HOST", "127.0.0.1"), port=8000)


if __name__ == "__main__":
    main()
