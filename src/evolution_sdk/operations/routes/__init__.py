"""Every route of the server as one declaration, one file per family."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, TypeGuard

from evolution_sdk.operations.operation import Operation

from . import (
    baileys,
    business,
    call,
    chat,
    chatbots,
    chatwoot,
    group,
    instance,
    label,
    message,
    proxy,
    s3,
    server,
    settings,
    template,
    transports,
    webhook,
)

_FAMILIES = (
    server,
    instance,
    message,
    chat,
    group,
    label,
    call,
    settings,
    proxy,
    template,
    business,
    webhook,
    transports,
    chatwoot,
    chatbots,
    s3,
    baileys,
)


def _is_set(value: object) -> TypeGuard[tuple[Any, ...]]:
    return isinstance(value, tuple)


def _collect() -> Mapping[str, Operation[Any]]:
    found: dict[str, Operation[Any]] = {}
    for family in _FAMILIES:
        for value in vars(family).values():
            # Families of one shape declare their operations as a named tuple.
            for part in value if _is_set(value) else (value,):
                if isinstance(part, Operation):
                    found[part.name] = part
    return MappingProxyType(found)


OPERATIONS: Mapping[str, Operation[Any]] = _collect()
"""All operations by key, ``<group>.<name>`` as in the server's route table."""
