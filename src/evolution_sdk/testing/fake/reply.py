"""Answers of the kernel: plain data, with the fate of the connection."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .js import UNDEFINED, to_answer

_JSON_TYPE = "application/json; charset=utf-8"


class Cut(Enum):
    """The fate of a connection that gets no answer."""

    NONE = "none"
    REFUSE = "refuse"
    """The connection is refused: the request never arrived."""
    DROP = "drop"
    """The connection breaks before a complete answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    Attributes:
        status: HTTP status.
        headers: Names and values, names in lower case.
        body: The bytes.
        hold_ms: Time that the server keeps the answer back, in milliseconds.
        cut: The way in which the connection breaks, if it does.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    hold_ms: float = 0.0
    cut: Cut = Cut.NONE


def json_reply(status: int, value: Any) -> Reply:
    """Make a JSON answer; undefined gives the empty body of ``res.json(undefined)``."""
    body = b""
    if value is not UNDEFINED:
        text = json.dumps(to_answer(value), ensure_ascii=False, separators=(",", ":"))
        # A caller's half surrogate pair is echoed, as Node does.
        body = text.encode("utf-8", "surrogatepass")
    return Reply(status, (("content-type", _JSON_TYPE),), body)


def text_reply(status: int, text: str, kind: str = "text/html", **headers: str) -> Reply:
    """Make an answer with text."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status, (("content-type", f"{kind}; charset=utf-8"), *named), text.encode())
