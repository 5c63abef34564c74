"""The webhook section of the configuration, and the names of events in it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from typing import Annotated, NoReturn, cast

from pydantic import ValidationInfo, field_validator

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.models.event_names import EVENT_NAMES

from ._base import SWITCH_RULE, Section, Switch, Variable
from ._urls import normalize_base_url, split_url

WEBHOOK_EVENTS = EVENT_NAMES
"""The event names that the server's ``webhook/set`` accepts."""

EVENT_PREFIX = "EVOLUTION_WEBHOOK_EVENTS_"


class WebhookConfig(Section):
    """The webhook through which the server reports events.

    Attributes:
        enabled: Whether the SDK registers the program's webhook on instances.
        base_url: Public base URL of the program's own endpoints.
        global_url: The URL that is registered. Default: ``<base_url>/evolution``.
        events: The events to subscribe to, in the server's names and order. Empty means that none
            was chosen; the server, however, reads an empty list as "all".
    """

    enabled: Annotated[Switch, Variable("EVOLUTION_WEBHOOK_ENABLED", SWITCH_RULE, "true")] = False
    base_url: Annotated[
        str | None,
        Variable("WEBHOOK_BASE_URL", "an http(s) URL", "https://hooks.example.com", secret=True),
    ] = None
    global_url: Annotated[
        str | None,
        Variable(
            "EVOLUTION_WEBHOOK_GLOBAL_URL", "an http(s) URL",
            "https://hooks.example.com/evolution", secret=True,
        ),
    ] = None  # fmt: skip
    events: Annotated[
        tuple[str, ...],
        Variable(f"{EVENT_PREFIX}<NAME>", "event names of the server", "true"),
    ] = ()

    @field_validator("base_url")
    @classmethod
    def _base(cls, value: str | None) -> str | None:
        return value and normalize_base_url(
            value, "WEBHOOK_BASE_URL", example="https://hooks.example.com"
        )

    @field_validator("global_url")
    @classmethod
    def _url(cls, value: str | None, info: ValidationInfo) -> str | None:
        if not value:
            base = info.data.get("base_url")
            return f"{base}/evolution" if base else None
        parts = split_url(
            value, "EVOLUTION_WEBHOOK_GLOBAL_URL", example="https://hooks.example.com/evolution"
        )
        # "${WEBHOOK_BASE_URL}/evolution" gives two slashes when the base ends in one.
        return parts._replace(path=re.sub("/{2,}", "/", parts.path)).geturl()

    @field_validator("events", mode="before")
    @classmethod
    def _events(cls, value: object) -> object:
        if not isinstance(value, list | tuple | set | frozenset):
            raise ValueError("not a list of names")  # noqa: TRY004 - pydantic reports only these
        names = cast("Iterable[object]", value)
        wanted = {event_name(str(name)) for name in names}
        # In the server's order, so that two spellings of one choice are equal.
        return tuple(name for name in WEBHOOK_EVENTS if name in wanted)


def spelled(name: str) -> str:
    """Spell the name of an event as the server does, whether there is one or not."""
    return name.strip().upper().replace(".", "_").replace("-", "_")


def event_name(name: str) -> str:
    """Check the name of an event, written ``MESSAGES_UPSERT`` or ``messages.upsert``."""
    upper = spelled(name)
    if upper not in WEBHOOK_EVENTS:
        _unknown_event(upper)
    return upper


def _unknown_event(name: str) -> NoReturn:
    close = difflib.get_close_matches(name, WEBHOOK_EVENTS, n=1, cutoff=0.0)[0]
    variable = EVENT_PREFIX + name
    raise ConfigurationError(
        f"{variable} is not an event that can be subscribed to. "
        f"Did you mean {EVENT_PREFIX}{close}?",
        variable=variable,
    )
