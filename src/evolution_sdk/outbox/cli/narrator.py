"""Work of the outbox, told line by line: in the log, or as JSON."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

from evolution_sdk._cli.language import t
from evolution_sdk._cli.output import age_words, print_json
from evolution_sdk.outbox.events import OutboxEvent
from evolution_sdk.outbox.facts import OutboxFact

__all__ = ["Narrator"]

_log = logging.getLogger("evolution_sdk.outbox")
_GRAVE: Final = frozenset({"failed", "unknown", "paused"})
_WORDS: Final = {
    "sent": ("sent", "enviada"),
    "failed": ("failed", "falhou"),
    "unknown": ("unknown", "em dúvida"),
    "paused": ("paused", "em pausa"),
    "expired": ("expired", "expirou"),
    "cancelled": ("cancelled", "cancelada"),
    "refused": ("refused", "recusada"),
    "found": ("sent, found by a look", "enviada, achada numa busca"),
    "absent": ("not sent, to be sent again", "não enviada, será enviada de novo"),
    "open": ("not found yet, to be looked for again", "ainda não achada, será buscada de novo"),
    "lost": ("no answer, to be looked for", "sem resposta, será buscada"),
    "postponed": ("not sent, to be tried again", "não enviada, nova tentativa depois"),
    "goes_on": ("goes on", "continua"),
}
_PAUSE_AGAIN_S: Final = 60.0


class Narrator:
    """Tells each change once; a pause that goes on at most once a minute.

    Args:
        json: Whether to print one JSON object per change instead of a line in the log.
        clock: Seconds that never go back.
    """

    def __init__(self, *, json: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self._json = json
        self._clock = clock
        self._lock = threading.Lock()
        self._paused: dict[str | None, tuple[str, float]] = {}

    def fact(self, fact: OutboxFact) -> None:
        """Tell of a send or a look.

        Args:
            fact: What a worker has done.
        """
        # The first message that goes out again ends what was told of a pause.
        if fact.waited_ms is not None:
            with self._lock:
                over = [
                    name for name in (None, fact.instance) if self._paused.pop(name, None)
                ]  # fmt: skip
            for name in over:
                self._tell("goes_on", None, name)
        if fact.result != "held":
            self._tell(fact.result, fact.key, fact.instance, fact.reason, fact.waited_ms)

    def event(self, event: OutboxEvent) -> None:
        """Tell of a message that is not to be sent any more.

        Args:
            event: The event.
        """
        key = None if event.message is None else event.message.key
        self._tell(event.name, key, event.instance, event.reason)

    def paused(self, event: OutboxEvent) -> None:
        """Tell of a pause, which every call that fails brings about anew.

        Args:
            event: The event.
        """
        now = self._clock()
        with self._lock:
            reason, at = self._paused.get(event.instance, ("", now))
            if reason == event.reason and now - at < _PAUSE_AGAIN_S:
                return
            self._paused[event.instance] = (event.reason, now)
        self._tell("paused", None, event.instance, event.reason)

    def _tell(
        self,
        name: str,
        key: str | None,
        instance: str | None,
        reason: str = "",
        waited_ms: int | None = None,
    ) -> None:
        if self._json:
            told: dict[str, Any] = {
                "at": datetime.now(UTC).isoformat(timespec="milliseconds"),
                "event": name,
                "key": key,
                "instance": instance,
                "waited_ms": waited_ms,
                "reason": reason,
            }
            with self._lock:
                print_json(told)
            return
        words = [t(*_WORDS.get(name, (name, name)))]
        if key is not None:
            words.append(f"{t('key', 'chave')}={key!r}")
        words.append(f"{t('instance', 'instância')}={instance or '*'}")
        if waited_ms is not None:
            age = age_words(waited_ms / 1_000)
            words.append(t(f"after {age}", f"depois de {age}"))
        level = logging.WARNING if name in _GRAVE else logging.INFO
        _log.log(level, "%s%s", " ".join(words), f": {reason}" if reason else "")
