"""Recent calls and events by kind, without what they held; bounded, safe to use from any thread."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Final

from evolution_sdk._base.forking import free_in_child
from evolution_sdk._base.histogram import LatencyHistogram
from evolution_sdk._base.sliding_window import SlidingWindow
from evolution_sdk._client.observers import CallFinished

__all__ = ["Traffic"]

_MOST_RECENT: Final = 50
_MOST_KINDS: Final = 60
_MOST_OPERATIONS: Final = 20
_SLOTS: Final = 12
_HOUR_SLOT_S: Final = 300.0
_MINUTE_SLOT_S: Final = 5.0
_OTHER: Final = "other"


@dataclass(slots=True)
class _Calls:
    count: int = 0
    errors: int = 0
    times: LatencyHistogram = field(default_factory=LatencyHistogram)


def _no_calls() -> dict[str, _Calls]:
    return {}


class Traffic:
    """Keeps the newest calls and events, and counts them by kind.

    Args:
        now: Seconds that never go back.

    Attributes:
        calls_seen: Calls so far.
        events_seen: Events so far.
    """

    def __init__(self, now: float) -> None:
        self.calls_seen: int = 0
        self.events_seen: int = 0
        self._lock = free_in_child(Lock())
        self._calls: deque[CallFinished] = deque(maxlen=_MOST_RECENT)
        self._events: deque[tuple[float, str, str]] = deque(maxlen=_MOST_RECENT)
        self._kinds: Counter[str] = Counter()
        self._hour = SlidingWindow(now, _HOUR_SLOT_S, _SLOTS, _no_calls)
        self._minute = SlidingWindow(now, _MINUTE_SLOT_S, _SLOTS, Counter[str])

    def call(self, fact: CallFinished, now: float) -> None:
        """Take in a finished call.

        Args:
            fact: The call.
            now: Seconds that never go back.
        """
        # The fact holds a message and perhaps an error that quotes one: neither is kept.
        kept = CallFinished(
            fact.operation, fact.effect, fact.instance, fact.started_at, fact.elapsed_ms,
            fact.attempts, None, (_status(fact.error), _class(fact.error)),
        )  # fmt: skip
        with self._lock:
            self.calls_seen += 1
            self._calls.append(kept)
            slot = self._hour.at(now)
            counted = slot.get(fact.operation)
            if counted is None:
                counted = slot[fact.operation] = _Calls()
            counted.count += 1
            counted.errors += fact.error is not None
            counted.times.add(fact.elapsed_ms)

    def event(self, kind: str, instance: str, now: float, at: float) -> None:
        """Take in an event.

        Args:
            kind: Its name.
            instance: The instance.
            now: Seconds that never go back.
            at: Unix seconds.
        """
        with self._lock:
            self.events_seen += 1
            # Names come from outside: whoever makes them up must not fill the memory.
            if kind not in self._kinds and len(self._kinds) >= _MOST_KINDS:
                kind = _OTHER
            self._events.append((at, kind, instance))
            self._kinds[kind] += 1
            self._minute.at(now)[kind] += 1

    def calls_shown(self, now: float) -> dict[str, Any]:
        """Return the newest calls, and the counts of the last hour by operation.

        Args:
            now: Seconds that never go back.
        """
        with self._lock:
            recent = [_shown(fact) for fact in reversed(self._calls)]
            total: dict[str, _Calls] = {}
            for slot in self._hour.recent(now):
                for name, some in slot.items():
                    sums = total.setdefault(name, _Calls())
                    sums.count += some.count
                    sums.errors += some.errors
                    sums.times.merge(some.times)
        most = sorted(total.items(), key=lambda item: -item[1].count)[:_MOST_OPERATIONS]
        by_operation = [
            {
                "operation": name,
                "count": sums.count,
                "errors": sums.errors,
                "p95_ms": round(sums.times.percentile_ms(0.95), 1),
            }
            for name, sums in most
        ]
        return {"recent": recent, "by_operation": by_operation}

    def events_shown(self, now: float) -> dict[str, Any]:
        """Return the newest events, and the counts by kind.

        Args:
            now: Seconds that never go back.
        """
        with self._lock:
            recent = [
                {"at": round(at, 1), "kind": kind, "instance": instance}
                for at, kind, instance in reversed(self._events)
            ]
            lately = Counter[str]()
            for slot in self._minute.recent(now):
                lately.update(slot)
            kinds = self._kinds.most_common()
        by_kind = [
            {"kind": kind, "count": count, "per_minute": lately[kind]} for kind, count in kinds
        ]
        return {"recent": recent, "by_kind": by_kind}


def _status(error: BaseException | None) -> int | None:
    status = getattr(error, "status", None)
    return status if isinstance(status, int) else None


def _class(error: BaseException | None) -> str | None:
    return None if error is None else type(error).__name__


def _shown(fact: CallFinished) -> dict[str, Any]:
    # Loads every family: only who shows calls needs them.
    from evolution_sdk.operations.routes import OPERATIONS

    operation = OPERATIONS.get(fact.operation)
    status, error = fact.result
    return {
        "at": round(fact.started_at, 1),
        "operation": fact.operation,
        "method": None if operation is None else operation.method,
        "route": None if operation is None else operation.path,
        "instance": fact.instance,
        "status": status,
        "error": error,
        "elapsed_ms": round(fact.elapsed_ms, 1),
        "attempts": fact.attempts,
    }
