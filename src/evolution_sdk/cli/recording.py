"""Keeping events in a file that ``evolution events replay`` reads."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

from evolution_sdk._cli.language import t
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import (
    CredsUpdate,
    Event,
    InstanceCreate,
    MalformedEvent,
    QrcodeUpdated,
)

__all__ = ["Recorder"]

# Not among them: the key, and the address of the webhook, which may hold a token.
_KEPT: Final = ("event", "instance", "data", "date_time", "sender", "server_url")
# What they tell are keys and codes, and nothing else.
_SECRET: Final = (CredsUpdate, InstanceCreate, MalformedEvent, QrcodeUpdated)


class Recorder:
    """Appends events to a file that only its owner can read, one in each line.

    Args:
        path: The file; made where it is missing.

    Raises:
        ConfigurationError: It cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._append("")
        except OSError as error:
            raise ConfigurationError(
                t(
                    f"--save: {path} cannot be written ({type(error).__name__}).",
                    f"--save: não foi possível gravar {path} ({type(error).__name__}).",
                ),
                variable="--save",
            ) from None

    def take(self, event: Event[Any]) -> None:
        """Keep an event, unless it holds nothing but keys and codes.

        Args:
            event: The event.

        Raises:
            OSError: The file cannot be written.
        """
        if isinstance(event, _SECRET):
            return
        kept = {name: event.raw[name] for name in _KEPT if name in event.raw}
        self._append(f"{json.dumps(kept, default=_as_server)}\n")

    def _append(self, line: str) -> None:
        # It holds what people wrote: nobody else may ever read it.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT
        with os.fdopen(os.open(self._path, flags, 0o600), "a", encoding="utf-8") as file:
            file.write(line)


def _as_server(value: object) -> object:
    """Write bytes, which the socket brings, as webhooks do."""
    if isinstance(value, bytes | bytearray):
        return {str(place): each for place, each in enumerate(bytes(value))}
    raise TypeError(type(value).__name__)
