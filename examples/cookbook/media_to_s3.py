"""Store incoming files in S3, or in any store with the same API.

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
    """The part of boto3's client that is used here."""

    def put_object(self, **options: Any) -> Any:
        """Store an object, replacing one of the same key."""
        ...


def make_router(s3: Bucket, bucket: str) -> EventRouter:
    """Store each file once, under a key made from its message."""
    router = EventRouter()

    @router.on(SyncMessagesUpsert, filters.media & ~filters.from_me)
    def store(event: SyncMessagesUpsert) -> None:
        file = event.media
        if file is None:
            return
        # Named by the message, not by the file name, which a stranger chose. An event that is
        # handled twice replaces its own object.
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
        uvicorn.run(receiver.asgi, host=os.environ.get("HOST", "127.0.0.1"), port=8000)


if __name__ == "__main__":
    main()
