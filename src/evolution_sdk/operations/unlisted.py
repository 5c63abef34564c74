"""Calls of routes that this SDK does not declare: newer than it, or of a server of one's own."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import unquote

from evolution_sdk._base.effect import Effect
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.models.readers import anything

from .operation import Operation, TimeoutKind, decode_json

__all__ = ["unlisted"]

_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_PATH: Final = re.compile(r"/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2}|\{instance\})*")
_WORD: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,39}")
_KINDS: Final[Mapping[Effect, TimeoutKind]] = {Effect.SEND: TimeoutKind.SEND}
# The server merges the query over the path after it has checked the key (facts/semantics.md §1).
_OVERWRITES: Final = "instanceName"


def unlisted(
    method: object, path: object, effect: object, query: Mapping[str, str | None] | None
) -> Operation[Any]:
    """Declare an operation for one call of a route that has no declaration.

    Args:
        method: HTTP method.
        path: Path below the base URL, percent-encoded; ``{instance}`` is filled in.
        effect: What an accepted call does, as the caller says.
        query: Query values by key.

    Returns:
        The operation; its name is made of the first two parts of the path.

    Raises:
        RequestValidationError: A value cannot be part of a request.
    """
    verb = method.upper() if isinstance(method, str) else ""
    if verb not in _METHODS:
        raise RequestValidationError("method", f"must be one of {', '.join(sorted(_METHODS))}")
    if not isinstance(effect, str) or effect not in set(Effect):
        raise RequestValidationError(
            "effect", f"must be an Effect: one of {', '.join(each.value for each in Effect)}"
        )
    if not isinstance(path, str) or _PATH.fullmatch(path) is None or path.startswith("//"):
        raise RequestValidationError(
            "path",
            "must be a percent-encoded path such as /chat/newRoute/{instance}, without host and "
            "query; give query values as query={…}",
        )
    # As a proxy reads them: decoded, and without parameters.
    plain = unquote(unquote(path)).replace("\\", "/")
    if any(part.partition(";")[0] in (".", "..") for part in plain.split("/")):
        raise RequestValidationError("path", "must not hold the parts '.' and '..'")
    for key in query or ():
        # The server's parser of queries makes objects and lists of brackets.
        if set(key) & set("[]") or (key.strip() == _OVERWRITES and "{instance}" in path):
            raise RequestValidationError(
                "query", f"{key!r} could overwrite the instance of the path: leave it out"
            )
    # Two parts only, and only words: others may be names, numbers or secrets, which belong in no
    # metric.
    parts = [part for part in path.split("/") if part and part != "{instance}"][:2]
    words = [part if _WORD.fullmatch(part) else "*" for part in parts]
    return Operation(
        name=".".join(words) or "root",
        method=verb,
        path=path,
        effect=Effect(effect),
        read=_raw,
        query=tuple(query or ()),
        timeout=_KINDS.get(Effect(effect), TimeoutKind.READ),
        empty_means="nothing",
        content="any",
    )


def _raw(data: Any) -> Any:
    """Return an answer as it is; text that is JSON as what it says."""
    if not isinstance(data, str):
        return anything(data)
    try:
        return decode_json(data.encode())
    except ValueError:
        return data
