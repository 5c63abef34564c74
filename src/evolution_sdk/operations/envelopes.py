"""Brings the server's error bodies to one shape.

The letters are those of `facts/semantics.md` §2: A is the usual envelope, B of /template and
/business, C the bare thrown object, D ``{error}``, E an error inside HTTP 200, F Meta's error
inside 201, G plain text, H an empty body, I JSON ``null``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evolution_sdk._base.json_types import is_array, is_object

_DETAIL_TEXTS = ("whatsapp_error", "error_user_title", "error_user_msg")


@dataclass(frozen=True, slots=True)
class ErrorBody:
    """The content of an error answer, without its nesting.

    Attributes:
        messages: Every text, in order.
        message: The ``message`` member as it came, for rules that depend on its shape.
        is_schema: Whether it reports violations of a JSON schema.
        missing_recipient: The ``{jid, exists: false, number}`` object, when there is one.
        is_blank: Whether the body was ``{}``, which is how an inner TypeError looks in C.
        meta: The ``details`` of envelope B when they are Meta's refusal, and not the server's own.
    """

    messages: tuple[str, ...]
    message: Any
    is_schema: bool
    missing_recipient: Mapping[str, Any] | None
    is_blank: bool
    meta: Mapping[str, Any] | None = None


def read_error(data: Any) -> ErrorBody:
    """Read the body of an error answer of any of the server's shapes.

    Args:
        data: The decoded JSON, or the text of a body that is not JSON.

    Returns:
        Its content.
    """
    message = _message_of(data)
    details = data.get("details") if is_object(data) else None
    texts = list(_texts(message))
    if is_object(details):
        # Envelope B repeats its message in the details, or says more there.
        told = (_texts(details.get(name)) for name in _DETAIL_TEXTS)
        texts.extend(dict.fromkeys(t for part in told for t in part if t not in texts))
    elif isinstance(details, str):
        texts.append(details)  # envelope D of the licence routes: the cause
    return ErrorBody(
        messages=tuple(texts),
        message=message,
        is_schema=_is_schema(message),
        missing_recipient=_missing_recipient(message),
        is_blank=is_object(data) and not data,
        meta=details if is_object(details) and _is_meta(details) else None,
    )


def _is_meta(details: Mapping[str, Any]) -> bool:
    """Meta's codes are numbers; the server's own failures say ``UNKNOWN_ERROR`` there."""
    return isinstance(details.get("whatsapp_code"), int) or bool(details.get("fbtrace_id"))


def _message_of(data: Any) -> Any:
    if not is_object(data):
        return data if isinstance(data, str) else None
    response = data.get("response")
    if is_object(response) and "message" in response:
        return response["message"]
    if "message" in data:
        return data["message"]
    # Envelope C: a thrown Boom keeps its text under output.payload.
    if data.get("isBoom"):
        output = data.get("output")
        payload = output.get("payload") if is_object(output) else None
        return payload.get("message") if is_object(payload) else None
    error = data.get("error")
    return error if isinstance(error, str) else None


def meta_texts(error: Mapping[str, Any]) -> tuple[str, ...]:
    """Every text of a Meta error object (envelope F), each once.

    Args:
        error: Meta's own error object.

    Returns:
        Its message, what Meta would tell a user, and the details of the product.
    """
    inner = error.get("error_data")
    found = [error.get(name) for name in ("message", "error_user_title", "error_user_msg")]
    found.append(inner.get("details") if is_object(inner) else None)
    return tuple(dict.fromkeys(text for text in found if isinstance(text, str) and text))


def _texts(message: Any) -> Iterator[str]:
    if isinstance(message, str):
        yield message
    elif is_array(message):
        for item in message:
            yield from _texts(item)
    elif is_object(message):
        if message.get("exists") is False:
            yield f"{message.get('number') or message.get('jid')} is not on WhatsApp"
        else:
            yield from _texts(message.get("message"))


def _is_schema(message: Any) -> bool:
    """``[[text, …]]`` on ordinary routes, ``[{property, message}, …]`` on /group."""
    if not is_array(message) or not message:
        return False
    first = message[0]
    return is_array(first) or (is_object(first) and "property" in first)


def _missing_recipient(message: Any) -> Mapping[str, Any] | None:
    if is_array(message):
        for item in message:
            found = _missing_recipient(item)
            if found is not None:
                return found
    elif is_object(message) and message.get("exists") is False:
        return message if "jid" in message or "number" in message else None
    return None
