"""Consumption: events that somebody waited for, and that handlers shall not see. No I/O.

Whoever waits lays a claim on the event when it is offered. The claim is kept when the wait returns
the event, and given up when the wait ends otherwise; only a kept one hides the event from handlers.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child, in_child

if TYPE_CHECKING:
    from evolution_sdk.events import Event

__all__ = ["ClaimedEvent", "Claims", "Hold"]

_MOST_CLAIMS = 2_000


class ClaimedEvent:
    """An event on which one or several waits have laid a claim; thread-safe."""

    def __init__(self) -> None:
        self._changed = free_in_child(threading.Condition())
        self._open = 0
        self._kept = False

    @property
    def is_settled(self) -> bool:
        """True once it is certain whether a wait returned the event."""
        return self._kept or self._open == 0

    @property
    def is_consumed(self) -> bool:
        """True if a wait returned the event."""
        return self._kept

    def lay(self) -> None:
        """Lay a claim."""
        with self._changed:
            self._open += 1

    def settle(self, *, kept: bool) -> None:
        """End a claim.

        Args:
            kept: True if the wait returned the event.
        """
        with self._changed:
            self._open -= 1
            self._kept = self._kept or kept
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is certain; that takes as long as a waiting task or thread needs to wake.

        Args:
            timeout_s: Longest wait, in seconds.

        Returns:
            True if a wait returned the event, or has laid claim to it until the time was over.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.is_settled, timeout_s)
            return self._kept or self._open > 0


class Claims:
    """The claims on the events of one client, by ``delivery_key``; the latest 2,000 are kept."""

    def __init__(self) -> None:
        self._lock = free_in_child(threading.Lock())
        self._events: BoundedDict[str, ClaimedEvent] = BoundedDict(_MOST_CLAIMS)
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        self._events = BoundedDict(_MOST_CLAIMS)

    def lay(self, event: Event) -> ClaimedEvent:
        """Lay a claim on an event.

        Args:
            event: The event.

        Returns:
            The claim; settle it exactly once.
        """
        key = event.delivery_key
        with self._lock:
            claimed = self._events.get(key)
            if claimed is None:
                claimed = self._events[key] = ClaimedEvent()
            claimed.lay()
        return claimed

    def on(self, event: Event) -> ClaimedEvent | None:
        """Return the claims on an event; None without any.

        Args:
            event: The event; every copy of it has the same key.
        """
        # Made only where there are claims at all: a key may be a hash of the whole event.
        if not self._events:
            return None
        with self._lock:
            return self._events.get(event.delivery_key)


class Waited(Protocol):
    """Something that is waited for, as a hold needs it."""

    @property
    def done(self) -> bool:
        """Tell if the waiting is over."""
        ...

    def take(self, event: Event) -> bool:
        """Take an event in; True when the waiting is over."""
        ...


class Hold:
    """Hands one wait its events, each thread in its turn, and claims the one that ends it.

    Args:
        waited: What is waited for.
        claims: Where to claim the event; None if handlers may see it.
    """

    def __init__(self, waited: Waited, claims: Claims | None) -> None:
        self._waited = waited
        self._claims = claims
        self._lock = free_in_child(threading.RLock())
        self._claimed: ClaimedEvent | None = None
        self._over = False

    def take(self, event: Event) -> bool:
        """Take an event in.

        Args:
            event: The event.

        Returns:
            True if the wait is over; of a wait that claims, further events are not looked at.
        """
        # Two threads may feed at once: the event that is claimed must be the one that counts.
        with self._lock:
            if self._claims is None:
                # Statuses go on to tell how far a message got, until the wait has woken.
                return self._waited.take(event)
            if not self._over:
                self._over = self._waited.take(event)
                if self._over:
                    self._claimed = self._claims.lay(event)
            return self._over

    def learn(self, work: Callable[[], object]) -> None:
        """Let it learn from elsewhere, unless the wait is over.

        Args:
            work: Tells what was found in the store.
        """
        with self._lock:
            if not self._over:
                work()
                self._over = self._waited.done

    def keep(self, event: Event | None) -> None:
        """End a wait that returns its event.

        Args:
            event: The event; None for a wait for something else.
        """
        with self._lock:
            claimed, self._claimed = self._claimed, None
            # One that was found in the store may still arrive by webhook.
            if claimed is None and self._claims is not None and event is not None:
                claimed = self._claims.lay(event)
        if claimed is not None:
            claimed.settle(kept=True)

    def give_up(self) -> None:
        """End a wait that failed or was cancelled: its event goes to handlers."""
        with self._lock:
            self._over = True
            claimed, self._claimed = self._claimed, None
        if claimed is not None:
            claimed.settle(kept=False)
