"""Answer ``/ping`` under Flask: ``flask --app webhook_flask run``."""

from __future__ import annotations

import os

from flask import Flask
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from evolution_sdk import EvolutionClient, SyncMessagesUpsert
from evolution_sdk.events import EventRouter, filters
from evolution_sdk.webhooks import WebhookReceiver

router = EventRouter()


@router.on(SyncMessagesUpsert, filters.command("ping") & ~filters.from_me)
def ping(event: SyncMessagesUpsert) -> None:
    event.reply_text("pong")


client = EvolutionClient()
receiver = WebhookReceiver(
    router,
    client=client,
    inbox=os.environ.get("INBOX_PATH"),
    jwt_key=os.environ.get("WEBHOOK_JWT_KEY"),
).start()

app = Flask(__name__)
app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/evolution": receiver.wsgi})  # type: ignore[method-assign]  # as Flask documents it
