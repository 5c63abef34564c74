"""What the kernel answers: plain data, with what a shell must do to the connection."""

from __future__ import annotations

import json
from dataclasses import dataclass
from enum import Enum
from typing import Any

from .js import UNDEFINED, to_answer

_JSON_TYPE = "application/json; charset=utf-8"


class Cut(Enum):
    """What becomes of the connection instead of an answer."""

    NONE = "none"
    REFUSE = "refuse"
    """Nobody listens: the request never arrived."""
    DROP = "drop"
    """The connection breaks before a complete answer."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer.

    Attributes:
        status: HTTP status.
        headers: Names and values, names in lower case.
        body: The bytes.
        hold_ms: How long the server keeps the answer back, in milliseconds.
        cut: What happens to the connection.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = b""
    hold_ms: float = 0.0
    cut: Cut = Cut.NONE


def json_reply(status: int, value: Any) -> Reply:
    """Answer with JSON; undefined gives the empty body that ``res.json(undefined)`` gives."""
    body = b""
    if value is not UNDEFINED:
        text = json.dumps(to_answer(value), ensure_ascii=False, separators=(",", ":"))
        body = text.encode("utf-8", "surrogatepass")
    return Reply(status, (("content-type", _JSON_TYPE),), body)


def text_reply(status: int, text: str, kind: str = "text/html", **headers: str) -> Reply:
    """Answer with text."""
    named = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    return Reply(status, (("content-type", f"{kind}; charset=utf-8"), *named), text.encode())
