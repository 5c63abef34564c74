"""The thin shell around the questions: the only place that calls a client, in both colours."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from evolution_sdk._base.context import BYPASS_GUARDS, QUIET_RETRY_LOG

from .probe import Answer, Ask

__all__ = ["PROBING", "begin", "drive_async", "drive_sync"]

T = TypeVar("T")

PROBING: Final[ContextVar[bool]] = ContextVar("evolution_monitor_probing", default=False)
"""Set while the monitor asks, so that its own calls do not count as the user's."""


def begin(client: Any, ask: Ask, timeout_ms: float) -> Any:
    """Put a question to a client; an async one returns what is to be awaited."""
    options: dict[str, Any] = {"retry": False, "timeout_ms": timeout_ms}
    instances = client.instances
    match ask.kind:
        case "info":
            return client.server.info(**options)
        case "names":
            return instances.fetch(**options)
        case "state":
            return instances.connection_state(ask.instance, **options)
        case "presence":
            # "available" would stop the notifications of the phone: the presence is that of the
            # whole account (`facts/semantics.md` §9).
            return instances.set_presence("unavailable", ask.instance, **options)
        case "restart":
            return instances.restart(ask.instance, **options)
        case "connect":
            return instances.connect(ask.instance, **options)


@contextmanager
def _probing() -> Generator[None]:
    """Calls inside are the monitor's own: not counted as the user's, and past the gates."""
    probing, past = PROBING.set(True), BYPASS_GUARDS.set(True)
    try:
        yield
    finally:
        PROBING.reset(probing)
        BYPASS_GUARDS.reset(past)


@contextmanager
def _asking(ask: Ask) -> Generator[None]:
    """A probe that fails is told by the monitor; whatever changes something is logged as usual."""
    quiet = QUIET_RETRY_LOG.set(ask.kind not in ("restart", "connect"))
    try:
        yield
    finally:
        QUIET_RETRY_LOG.reset(quiet)


def drive_sync(
    asking: Generator[Ask, Answer, T],
    client: Any,
    timeout_ms: float,
    clock: Callable[[], float],
) -> T:
    """Put the questions to a blocking client."""
    with _probing():
        try:
            ask = next(asking)
            while True:
                begun = clock()
                try:
                    with _asking(ask):
                        value = begin(client, ask, timeout_ms)
                    answer = Answer((clock() - begun) * 1_000, value)
                except Exception as error:  # noqa: BLE001 - a failure is an answer too
                    answer = Answer((clock() - begun) * 1_000, error=error)
                ask = asking.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result


async def drive_async(
    asking: Generator[Ask, Answer, T],
    client: Any,
    timeout_ms: float,
    clock: Callable[[], float],
) -> T:
    """Put the questions to an async client."""
    with _probing():
        try:
            ask = next(asking)
            while True:
                begun = clock()
                try:
                    with _asking(ask):
                        value = await begin(client, ask, timeout_ms)
                    answer = Answer((clock() - begun) * 1_000, value)
                except Exception as error:  # noqa: BLE001 - a failure is an answer too
                    answer = Answer((clock() - begun) * 1_000, error=error)
                ask = asking.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result
