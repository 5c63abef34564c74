"""Options that every call takes, as keyword arguments."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any, Literal, TypedDict

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.retry.policy import RetryPolicy
from evolution_sdk.retry.safety import OnUnknown


class CallOptions(TypedDict, total=False):
    """Options of one call.

    Attributes:
        timeout_ms: Longest time of one attempt as a whole, from waiting for a connection to the
            last byte of the answer, in milliseconds. Default: by kind of operation, see
            ``EvolutionConfig``; the time the server is known to hold the answer (``delay_ms``,
            uploads) is added in either case.
        retry: A policy for this call, or False for a single attempt. Default: the client's.
    """

    timeout_ms: float
    retry: RetryPolicy | Literal[False]


class CacheOptions(CallOptions, total=False):
    """Options of a read that the cache may answer.

    Attributes:
        cache: False to ask the server in any case; its answer is kept then. Without effect unless
            ``EvolutionConfig.cache`` is on.
    """

    cache: bool


class SendOptions(CallOptions, total=False):
    """Options of one send.

    Attributes:
        on_unknown: What to do when no answer tells whether it was sent: ``raise``, ``reconcile``
            (default: look for it in the server's store and return it, else raise) or ``resend``
            (look for it first, send again when it is not there).
        message_id: The id of the message, 8 to 64 letters, digits, dots, dashes or underscores, by
            which it is found again; a server before 2.4 ignores it, and none removes doubles by
            it, so that it must be new. Only for texts, media, voice notes, round videos, stickers,
            polls and buttons. Default: made by the client where the server may take one.
    """

    on_unknown: OnUnknown
    message_id: str | None


ONCE = RetryPolicy(max_attempts=1)
"""The policy that ``retry=False`` stands for."""


CALL_KEYS = frozenset(CallOptions.__annotations__)
CACHE_KEYS = frozenset(CacheOptions.__annotations__)
SEND_KEYS = frozenset(SendOptions.__annotations__)


def check_options(options: Mapping[str, Any], known: frozenset[str], operation: str) -> None:
    """Refuse an option that would have no effect, such as ``delay=`` for ``delay_ms=``.

    Raises:
        TypeError: The operation takes no such option.
        RequestValidationError: ``timeout_ms`` is not a positive number, or ``cache`` no bool.
    """
    for name in options:
        if name not in known:
            near = difflib.get_close_matches(name, sorted(known), 1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            raise TypeError(f"{operation} takes no option {name!r}.{hint}")
    if "timeout_ms" in options:
        check_timeout(options["timeout_ms"])
    if not isinstance(options.get("cache", True), bool):
        raise RequestValidationError("cache", "must be True or False")


def check_timeout(value: object) -> None:
    """Refuse a limit that is not a positive number of milliseconds.

    Raises:
        RequestValidationError: It is not.
    """
    good = isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    if not good:
        raise RequestValidationError("timeout_ms", "must be a number of milliseconds above 0")


def on_unknown_of(options: Mapping[str, Any]) -> OnUnknown:
    """Find what a call wants when its send may or may not have happened."""
    chosen: OnUnknown = options.get("on_unknown", "reconcile")
    return chosen


def policy_of(options: CallOptions) -> RetryPolicy | None:
    """Find the policy of one call; None for the client's."""
    policy = options.get("retry")
    return ONCE if policy is False else policy
