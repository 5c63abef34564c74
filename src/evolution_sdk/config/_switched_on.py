"""Warning of parts that the settings switch on and nothing uses, as without ``start()``."""

from __future__ import annotations

import logging
from typing import Final, Literal, TypeAlias

from evolution_sdk.config import EvolutionConfig

__all__ = ["Part", "SwitchedOn", "note_used"]

_log = logging.getLogger("evolution_sdk.config")

Part: TypeAlias = Literal["archive", "monitor", "rabbitmq", "webhook", "websocket"]
AFTER_S: Final = 60.0
"""Time for a program to open the parts itself, in seconds."""

_REMEDY: Final = "call client.start(), which opens what the settings switch on, or switch it off"
_used: set[Part] = set()


def note_used(*parts: Part) -> None:
    """Note that this process has opened parts, with any client.

    Args:
        *parts: The parts opened.
    """
    _used.update(parts)


class SwitchedOn:
    """Parts that the settings of one client switch on explicitly, until the warning is given.

    Args:
        config: The settings; parts that are on by default do not count.
        now: The present, in seconds of a monotonic clock.
    """

    def __init__(self, config: EvolutionConfig, now: float) -> None:
        store, monitoring = config.store, config.monitoring
        named: dict[Part, tuple[bool, str]] = {
            "archive": (
                store.messages or store.message_up or store.contacts,
                "EVOLUTION_STORE_MESSAGES, EVOLUTION_STORE_MESSAGE_UP, EVOLUTION_STORE_CONTACTS",
            ),
            "webhook": (config.webhook.enabled, "EVOLUTION_WEBHOOK_ENABLED"),
            "websocket": (config.websocket.enabled, "EVOLUTION_WEBSOCKET_ENABLED"),
            "rabbitmq": (config.rabbitmq.uri is not None, "EVOLUTION_RABBITMQ_URI"),
            "monitor": (
                monitoring.enabled and "enabled" in monitoring.model_fields_set,
                "EVOLUTION_MONITORING_ENABLED",
            ),
        }
        self._named: dict[Part, str] = {
            part: variables for part, (on, variables) in named.items() if on
        }
        self._due = now + AFTER_S

    def __bool__(self) -> bool:
        return bool(self._named)

    def look(self, now: float) -> bool:
        """Give the warning once its time has come.

        Args:
            now: The present, in seconds of a monotonic clock.

        Returns:
            True if the warning was given.
        """
        if now < self._due:
            return False
        self.tell()
        return True

    def tell(self) -> None:
        """Log the parts that are switched on and not opened, in one line."""
        unused = [name for part, name in self._named.items() if part not in _used]
        self._named = {}
        if unused:
            _log.warning("switched on and not used: %s; %s", "; ".join(unused), _REMEDY)
