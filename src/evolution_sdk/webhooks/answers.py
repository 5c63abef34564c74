"""What each POST is answered with, and what the server makes of the answer.

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
"""Statuses after which the server never sends the event again. None of ours."""

Response = tuple[int, dict[str, str], bytes]
"""Status, headers and body."""


class Answer(Enum):
    """Why a request is answered as it is."""

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


class Rule(NamedTuple):
    """One row of the table.

    Attributes:
        status: The HTTP status.
        why: What happened, for people.
        retry_after_s: What ``Retry-After`` says; the server goes by its own schedule, proxies may
            listen.
    """

    status: int
    why: str
    retry_after_s: int | None = None

    @property
    def server_retries(self) -> bool:
        """Whether the server sends the event again."""
        return self.status // 100 != 2 and self.status not in DROPPED_FOR_GOOD


ANSWERS: Mapping[Answer, Rule] = MappingProxyType(
    {
        Answer.ACCEPTED: Rule(200, "the event is stored, and will be handled"),
        Answer.DUPLICATE: Rule(200, "the event was accepted before"),
        Answer.IGNORED: Rule(200, "no handler is registered for this kind of event"),
        Answer.NOT_POST: Rule(405, "only POST is answered; a redirect may have made a GET of it"),
        Answer.SLOW_BODY: Rule(408, "the body did not arrive in time"),
        Answer.SIGNATURE: Rule(412, "the token of jwt_key is missing, wrong or too old"),
        Answer.SECRET: Rule(412, "the secret header is missing or wrong"),
        Answer.APIKEY: Rule(412, "the apikey in the body is missing or wrong"),
        Answer.SERVER_URL: Rule(412, "the event says that it is from another server"),
        Answer.TOO_LARGE: Rule(413, "the body is larger than allowed, packed or unpacked"),
        Answer.UNREADABLE: Rule(415, "the body is no event, or in an unknown encoding"),
        Answer.FAILED: Rule(500, "the receiver itself failed; its log tells"),
        Answer.FULL: Rule(503, "too many events wait", 5),
        Answer.BUSY: Rule(503, "too many bodies are arriving at once", 5),
        Answer.UNSTORED: Rule(503, "the inbox cannot store the event now", 5),
        Answer.CLOSING: Rule(503, "the receiver is closing", 5),
    }
)
"""The whole table."""


def respond(answer: Answer) -> Response:
    """The response of an answer.

    Args:
        answer: Why.

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


_READY = {answer: _made(answer) for answer in Answer}
