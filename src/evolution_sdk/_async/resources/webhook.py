"""The webhook of an instance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Unpack

from evolution_sdk._client.options import CallOptions
from evolution_sdk._client.webhook_sync import (
    Wanted,
    WebhookSync,
    check_jwt_key,
    differences,
    wanted_events,
    wanted_headers,
    without_refused,
)
from evolution_sdk.config._switched_on import note_used
from evolution_sdk.errors import (
    BadRequestError,
    ConfigurationError,
    RequestValidationError,
    UnsupportedByServerError,
)
from evolution_sdk.models.webhook import SetWebhook, Webhook
from evolution_sdk.operations.routes import webhook as ops

from .base import AsyncResourceApi


def _wants_url(error: BadRequestError) -> bool:
    return error.messages == ('Invalid "url" property',)


class AsyncWebhookApi(AsyncResourceApi):
    """The webhook of an instance."""

    __slots__ = ()

    async def set(
        self,
        url: str | None = None,
        *,
        events: Sequence[str] | None = None,
        enabled: bool = True,
        by_events: bool | None = None,
        base64: bool | None = None,
        headers: Mapping[str, str] | None = None,
        **options: Unpack[CallOptions],
    ) -> Webhook:
        """Store the webhook; missing values stay unchanged.

        Args:
            url: URL for the events; begins with http:// or https://, at most 500 characters.
                Default: that of the settings (``EVOLUTION_WEBHOOK_GLOBAL_URL``).
            events: Names such as ``MESSAGES_UPSERT``; empty means all of them. Default: those
                chosen in the settings.
            enabled: False to deliver nothing. Default True.
            by_events: True to append the event's name to the URL.
            base64: True to include media in the events; on Baileys a change takes effect at the
                next connect (`facts/observed.md` "Webhooks").
            headers: Extra headers of each delivery; ``jwt_key``, of at least 16 bytes, makes the
                server sign a token.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The stored webhook.

        Raises:
            RequestValidationError: The URL or an event name is wrong, or the key too short.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        default = self._pipeline.config.webhook
        webhook = {
            "enabled": enabled,
            "url": (default.global_url or "") if url is None else url,
            "events": default.events if events is None else tuple(events),
            "by_events": by_events,
            "base64": base64,
            "headers": None if headers is None else dict(headers),
        }
        request = SetWebhook.check(webhook=webhook)
        try:
            return await self._call(ops.SET_WEBHOOK, request, options)
        except BadRequestError as error:
            if webhook["url"] or not _wants_url(error):
                raise
            # 2.2 demands the url also to switch off (`facts/versions/versions.md` §4).
            stored = await self.find(**options)
            if stored is None or not stored.url:
                raise
        request = SetWebhook.check(webhook={**webhook, "url": stored.url})
        return await self._call(ops.SET_WEBHOOK, request, options)

    async def find(self, **options: Unpack[CallOptions]) -> Webhook | None:
        """Read the webhook.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The webhook, or None if none was ever set.

        Raises:
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.FIND_WEBHOOK, self._target, options=options)

    async def sync(
        self,
        events: Wanted | None = None,
        *,
        url: str | None = None,
        by_events: bool | None = None,
        base64: bool | None = None,
        headers: Mapping[str, str] | None = None,
        jwt_key: str | None = None,
        **options: Unpack[CallOptions],
    ) -> WebhookSync:
        """Read the webhook, and write it only if it differs from the wanted one.

        Without ``url`` that of the settings counts (``EVOLUTION_WEBHOOK_GLOBAL_URL``), and nothing
        is done unless ``EVOLUTION_WEBHOOK_ENABLED`` is on.

        Args:
            events: An ``EventRouter``, whose handlers need certain events, or names such as
                ``MESSAGES_UPSERT``. Default: those chosen in the settings. Names that the
                server's version does not know are left out, with a warning.
            url: URL for the events. Default: that of the settings.
            by_events: True to append the event's name to the URL. Default: unchanged.
            base64: True to include media in the events. Default: unchanged.
            headers: All extra headers of each delivery. Default: unchanged.
            jwt_key: Key with which the server signs its token, of at least 16 bytes; other headers
                stay.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The webhook, and the names of the changed fields.

        Raises:
            ConfigurationError: No URL is known, or the server has no such event.
            RequestValidationError: No event is left to subscribe to, the URL is wrong, or the key
                too short.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        note_used("webhook")
        if jwt_key is not None:
            check_jwt_key(jwt_key)
        default = self._pipeline.config.webhook
        if url is None and not default.enabled:
            return WebhookSync(await self.find(**options), ())
        if url is not None and not url.strip():
            raise RequestValidationError("url", "must not be empty or blank")
        target = default.global_url if url is None else url
        if not target:
            raise ConfigurationError(
                "No URL to register: give url=, or set EVOLUTION_WEBHOOK_GLOBAL_URL.",
                variable="EVOLUTION_WEBHOOK_GLOBAL_URL",
            )
        names = wanted_events(default.events if events is None else events)
        found = await self.find(**options)
        new_headers = wanted_headers(found, headers, jwt_key)
        wanted = {
            "enabled": True,
            "url": target,
            "events": names,
            "by_events": by_events,
            "base64": base64,
            "headers": new_headers,
        }
        changed = differences(found, wanted)
        if not changed:
            return WebhookSync(found, ())
        write = partial(
            self.set,
            target,
            by_events=by_events if "by_events" in changed else None,
            base64=base64 if "base64" in changed else None,
            headers=new_headers if "headers" in changed else None,
            **options,
        )
        try:
            stored = await write(events=names)
        except (BadRequestError, UnsupportedByServerError) as error:
            rest = without_refused(names, error)
            if not rest or rest == names:
                raise
            stored = await write(events=rest)
        return WebhookSync(stored, changed)
