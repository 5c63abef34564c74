"""Compares a webhook as wanted with the stored one; only the difference is written.

Facts (`facts/observed.md` "Request traps" 1): omitted headers, ``base64`` and ``byEvents`` keep
their value; an empty list of events means all; a disabled webhook stores none.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol, TypeAlias

from evolution_sdk.config._webhook import event_name, spelled
from evolution_sdk.errors import (
    BadRequestError,
    RequestValidationError,
    UnsupportedByServerError,
)
from evolution_sdk.models.event_names import EVENT_NAMES, EVENTS_SINCE
from evolution_sdk.models.webhook import JWT_KEY_RULE, Webhook, jwt_key_is_long_enough
from evolution_sdk.operations.server_version import ServerVersion

# The server takes GROUP_UPDATE, and never delivers anything for it; groups.update has no name.
_DEAD_NAMES = frozenset({"GROUP_UPDATE", "GROUPS_UPDATE", "CREDS_UPDATE"})
_REFUSED = re.compile(r"\w+\.events\[(\d+)\] is not one of enum values")


class UsesEvents(Protocol):
    """An ``EventRouter``, or anything that knows which events it uses."""

    def used_events(self) -> list[str]:
        """The names to subscribe to.

        Returns:
            Names such as ``MESSAGES_UPSERT``.
        """
        ...


Wanted: TypeAlias = UsesEvents | Iterable[str]


class WebhookSync(NamedTuple):
    """The result of ``webhook.sync``.

    Attributes:
        webhook: The webhook as it is now; None when there is none.
        changed: The fields that were written, such as ``("url", "events")``; empty when all was
            as wanted, and nothing was sent.
    """

    webhook: Webhook | None
    changed: tuple[str, ...]


def wanted_events(wanted: Wanted) -> tuple[str, ...]:
    """The names to subscribe to, in the server's order.

    Args:
        wanted: A router, or names.

    Returns:
        The names; warns about those that never deliver anything.

    Raises:
        ConfigurationError: The server has no such event.
        RequestValidationError: None is left: the server would take an empty list for all.
    """
    names = wanted if isinstance(wanted, Iterable) else wanted.used_events()
    if isinstance(names, str):
        raise RequestValidationError("events", "a list of names, not one text")
    asked = {spelled(name) for name in names}
    for name in sorted(asked & _DEAD_NAMES):
        warnings.warn(
            f"The server delivers nothing for {name}: no instance can subscribe to that event.",
            UserWarning,
            stacklevel=4,
        )
    found = {event_name(name) for name in asked - _DEAD_NAMES}
    if not found:
        raise RequestValidationError(
            "events", "at least one that can be subscribed to; the server takes none for all"
        )
    return tuple(name for name in EVENT_NAMES if name in found)


def without_refused(
    names: Sequence[str], error: BadRequestError | UnsupportedByServerError
) -> tuple[str, ...]:
    """The names that the server did not refuse: an earlier version does not know all of them.

    Args:
        names: The names that were to be sent, in this order.
        error: What the server answered, or why nothing was sent.

    Returns:
        The rest; warns about those left out. All of them where the error is about something else,
        and none where the server knows none.
    """
    unknown = [name for place, name in enumerate(names) if _is_refused(place, name, error)]
    if not unknown:
        return tuple(names)
    warnings.warn(
        f"This version of the server does not know {', '.join(unknown)}: left out.",
        UserWarning,
        stacklevel=4,
    )
    return tuple(name for name in names if name not in unknown)


def _is_refused(place: int, name: str, error: BadRequestError | UnsupportedByServerError) -> bool:
    if isinstance(error, UnsupportedByServerError):
        version = ServerVersion.parse(error.version or "")
        since = EVENTS_SINCE.get(name)
        return version is not None and since is not None and not version.at_least(since)
    found = [_REFUSED.match(text) for text in error.messages]
    # Where it complains about anything else as well, leaving out names does not help.
    return all(found) and any(each is not None and int(each[1]) == place for each in found)


def check_jwt_key(jwt_key: object) -> None:
    """Refuse a key that can be guessed, before the server is asked anything.

    Raises:
        RequestValidationError: It is one, or no text.
    """
    if not isinstance(jwt_key, str):
        raise RequestValidationError("jwt_key", "must be text")
    if not jwt_key_is_long_enough(jwt_key):
        raise RequestValidationError("jwt_key", JWT_KEY_RULE)


def wanted_headers(
    found: Webhook | None, headers: Mapping[str, str] | None, jwt_key: str | None
) -> dict[str, str] | None:
    """The headers to store, or None to keep those that are.

    Args:
        found: The webhook as it is.
        headers: All of them; None keeps the others when ``jwt_key`` is set.
        jwt_key: What the server signs with.
    """
    if headers is None and jwt_key is None:
        return None
    kept: Mapping[str, Any] = (found.headers if found is not None else None) or {}
    base = {name: str(value) for name, value in kept.items()} if headers is None else dict(headers)
    return base if jwt_key is None else {**base, "jwt_key": jwt_key}


def differences(found: Webhook | None, wanted: Mapping[str, Any]) -> tuple[str, ...]:
    """The fields that must be written.

    Args:
        found: The webhook as it is.
        wanted: Fields as they should be; None means that it does not matter.
    """
    asked = {name: value for name, value in wanted.items() if value is not None}
    if found is None:
        return tuple(asked)
    now: dict[str, Any] = {
        "enabled": found.enabled,
        "url": found.url,
        "events": set(found.events),
        "by_events": bool(found.by_events),
        "base64": bool(found.base64),
        "headers": dict(found.headers or {}),
    }
    return tuple(
        name
        for name, value in asked.items()
        if now[name] != (set(value) if name == "events" else value)
    )
