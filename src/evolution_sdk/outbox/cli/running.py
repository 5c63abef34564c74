"""``outbox run``: workers until a signal, one line per change."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from evolution_sdk._cli.frame import DONE, INTERRUPTED, NO
from evolution_sdk._cli.output import age_words, print_json
from evolution_sdk.outbox.events import OutboxEvent
from evolution_sdk.outbox.facts import OutboxFact

if TYPE_CHECKING:
    from evolution_sdk.outbox import Outbox, ProcrastinateEngine

__all__ = ["run"]

_log = logging.getLogger("evolution_sdk.outbox")
_WORKERS: Final = 4
_GRAVE: Final = frozenset({"failed", "unknown", "paused"})
_WORDS: Final[Mapping[str, str]] = {
    "found": "sent, found by a look",
    "absent": "not sent, to be sent again",
    "open": "not found yet, to be looked for again",
    "lost": "no answer, to be looked for",
    "postponed": "not sent, to be tried again",
}


def run(
    outbox: Outbox, arguments: argparse.Namespace, engine: ProcrastinateEngine | None = None
) -> int:
    """Send until SIGINT or SIGTERM, then finish what is being sent; a second one ends at once.

    Args:
        outbox: The outbox, not started.
        arguments: The parsed options.
        engine: Its engine. Default: workers of its own.

    Returns:
        0 when all that was begun is finished, else 1: the next worker looks for the rest.

    Raises:
        OutboxStoreError: The store cannot be used.
    """
    tell = _tell_json if arguments.json else _tell
    with _logging(), _signals() as stop:
        outbox.observe(lambda fact: _tell_fact(tell, fact))
        for name in ("expired", "cancelled", "paused"):
            outbox.on(name, lambda event: _tell_event(tell, event))
        outbox.start()
        _log.info("the outbox sends; SIGINT or SIGTERM ends it")
        patience_ms = arguments.patience.total_seconds() * 1_000
        if engine is None:
            stop.wait()
            _finishing()
        else:
            _with_procrastinate(engine, arguments.workers, patience_ms, stop)
        over = outbox.close(timeout_ms=patience_ms)
        if not over:
            _log.warning("not all was finished in time; the next worker looks for the rest")
    return DONE if over else NO


def _finishing() -> None:
    _log.info("finishing what is being sent; another signal ends at once")


def _with_procrastinate(
    engine: ProcrastinateEngine, workers: int | None, patience_ms: float, stop: threading.Event
) -> None:
    """Work on jobs until the event, then finish what is being sent."""
    import asyncio

    ended = threading.Event()

    def end() -> None:
        stop.wait()
        _finishing()
        while not ended.is_set():  # it may not have begun yet
            engine.stop()
            ended.wait(0.1)

    threading.Thread(target=end, name="evolution-outbox-signals", daemon=True).start()
    work = engine.run(
        concurrency=workers or _WORKERS, stop_timeout_ms=patience_ms, handle_signals=False
    )
    try:
        asyncio.run(work)
    finally:
        ended.set()


@contextmanager
def _signals() -> Generator[threading.Event]:
    """Turn the first signal into an event; the second one ends the process."""
    stop = threading.Event()

    def heard(_number: int, _frame: object) -> None:
        if stop.is_set():
            # As after kill -9: what is under way is looked for by whoever works here next.
            sys.stdout.flush()
            os._exit(INTERRUPTED)
        stop.set()

    before = {number: signal.signal(number, heard) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def _logging() -> Generator[None]:
    """Show the lines of the SDK from INFO on, on stderr."""
    logger = logging.getLogger("evolution_sdk")
    level, handler = logger.level, logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    logger.addHandler(handler)
    if level == logging.NOTSET:
        logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _tell_fact(tell: Callable[[Mapping[str, Any]], None], fact: OutboxFact) -> None:
    if fact.result == "held":
        return
    tell(
        {
            "event": fact.result,
            "key": fact.key,
            "instance": fact.instance,
            "waited_ms": fact.waited_ms,
            "reason": fact.reason,
        }
    )


def _tell_event(tell: Callable[[Mapping[str, Any]], None], event: OutboxEvent) -> None:
    key = None if event.message is None else event.message.key
    tell(
        {
            "event": event.name,
            "key": key,
            "instance": event.instance,
            "waited_ms": None,
            "reason": event.reason,
        }
    )


def _tell_json(change: Mapping[str, Any]) -> None:
    print_json({"at": datetime.now(UTC).isoformat(timespec="milliseconds"), **change})


def _tell(change: Mapping[str, Any]) -> None:
    name = change["event"]
    level = logging.WARNING if name in _GRAVE else logging.INFO
    place = change["instance"] or "the whole server"
    waited = change["waited_ms"]
    after = "" if waited is None else f" after {age_words(waited / 1_000)}"
    why = f": {change['reason']}" if change["reason"] else ""
    key = "" if change["key"] is None else f" key={change['key']!r}"
    _log.log(level, "%s%s instance=%s%s%s", _WORDS.get(name, name), key, place, after, why)
