"""``outbox run``: workers until a signal, one line per change."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from evolution_sdk._cli.frame import DONE, INTERRUPTED, NO
from evolution_sdk._cli.language import t
from evolution_sdk._cli.signals import beside_signals

from .narrator import Narrator

if TYPE_CHECKING:
    from evolution_sdk.outbox import Outbox, ProcrastinateEngine

__all__ = ["run"]

_log = logging.getLogger("evolution_sdk.outbox")
_WORKERS: Final = 4
_TOLD_EVENTS: Final = ("expired", "cancelled")


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
    narrator = Narrator(json=arguments.json)
    outbox.observe(narrator.fact)
    outbox.on("paused", narrator.paused)
    for name in _TOLD_EVENTS:
        outbox.on(name, narrator.event)
    with _logging(), _signals() as stop:
        return beside_signals(lambda: _send_until(stop, outbox, arguments, engine))


def _send_until(
    stop: threading.Event,
    outbox: Outbox,
    arguments: argparse.Namespace,
    engine: ProcrastinateEngine | None,
) -> int:
    outbox.start()
    _log.info(
        t(
            "the outbox sends; SIGINT or SIGTERM ends it",
            "o outbox está enviando; SIGINT ou SIGTERM encerra",
        )
    )
    patience_ms = arguments.patience.total_seconds() * 1_000
    if engine is None:
        stop.wait()
        _finishing()
    else:
        _with_procrastinate(engine, arguments.workers, patience_ms, stop)
    if outbox.close(timeout_ms=patience_ms):
        return DONE
    _log.warning(
        t(
            "not all was finished in time; the next worker looks for the rest",
            "nem tudo terminou a tempo; o próximo processo busca o resto",
        )
    )
    return NO


def _finishing() -> None:
    _log.info(
        t(
            "finishing what is being sent; another signal ends at once",
            "terminando o que está sendo enviado; outro sinal encerra na hora",
        )
    )


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
    """Show the outbox's lines from INFO on, and other warnings of the SDK, on stderr."""
    logger = logging.getLogger("evolution_sdk")
    level, handler = logger.level, logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(message)s"))
    handler.addFilter(_is_news)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _is_news(record: logging.LogRecord) -> bool:
    """Leave out what the retry service tells of each call: the outbox says what follows from it."""
    if record.name == _log.name:
        return True
    least = logging.ERROR if record.name == "evolution_sdk.retry" else logging.WARNING
    return record.levelno >= least
