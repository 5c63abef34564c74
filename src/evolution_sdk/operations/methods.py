"""The methods of the client by name, and the operations behind them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from evolution_sdk.errors import RequestValidationError

from .operation import Operation

__all__ = ["method_of", "operation_of"]

# Where a family of the client is not called as its group of routes.
_FAMILIES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "root": "server",
        "instance": "instances",
        "message": "messages",
        "chat": "chats",
        "group": "groups",
        "label": "labels",
        "call": "calls",
        "template": "templates",
        "evolutionBot": "evolution_bot",
    }
)


def method_of(operation: Operation[Any]) -> str:
    """Name the method of the client that calls an operation, such as ``messages.send_text``.

    It is the operation's name without the family's own noun, unless the declaration says otherwise.

    Args:
        operation: The operation.
    """
    if operation.called_as:
        return operation.called_as
    group, _, name = operation.name.partition(".")
    family = _FAMILIES.get(group, group)
    nouns = {group, family, *family.split("_"), f"{group}s"}
    if family.startswith(("evolution_bot", "typebot", "openai", "dify", "n8n", "evoai", "flowise")):
        nouns |= {"bot", "bots"}
    words = [word for word in name.split("_") if word not in nouns]
    return f"{family}.{'_'.join(words)}"


def operation_of(method: str) -> Operation[Any]:
    """Find the operation behind a method of the client.

    Args:
        method: Such as ``messages.send_text``; the key of an operation is taken as well.

    Returns:
        The operation.

    Raises:
        RequestValidationError: No method of the client has that name.
    """
    known = _by_method()
    if not isinstance(method, str):  # pyright: ignore[reportUnnecessaryIsInstance] - callers err
        raise RequestValidationError("method", "must be a name, such as 'messages.send_text'")
    found = known.get(method)
    if found is None:
        near = difflib.get_close_matches(method, known, 1)
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise RequestValidationError(
            "method", f"no method of the client calls a route by this name{hint}"
        )
    return found


@cache
def _by_method() -> Mapping[str, Operation[Any]]:
    from .routes import OPERATIONS  # loads every family: only who asks by name needs them

    by_key = dict(OPERATIONS)
    return MappingProxyType({**by_key, **{method_of(one): one for one in by_key.values()}})
