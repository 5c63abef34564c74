"""Every route of the server as one declaration, one file per family.

A family's file is loaded with the first of its calls; :data:`OPERATIONS` loads them all.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeGuard

from evolution_sdk.operations.operation import Operation

if TYPE_CHECKING:
    OPERATIONS: Mapping[str, Operation[Any]]
    """All operations by key, ``<group>.<name>`` as in the server's route table."""

__all__ = ["OPERATIONS"]

_FAMILIES = (
    "server",
    "instance",
    "message",
    "chat",
    "group",
    "label",
    "call",
    "settings",
    "proxy",
    "template",
    "business",
    "webhook",
    "event_channels",
    "chatwoot",
    "chatbots",
    "s3",
    "baileys",
)


def _is_set(value: object) -> TypeGuard[tuple[Any, ...]]:
    return isinstance(value, tuple)


def _collect() -> Mapping[str, Operation[Any]]:
    found: dict[str, Operation[Any]] = {}
    for family in _FAMILIES:
        for value in vars(import_module(f".{family}", __name__)).values():
            # Families of one shape declare their operations as a named tuple.
            for part in value if _is_set(value) else (value,):
                if isinstance(part, Operation):
                    found[part.name] = part
    return MappingProxyType(found)


def __getattr__(name: str) -> Any:
    if name != "OPERATIONS":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = found = _collect()
    return found
