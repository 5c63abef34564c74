"""The families of routes. To add a family, list its routes and append them to ``ALL``."""

from __future__ import annotations

from evolution_sdk.testing.fake.router import Route

from . import (
    account,
    chat,
    chatbots,
    chatwoot,
    group,
    instance,
    licensing,
    message,
    proxy,
    root,
    s3,
    settings,
    template,
    transports,
    webhook,
)

ALL: tuple[Route, ...] = (
    *root.ROUTES,
    *licensing.ROUTES,
    *instance.ROUTES,
    *message.ROUTES,
    *chat.ROUTES,
    *settings.ROUTES,
    *group.ROUTES,
    *account.ROUTES,
    *proxy.ROUTES,
    *template.ROUTES,
    *s3.ROUTES,
    *webhook.ROUTES,
    *transports.ROUTES,
    *chatwoot.ROUTES,
    *chatbots.ROUTES,
)
