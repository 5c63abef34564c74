"""Warn about parts that the settings switch on but the program never opens."""

from __future__ import annotations

import logging
from typing import Final, Literal, TypeAlias

from evolution_sdk.config import EvolutionConfig

__all__ = ["Part", "SwitchedOn", "note_used"]

_log = logging.getLogger("evolution_sdk.config")

Part: TypeAlias = Literal["archive", "monitor", "rabbitmq", "webhook", "websocket"]
AFTER_S: Final = 60.0
"""Time that a program has to open the parts by hand before it is warned, in seconds."""

_REMEDY: Final = "call client.start(), which opens what the settings switch on, or switch it off"
# Of the whole process: a part may be opened through another client.
_used: set[Part] = set()


def note_used(*parts: Part) -> None:
    """Record that this process has opened a part, through any of its clients.

    Args:
        *parts: The parts that were opened.
    """
    _used.update(parts)


class SwitchedOn:
    """The parts that the settings of one client switch on explicitly, until they were logged.

    Args:
        config: The settings; a part that is on by default counts only if it was set.
        now: Monotonic time, in seconds.
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
                # On by default, so only an explicit setting counts.
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
        """Log the unused parts once the time for opening them is over.

        Args:
            now: Monotonic time, in seconds.

        Returns:
            True when the time is over and nothing is left to log.
        """
        if now < self._due:
            return False
        self.tell()
        return True

    def tell(self) -> None:
        """Log the parts that are switched on but were never opened, in one line."""
        unused = [name for part, name in self._named.items() if part not in _used]
        self._named = {}
        if unused:
            _log.warning("switched on and not used: %s; %s", "; ".join(unused), _REMEDY)
