"""Comparing answers with recordings: same status, same structure, same words."""

from __future__ import annotations

import json
import re
from typing import Any

_ID = re.compile(r"^(c[a-z0-9]{24}|[0-9a-fA-F-]{36}|3EB0[0-9A-F]{18}|3A[0-9A-F]{18}|wamid\..+)$")
_DATE = re.compile(r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")
_MADE_UP = re.compile(r"^(https://(mmg|pps)\.whatsapp\.net/|/v/t62|data:image/png;base64,|2@)")
_LONG = 120


def structure(value: Any) -> Any:
    """Keys, types and list shapes; byte maps and 64-bit numbers are one thing each."""
    if isinstance(value, dict):
        if value and all(str(key).isdigit() for key in value):
            return "bytes"
        if set(value) == {"low", "high", "unsigned"}:
            return "long"
        return {key: structure(item) for key, item in sorted(value.items())}
    if isinstance(value, list):
        shapes = [structure(item) for item in value]
        return shapes if any(isinstance(s, (dict, list)) for s in shapes) else sorted(set(shapes))
    names = {"str": "text", "int": "number", "float": "number", "bool": "flag", "NoneType": "null"}
    return names[type(value).__name__]


CONTENT = ("message", "contextInfo")


def listing(value: Any) -> Any:
    """The structure of stored rows: which shapes occur, whatever the messages in them say."""
    if isinstance(value, dict):
        return {key: listing(item) for key, item in value.items() if key not in CONTENT}
    if isinstance(value, list):
        shapes = {json.dumps(listing(item), sort_keys=True) for item in value}
        return [json.loads(shape) for shape in sorted(shapes)]
    return structure(value)


def words(value: Any) -> Any:
    """The value with everything that differs from run to run replaced."""
    if isinstance(value, dict):
        return {key: words(item) for key, item in value.items()}
    if isinstance(value, list):
        return [words(item) for item in value]
    if isinstance(value, str):
        return _word(value)
    return value


def _prisma(text: str) -> str:
    """The call that it names, and the last line where the recording has it."""
    call, last = text.split("invocation in")[0], text.rsplit("\n", 1)[-1]
    # A minified build names any call but the right one.
    call = re.sub("`.*integrationSession.*`", "`another call`", call)
    return call if "chars>" in last else f"{call}... {last}"


def _word(text: str) -> str:
    if "prisma" in text.lower() or "invocation in" in text:
        return _prisma(text)
    text = text.replace("waInstances[i]", "waInstances[s]")
    if _ID.match(text):
        return "<id>"
    if _DATE.match(text):
        return "<date>"
    if _MADE_UP.match(text) or len(text) > _LONG:
        return "<made up>"
    return text
