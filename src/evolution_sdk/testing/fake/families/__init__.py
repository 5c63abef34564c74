"""The families of routes. To add one, declare its routes and append them to ``ALL``."""

from __future__ import annotations

from evolution_sdk.testing.fake.router import Route

from . import chat, instance, message, root, settings, webhook

ALL: tuple[Route, ...] = (
    *root.ROUTES,
    *instance.ROUTES,
    *message.ROUTES,
    *chat.ROUTES,
    *settings.ROUTES,
    *webhook.ROUTES,
)
