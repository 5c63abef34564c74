"""An outbox whose figures a test chooses."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from evolution_sdk.errors import OutboxStoreError
from evolution_sdk.outbox import OutboxFact, OutboxPause, OutboxStats

PERSON = {"by_person": True, "left_ms": None, "troubles": 0}
LIMIT = {"by_person": False, "left_ms": 5_000, "troubles": 0}
TROUBLE = {"by_person": False, "left_ms": 5_000, "troubles": 2}


class StubOutbox:
    """Has the two methods that a monitor uses."""

    def __init__(self) -> None:
        self.counts: dict[tuple[str, str], int] = {}
        self.oldest_ms: dict[str, int] = {}
        self.pauses: list[OutboxPause] = []
        self.broken = False
        self.gate: threading.Event | None = None
        self.threads: list[int] = []
        self.observers: list[Callable[[OutboxFact], object]] = []

    def pause(self, instance: str | None, cause: dict[str, Any], reason: str = "why") -> None:
        self.pauses.append(OutboxPause(instance=instance, reason=reason, **cause))

    def read_stats(self) -> OutboxStats:
        self.threads.append(threading.get_ident())
        if self.gate is not None:
            self.gate.wait(30)
        if self.broken:
            raise OutboxStoreError("nobody listens there", kind="unavailable")
        return OutboxStats(dict(self.counts), dict(self.oldest_ms), tuple(self.pauses))

    def observe(self, observer: Callable[[OutboxFact], object], /) -> Callable[[], None]:
        self.observers.append(observer)

        def end() -> None:
            if observer in self.observers:
                self.observers.remove(observer)

        return end

    def tell(self, **changes: Any) -> None:
        values: dict[str, Any] = {
            "key": "k", "instance": "sales", "operation": "message.send_text", "kind": "send",
            "result": "sent", "attempts": 1, "waited_ms": 1_000,
        }  # fmt: skip
        for observer in list(self.observers):
            observer(OutboxFact(**{**values, **changes}))
