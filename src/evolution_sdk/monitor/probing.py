"""The thin shell around the questions: the only place that calls a client, in both colours."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final, TypeVar

from evolution_sdk._base.context import BYPASS_GUARDS
from evolution_sdk.retry.switches import LOGS_QUIETLY

from .probe import ProbeRequest, ProbeResult

__all__ = ["PROBING", "begin", "drive_async", "drive_sync"]

T = TypeVar("T")

PROBING: Final[ContextVar[bool]] = ContextVar("evolution_monitor_probing", default=False)
"""Set while the monitor asks, so that its own calls do not count as the user's."""


def begin(client: Any, ask: ProbeRequest, timeout_ms: float) -> Any:
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
            # "available" would stop the notifications of the phone (peers.md 3.2).
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
def _asking(ask: ProbeRequest) -> Generator[None]:
    """A probe that fails is told by the monitor; whatever changes something is logged as usual."""
    quiet = LOGS_QUIETLY.set(ask.kind not in ("restart", "connect"))
    try:
        yield
    finally:
        LOGS_QUIETLY.reset(quiet)


def drive_sync(
    asking: Generator[ProbeRequest, ProbeResult, T],
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
                    answer = ProbeResult((clock() - begun) * 1_000, value)
                except Exception as error:  # noqa: BLE001 - a failure is an answer too
                    answer = ProbeResult((clock() - begun) * 1_000, error=error)
                ask = asking.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result


async def drive_async(
    asking: Generator[ProbeRequest, ProbeResult, T],
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
                    answer = ProbeResult((clock() - begun) * 1_000, value)
                except Exception as error:  # noqa: BLE001 - a failure is an answer too
                    answer = ProbeResult((clock() - begun) * 1_000, error=error)
                ask = asking.send(answer)
        except StopIteration as done:
            result: T = done.value
            return result
