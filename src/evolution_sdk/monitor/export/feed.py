"""Hears of calls as they finish, from clients and retry services, and hands on what they add."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from evolution_sdk._client.observers import Fact
from evolution_sdk.monitor.clients import PROBING
from evolution_sdk.retry import EvolutionRetryService, FailureEvent, SuccessEvent

from .calls import of_event, of_fact, operations
from .families import Reading

__all__ = ["feed"]


def feed(
    client: Any,
    retry: EvolutionRetryService | None,
    take: Callable[[Iterable[Reading]], object],
) -> Callable[[], None]:
    """Listen until the returned function is called; the monitor's own probes are left out.

    Args:
        client: A sync or async client, or None.
        retry: A retry service that is not the client's own, or None.
        take: Is given what each call adds, in the thread or task of the call.
    """
    bounded = operations()

    def fact(told: Fact) -> None:
        if not PROBING.get():
            take(of_fact(told, bounded))

    def finished(event: SuccessEvent | FailureEvent) -> None:
        take(of_event(event, bounded))

    ends: list[Callable[[], object]] = []
    if client is not None:
        ends.append(client.observe(fact))
    if retry is not None:
        retry.on("success", finished)
        retry.on("failure", finished)
        ends += (
            lambda: retry.remove_listener("success", finished),
            lambda: retry.remove_listener("failure", finished),
        )

    def end() -> None:
        while ends:
            ends.pop()()

    return end
