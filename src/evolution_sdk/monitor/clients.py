"""The clients that a monitor listens to, and whose breakers it lets try early."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evolution_sdk._client.observers import Observer

from .probe import ProbeReport

__all__ = ["ObservedClients"]


class ObservedClients:
    """Clients of the watched server.

    Args:
        observer: Is told of their calls.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._ends: tuple[tuple[Any, Callable[[], None]], ...] = ()

    def add(self, client: Any) -> Callable[[], None]:
        """Listen to one more.

        Args:
            client: A sync or async client.

        Returns:
            A function that ends it.
        """
        end: Callable[[], None] = client.observe(self._observer)
        entry = (client, end)
        self._ends = (*self._ends, entry)

        def stop() -> None:
            end()
            self._ends = tuple(each for each in self._ends if each is not entry)

        return stop

    def close(self) -> None:
        """Listen to none any more."""
        ends, self._ends = self._ends, ()
        for _, end in ends:
            end()

    def try_breakers(self, probed: ProbeReport) -> None:
        """Let open breakers try at once where a probe was answered well.

        Only the server's own good answer counts for the server, and an instance that is open for
        its own. A breaker that fails all the same takes no second hint before its time is up.

        Args:
            probed: What a check learned.
        """
        server = probed.server
        if not server.well or server.activate_at is not None:
            return
        usable = [
            each.name for each in probed.instances if each.state == "open" and each.dead is not True
        ]
        for client, _ in self._ends:
            attempt = getattr(client, "try_breaker", None)
            if not callable(attempt):
                continue
            attempt()
            for name in usable:
                attempt(name)
