"""Comparing answers with recordings: same status, same structure, same words."""

from __future__ import annotations

import re
from typing import Any

_ID = re.compile(
    r"^(c[a-z0-9]{24}|[0-9a-fA-F-]{36}|3EB0[0-9A-F]{18}|3A[0-9A-F]{18}|wamid\..+)$"
)
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
    if isinstance(value, bool) or value is None:
        return str(value)
    return {"str": "text", "int": "number", "float": "number"}[type(value).__name__]


def words(value: Any) -> Any:
    """The value with everything that differs from run to run replaced."""
    if isinstance(value, dict):
        return {key: words(item) for key, item in value.items()}
    if isinstance(value, list):
        return [words(item) for item in value]
    if isinstance(value, str):
        return _word(value)
    return value


def _word(text: str) -> str:
    if "prisma" in text.lower():
        return text.split("invocation in")[0]
    if _ID.match(text):
        return "<id>"
    if _DATE.match(text):
        return "<date>"
    if _MADE_UP.match(text) or len(text) > _LONG:
        return "<made up>"
    return text
