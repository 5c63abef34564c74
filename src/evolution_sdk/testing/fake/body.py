"""Request bodies, read like Express' body parsers do: before routing, with their errors."""

from __future__ import annotations

import json
import re
from typing import Any
from urllib.parse import parse_qsl

from .errors import ErrorThrown
from .js import JsonObject, collect

LIMIT = 136 * 1024 * 1024
_NEAR = 10
_CONSTANT = "a constant that JSON does not have"
_NO_NAME = "Expected property name or '}' in JSON"


def parse_body(content_type: str, body: bytes) -> Any:
    """Decode JSON and forms; everything else, and no body, is an empty object.

    Raises:
        ErrorThrown: 413 over 136 MiB, 400 for what is not a JSON object or list.
    """
    kind = content_type.split(";")[0].strip().lower()
    # Express leaves other types unparsed, and the server takes a missing body for {}.
    if kind not in ("application/json", "application/x-www-form-urlencoded") or not body:
        return {}
    if len(body) > LIMIT:
        raise ErrorThrown("request entity too large", name="PayloadTooLargeError", status=413)
    if kind == "application/x-www-form-urlencoded":
        return flat_pairs(body.decode("utf-8", "replace"))
    # Express decodes leniently and drops a byte order mark.
    return _parse_json(body.decode("utf-8", "replace").removeprefix("\ufeff"))


def flat_pairs(text: str) -> JsonObject:
    """Decode ``a=1&b=2``; a repeated name becomes a list."""
    pairs: JsonObject = {}
    for name, value in parse_qsl(text, keep_blank_values=True):
        collect(pairs, name, value)
    return pairs


def _parse_json(text: str) -> Any:
    start = re.search(r"[^\x20\x09\x0a\x0d]", text)
    if start is None:
        return {}
    # Strict mode of body-parser: a bare string or number is refused before it is parsed.
    if start.group() not in "{[":
        raise _syntax_error(_unexpected(text, start.start()))
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except json.JSONDecodeError as failure:
        raise _syntax_error(_explain(text, failure)) from None
    # Nested too deeply for Python's parser: V8's words for a recursion without end.
    except RecursionError:
        raise _syntax_error("Maximum call stack size exceeded") from None


def _refuse_constant(name: str) -> Any:
    raise json.JSONDecodeError(_CONSTANT, name, 0)


def _syntax_error(message: str) -> ErrorThrown:
    return ErrorThrown(message, name="SyntaxError", status=400)


_WORDS = {
    "Expecting property name": _NO_NAME,
    "Expecting ',' delimiter": "Expected ',' or ']' after array element in JSON",
    "Expecting ':' delimiter": "Expected ':' after property name in JSON",
    "Invalid \\escape": "Bad escaped character in JSON",
    "Invalid control character": "Bad control character in string literal in JSON",
    "Unterminated string": "Unterminated string in JSON",
    "Extra data": "Unexpected non-whitespace character after JSON",
}
"""Words of Python for a mistake in JSON, with Node's words for the same."""


def _explain(text: str, failure: json.JSONDecodeError) -> str:
    """Put a mistake that Python found into Node's words, at the place where Node finds it."""
    # NaN and Infinity are found by a hook, which sees the word alone and no position.
    at = text.index(failure.doc) if failure.msg == _CONSTANT else failure.pos
    if failure.msg.startswith("Illegal trailing comma"):  # Python 3.13 points at the comma itself
        at += len(text[at + 1 :]) - len(text[at + 1 :].lstrip()) + 1
    known = next((name for name in _WORDS if failure.msg.startswith(name)), "")
    match known:
        case "":
            return _unexpected(text, at)
        case "Expecting ',' delimiter" if _inside_object(text, at):
            words = "Expected ',' or '}' after property value in JSON"
        case "Expecting property name" if text[:at].rstrip().endswith(","):
            words = "Expected double-quoted property name in JSON"
        case _:
            words = _WORDS[known]
    # Node reports these two at the end of the text and behind the backslash; Python, at the start
    # of the string and at the backslash.
    place = {"Unterminated string": len(text), "Invalid \\escape": at + 1}.get(known, at)
    return f"{words} at position {place}"


def _inside_object(text: str, at: int) -> bool:
    depth: list[str] = []
    # Strings are blanked out first, so that brackets inside them do not count.
    for mark in re.sub(r'"(?:[^"\\]|\\.)*"', lambda m: " " * len(m.group()), text[:at]):
        if mark in "{[":
            depth.append(mark)
        elif mark in "}]" and depth:
            depth.pop()
    return bool(depth) and depth[-1] == "{"


def _unexpected(text: str, at: int) -> str:
    """Word V8's message for a character that cannot start a value, with its surroundings."""
    # V8 reads a misspelt literal as far as it is right, and complains about the first wrong letter.
    for word in ("true", "false", "null"):
        shared = 0
        while shared < len(word) and text[at + shared : at + shared + 1] == word[shared]:
            shared += 1
        if 0 < shared < len(word):
            at += shared
            break
    if at >= len(text):
        return "Unexpected end of JSON input"
    # V8 quotes ten characters on either side, and marks on which side it left text out.
    if len(text) <= 2 * _NEAR:
        around = f'"{text}"'
    elif at < _NEAR:
        around = f'"{text[: at + _NEAR]}"...'
    elif at >= len(text) - _NEAR:
        around = f'..."{text[at - _NEAR :]}"'
    else:
        around = f'..."{text[at - _NEAR : at + _NEAR]}"...'
    return f"Unexpected token '{text[at]}', {around} is not valid JSON"
