"""Files that arrive go to S3, or anything that speaks like it.

Run: python examples/cookbook/media_to_s3.py, with EVOLUTION_…, WEBHOOK_URL and BUCKET in the
environment, and boto3 installed.
"""

from __future__ import annotations

import os
from typing import Any, Protocol

from evolution_sdk import EvolutionClient, SyncMessagesUpsert
from evolution_sdk.events import EventRouter, filters
from evolution_sdk.webhooks import WebhookReceiver

MOST_BYTES = 50_000_000


class Bucket(Protocol):
    """What is needed of boto3's client."""

    def put_object(self, **options: Any) -> Any:
        """Store an object; the same key again replaces it."""
        ...


def make_router(s3: Bucket, bucket: str) -> EventRouter:
    """Store each file once, under a key made of its message."""
    router = EventRouter()

    @router.on(SyncMessagesUpsert, filters.media & ~filters.from_me)
    def store(event: SyncMessagesUpsert) -> None:
        file = event.media
        if file is None:
            return
        # The id of the message, not the name that a stranger chose: it cannot leave the folder, and
        # an event that is handled again stores the same object.
        s3.put_object(
            Bucket=bucket,
            Key=f"{event.instance}/{event.chat}/{event.id}",
            Body=event.download_media(max_bytes=MOST_BYTES),
            ContentType=file.mimetype or "application/octet-stream",
        )

    return router


def main() -> None:
    """Serve the receiver until Ctrl-C."""
    import boto3  # type: ignore[import-not-found, unused-ignore]
    import uvicorn

    router = make_router(boto3.client("s3"), os.environ["BUCKET"])
    with EvolutionClient() as client:
        receiver = WebhookReceiver(router, client=client, inbox="inbox.db")
        client.webhook.sync(router, url=os.environ["WEBHOOK_URL"])
        uvicorn.run(receiver.asgi, port=8000)


if __name__ == "__main__":
    main()
