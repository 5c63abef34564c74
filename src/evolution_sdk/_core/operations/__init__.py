"""Every route of the server as one declaration, one file per family."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from evolution_sdk._core.operation import Operation

from . import chat, instance, message, server, settings, webhook

_FAMILIES = (server, instance, message, chat, settings, webhook)


def _collect() -> Mapping[str, Operation[Any]]:
    found: dict[str, Operation[Any]] = {}
    for family in _FAMILIES:
        for value in vars(family).values():
            if isinstance(value, Operation):
                found[value.name] = value
    return MappingProxyType(found)


OPERATIONS: Mapping[str, Operation[Any]] = _collect()
"""All operations by key, ``<group>.<name>`` as in the server's route table."""
