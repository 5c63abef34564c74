"""The webhook of an instance."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from .base import IsoTime, MisfitError, Model, RequestModel
from .event_names import EventName


class Webhook(Model):
    """A stored webhook. ``headers`` may hold ``jwt_key`` in clear text; ``repr`` hides it."""

    shown: ClassVar[tuple[str, ...]] = ("enabled", "events")
    expected: ClassVar[tuple[str, ...]] = ("url", "enabled")

    id: str | None = None
    url: str = ""
    headers: Mapping[str, Any] | None = None
    enabled: bool = False
    events: tuple[str, ...] = ()
    # Answers and requests use different names (`facts/observed.md` "Request traps" 1).
    by_events: bool | None = Field(default=None, alias="webhookByEvents")
    base64: bool | None = Field(default=None, alias="webhookBase64")
    created_at: IsoTime | None = None
    updated_at: IsoTime | None = None
    instance_id: str | None = None


def _web_address(url: str) -> str:
    """Demand a web address: the server does not (`facts/observed.md` "Request traps" 1)."""
    if url and not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://, or nothing is ever delivered")
    return url


SHORTEST_JWT_KEY_BYTES = 16
"""Minimum length: with one delivery in hand, keys can be tried against its token offline."""

JWT_KEY_RULE = (
    f"must have at least {SHORTEST_JWT_KEY_BYTES} bytes, or it can be guessed; make one with: "
    'python -c "import secrets; print(secrets.token_urlsafe(32))"'
)


def jwt_key_is_long_enough(key: str) -> bool:
    """Tell whether a key is long enough to sign the tokens of a webhook."""
    return len(key.encode("utf-8", "surrogatepass")) >= SHORTEST_JWT_KEY_BYTES


WebhookUrl = Annotated[str, Field(max_length=500), AfterValidator(_web_address)]


class WebhookRequest(RequestModel):
    """A webhook to store.

    ``events`` is always sent: without it the server fails with 500, and a create without it removes
    the instance again. An empty list means every event.
    """

    enabled: bool = True
    url: WebhookUrl
    events: tuple[EventName, ...] = ()
    by_events: bool | None = None
    base64: bool | None = None
    headers: dict[str, str] | None = None

    @field_validator("headers")
    @classmethod
    def _strong_key(cls, value: dict[str, str] | None) -> dict[str, str] | None:
        if (
            value is not None
            and "jwt_key" in value
            and not jwt_key_is_long_enough(value["jwt_key"])
        ):
            raise ValueError(f"jwt_key {JWT_KEY_RULE}")
        return value

    @model_validator(mode="after")
    def _needs_url(self) -> Self:
        if self.enabled and not self.url:
            raise MisfitError("url", "an enabled webhook needs a url")
        return self


class SetWebhook(RequestModel):
    """The body of ``webhook/set``, which version 2 expects nested."""

    called: ClassVar[Mapping[str, str]] = {"webhook": ""}

    webhook: WebhookRequest
