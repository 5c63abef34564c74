"""Telling the server's own answers from those of whatever stands in between.

A proxy, a gateway or another service may answer with any status and any words. Only what the
Evolution server itself wrote may prove that nothing was sent, so that its forms are told apart
here, by status, shape and route. Facts: `facts/semantics.md` §2 and the recorded failures of 2.2.3
to 2.4, all of which are recognised (`facts/observed.md` "Errors" 1 and 2).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from evolution_sdk._base.effect import Effect
from evolution_sdk._base.json_types import is_object

from .error_facts import ErrorFacts

__all__ = ["is_license_gate", "is_own", "is_passing", "is_refusal", "page_title"]

# Every status that the server gives to an error; what a gateway adds (502, 504, …) is not its own.
_STATUSES: Final = frozenset({400, 401, 403, 404, 413, 500})
_UNLICENSED = 503
_MAKER_AWAY = 502
_BAD_REQUEST = 400
# By their standard meaning, these refuse a request before anything is made of it: RFC 9110 §15.5,
# RFC 6585; 494 to 497 are nginx's for a bad head, certificate or scheme. A limit that a proxy
# keeps (429) is one of them: the server itself has none (`facts/observed.md` "Errors" 8).
_BEFORE: Final = frozenset(
    {400, 401, 403, 404, 405, 406, 407, 411, 413, 414, 415, 417, 421, 426, 428, 429, 431, 451}
    | {494, 495, 496, 497}
)
# A peer that timed out, as reported by an intermediary: 408, and those of load balancers.
_PASSING: Final = frozenset({408, 460, 499})
_SERVER_ERRORS: Final = range(500, 1_000)


def is_own(status: int, data: Any, effect: Effect, facts: ErrorFacts) -> bool:
    """Tell if the Evolution server itself wrote an error answer.

    Args:
        status: HTTP status.
        data: The decoded body, or its text.
        effect: What the operation does. Where a mistake could not be undone, a form counts only
            on the routes on which the server has been seen to use it.
        facts: What is special about the operation's errors.

    Returns:
        False for every form that is not the server's.
    """
    if facts.plain_text and isinstance(data, str):
        return status in _STATUSES  # plain text, the only route that has it
    if not is_object(data):
        return False
    if status == _UNLICENSED:
        return is_license_gate(status, data)
    if status == _MAKER_AWAY and facts.asks_maker:
        return isinstance(data.get("error"), str) and isinstance(data.get("details"), str)
    if status not in _STATUSES:
        return False
    # A wrong guess here cannot be undone: a message sent twice, something deleted.
    careful = effect in (Effect.SEND, Effect.DESTRUCTIVE)
    if status == _BAD_REQUEST and _is_bare(data):
        return facts.bare or not careful
    # The server repeats its status in the body; a different one is somebody else's.
    told = data.get("status", status)
    if told != status or isinstance(told, bool):
        return False
    if is_object(data.get("response")):
        return True
    if "message" not in data:
        return False
    return not careful or (facts.detailed and is_object(data.get("details")))


def _is_bare(data: Mapping[str, Any]) -> bool:
    """An inner TypeError becomes ``{}``, a refusal of WhatsApp's a Boom."""
    return not data or (data.get("isBoom") is True and is_object(data.get("output")))


def is_license_gate(status: int, data: Any) -> bool:
    """Tell if a 2.4 server says that it has not been activated.

    Args:
        status: HTTP status.
        data: The decoded body.

    Returns:
        True for the recorded form only: 503 with ``code: LICENSE_REQUIRED``.
    """
    return status == _UNLICENSED and is_object(data) and data.get("code") == "LICENSE_REQUIRED"


def is_refusal(status: int) -> bool:
    """Tell if a status, whoever wrote it, means that the request was not passed on."""
    return status in _BEFORE


def is_passing(status: int) -> bool:
    """Tell if a status that an intermediary wrote stands for a passing failure."""
    return status in _PASSING or status in _SERVER_ERRORS


def page_title(text: str) -> str:
    """Find the heading of a web page, such as ``502 Bad Gateway``.

    Args:
        text: The body.

    Returns:
        The words of its title or first heading; empty when it has none.
    """
    lower = text.lower()
    for tag in ("title", "h1"):
        start = lower.find(f"<{tag}")
        begin = lower.find(">", start) + 1 if start >= 0 else 0
        end = lower.find(f"</{tag}", begin) if begin else -1
        if end > begin > 0:
            return " ".join(text[begin:end].split())
    return ""
