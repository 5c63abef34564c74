"""Keeping what we sent out of the errors that echo it.

A server or a proxy may repeat the request in its error: a key, a text, a file. Its words are worth
showing; ours in them are not for logs and tracebacks.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from evolution_sdk._base.json_types import is_array, is_object
from evolution_sdk._base.request import Request
from evolution_sdk.errors import EvolutionAPIError, EvolutionError

from .operation import Operation, decode_json

__all__ = ["hide_echo"]

_SHORTEST: Final = 6
_ENOUGH: Final = 24
_LARGE: Final = 1_000_000  # a file: its answer repeats no megabytes of it
_LEFT_OUT: Final = "[what was sent]"
_KEY_HEADERS: Final = ("apikey", "authorization")
# Whom and how, not what: these make an error about a message understandable.
_HARMLESS: Final = frozenset({"number", "mediatype", "presence", "type", "id", "remoteJid"})
# In a request that is no message, names and settings are what an error is about.
_PRIVATE: Final = frozenset(
    {"text", "caption", "token", "password", "pass", "secret", "apiKey", "jwt_key", "authorization"}
)


def hide_echo(
    error: EvolutionError, operation: Operation[Any], request: Request, keys: tuple[str, ...]
) -> None:
    """Leave out of an error's text what it repeats of the request; ``messages`` stay whole.

    Args:
        error: What an attempt raised.
        operation: What was called.
        request: What was sent.
        keys: The client's own keys, which another call of it may have shown.
    """
    if not isinstance(error, EvolutionAPIError) or not error.messages:
        return
    found = (*keys, *_sent(request, whole=operation.group == "message"))
    # Longest first: a short text may be part of a longer one and would break its match.
    sent = sorted({words for words in found if len(words) >= _SHORTEST}, key=len, reverse=True)
    shown = tuple(_without(text, sent) for text in error.messages)
    if shown != error.messages:
        error.shown = shown


def _sent(request: Request, *, whole: bool) -> Iterator[str]:
    for name in _KEY_HEADERS:
        if value := request.headers.get(name):
            yield value
    yield from _texts(dict(request.fields), whole)
    if request.content and len(request.content) <= _LARGE:
        try:
            yield from _texts(decode_json(request.content), whole)
        except ValueError:
            return


def _texts(value: Any, private: bool) -> Iterator[str]:
    if isinstance(value, str):
        if private:
            yield value
    elif is_object(value):
        for name, inner in value.items():
            if name not in _HARMLESS:
                yield from _texts(inner, private or name in _PRIVATE)
    elif is_array(value):
        for inner in value:
            yield from _texts(inner, private)


def _without(text: str, sent: list[str]) -> str:
    for words in sent:
        if len(words) <= _ENOUGH:
            text = text.replace(words, _LEFT_OUT)
        elif words[:_ENOUGH] in text:  # a long one may be cut
            text = text[: text.index(words[:_ENOUGH])] + _LEFT_OUT
    return text
