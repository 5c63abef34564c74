"""The answer to each POST, and the server's reaction to it.

Facts: the server gives an event up for good on 400, 401, 403, 404 and 422, and tries again on
everything else that is no 2xx: 10 attempts in about 20 minutes (`facts/webhook_retries.json`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import NamedTuple

DROPPED_FOR_GOOD = frozenset({400, 401, 403, 404, 422})
"""Statuses after which the server never sends the event again. No answer of ours is one."""

Response = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


class Answer(Enum):
    """Reason for the answer to a request."""

    ACCEPTED = "accepted"
    DUPLICATE = "duplicate"
    IGNORED = "ignored"
    NOT_POST = "not_post"
    SLOW_BODY = "slow_body"
    SIGNATURE = "signature"
    SECRET = "secret"  # noqa: S105 - the name of a reason
    APIKEY = "apikey"
    SERVER_URL = "server_url"
    TOO_LARGE = "too_large"
    UNREADABLE = "unreadable"
    FAILED = "failed"
    FULL = "full"
    BUSY = "busy"
    UNSTORED = "unstored"
    CLOSING = "closing"


# Each member exists once; Enum's own hash is a function in Python, asked for every event. Set from
# outside, since type checkers do not know the type of what is assigned within an enum.
type.__setattr__(Answer, "__hash__", object.__hash__)


class ResponseRule(NamedTuple):
    """One row of :data:`ANSWERS`.

    Attributes:
        status: The HTTP status.
        why: The reason in words.
        retry_after_s: Value of ``Retry-After``, in seconds, for proxies; the server goes by its own
            schedule.
    """

    status: int
    why: str
    retry_after_s: int | None = None

    @property
    def server_retries(self) -> bool:
        """True if the server sends the event again."""
        return self.status // 100 != 2 and self.status not in DROPPED_FOR_GOOD


ANSWERS: Mapping[Answer, ResponseRule] = MappingProxyType(
    {
        Answer.ACCEPTED: ResponseRule(200, "the event is stored, and will be handled"),
        Answer.DUPLICATE: ResponseRule(200, "the event was accepted before"),
        Answer.IGNORED: ResponseRule(200, "no handler is registered for this kind of event"),
        # 405, 412, 413 and 415 tell people the reason, and the server tries again after each. 400,
        # 401, 403, 404 and 422 would be more usual, and the event would be lost.
        Answer.NOT_POST: ResponseRule(
            405, "only POST is answered; a redirect may have made a GET of it"
        ),
        Answer.SLOW_BODY: ResponseRule(408, "the body did not arrive in time"),
        Answer.SIGNATURE: ResponseRule(412, "the token of jwt_key is missing, wrong or too old"),
        Answer.SECRET: ResponseRule(412, "the secret header is missing or wrong"),
        Answer.APIKEY: ResponseRule(412, "the apikey in the body is missing or wrong"),
        Answer.SERVER_URL: ResponseRule(412, "the event says that it is from another server"),
        Answer.TOO_LARGE: ResponseRule(413, "the body is larger than allowed, packed or unpacked"),
        Answer.UNREADABLE: ResponseRule(415, "the body is no event, or in an unknown encoding"),
        Answer.FAILED: ResponseRule(500, "the receiver itself failed; its log tells"),
        Answer.FULL: ResponseRule(503, "too many events wait", 5),
        Answer.BUSY: ResponseRule(503, "too many bodies are arriving at once", 5),
        Answer.UNSTORED: ResponseRule(503, "the inbox cannot store the event now", 5),
        Answer.CLOSING: ResponseRule(503, "the receiver is closing", 5),
    }
)
"""Status and words of every answer."""


def respond(answer: Answer) -> Response:
    """Return the response of an answer.

    Args:
        answer: The reason.

    Returns:
        Status, headers and body; the headers are the caller's to change.
    """
    status, headers, body = _READY[answer]
    return status, dict(headers), body


def _made(answer: Answer) -> Response:
    rule = ANSWERS[answer]
    body = json.dumps({"status": answer.value, "message": rule.why}).encode()
    headers = {"content-type": "application/json", "content-length": str(len(body))}
    if rule.retry_after_s is not None:
        headers["retry-after"] = str(rule.retry_after_s)
    if answer is Answer.NOT_POST:
        headers["allow"] = "POST"
    return rule.status, headers, body


# Made once: a receiver answers thousands of events with the same bytes.
_READY = {answer: _made(answer) for answer in Answer}
