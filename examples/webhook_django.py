"""Answer ``/ping`` under Django: ``gunicorn webhook_django:app``.

Two of Django's own answers are 400, after which the server drops the event for good: for a host
that is not in ALLOWED_HOSTS, and for a body above DATA_UPLOAD_MAX_MEMORY_SIZE. Set both.
"""

from __future__ import annotations

import os

from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse
from django.urls import re_path
from django.views.decorators.csrf import csrf_exempt

from evolution_sdk import EvolutionClient, SyncMessagesUpsert
from evolution_sdk.events import EventRouter, filters
from evolution_sdk.webhooks import WebhookReceiver

if not settings.configured:
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATA_UPLOAD_MAX_MEMORY_SIZE=None,  # the receiver has a limit of its own
        ROOT_URLCONF=__name__,
        SECRET_KEY=os.environ.get("DJANGO_SECRET_KEY", "only-for-this-example"),
    )

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


@csrf_exempt
def evolution(request: HttpRequest) -> HttpResponse:
    status, headers, body = receiver.handle(
        request.method or "", request.get_full_path(), request.headers, request.body
    )
    return HttpResponse(body, status=status, headers=headers)


urlpatterns = [re_path(r"^evolution.*$", evolution)]
app = get_wsgi_application()
