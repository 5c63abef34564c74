"""Reads that are remembered: one request for all who ask the same at once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk.models.base import Model
from evolution_sdk.operations.operation import CacheKind, Operation
from evolution_sdk.resilience.cache import MISSING, AnswerCache, Key, copy_of

from ._seam import Later, Signal

if TYPE_CHECKING:
    from evolution_sdk.models.chat import NumberCheck

T = TypeVar("T", bound="Model | None")


class _Flight:
    """One request under way, and those who wait for it."""

    __slots__ = ("failed", "landed", "stale", "value")

    def __init__(self) -> None:
        self.landed = Signal()
        self.value: Any = MISSING
        self.failed = False
        self.stale = False


class CachedReads:
    """Keeps answers, and lets equal reads share one request.

    Whoever asks first makes the request. When that fails, those who wait ask for themselves; when
    it is cancelled, one of them takes over.
    """

    def __init__(self, kept: AnswerCache) -> None:
        self._kept = kept
        self._flights: dict[Key, _Flight] = {}
        self._guard = free_in_child(threading.Lock())
        in_child(self._begin_anew)

    def _begin_anew(self) -> None:
        self._flights = {}  # the parent's requests never end in a forked child

    async def one(
        self,
        key: Key,
        ask: Callable[[], Later[T]],
        absent: Callable[[T], bool],
        *,
        fresh: bool = False,
    ) -> T:
        """Answer one question.

        Args:
            key: What is asked.
            ask: Asks the server.
            absent: Whether an answer says that there is nothing.
            fresh: Ask the server in any case.

        Returns:
            The answer, which may have been kept or come by another's request.
        """
        while not fresh:
            value, flight, leads = self._look(key)
            if flight is None:
                return value  # type: ignore[no-any-return]  # what was put under this key
            if leads:
                return await self._lead(key, flight, ask, absent)
            await flight.landed.wait()
            if flight.value is not MISSING:
                return copy_of(flight.value)  # type: ignore[no-any-return]
            fresh = flight.failed
        value = await ask()
        self._kept.put(key, value, absent=absent(value))
        return value

    async def numbers(
        self,
        instance: str | None,
        numbers: Sequence[str],
        ask: Callable[[Sequence[str]], Later[list[NumberCheck]]],
        *,
        fresh: bool = False,
    ) -> list[NumberCheck]:
        """Check numbers, asking the server only for those that are not known yet.

        Args:
            instance: Through which instance.
            numbers: The numbers, each once.
            ask: Asks the server about some of them.
            fresh: Ask the server about all.

        Returns:
            The answers: those known first, then those of the server in its own order.
        """
        found: list[NumberCheck] = []
        mine: dict[str, _Flight] = {}
        others: dict[str, _Flight] = {}
        for number in () if fresh else numbers:
            value, flight, leads = self._look(("number", instance, number))
            if flight is None:
                found.append(value)
            else:
                (mine if leads else others)[number] = flight
        if fresh or mine:
            asked = list(numbers) if fresh else list(mine)
            found += await self._check(instance, asked, mine, ask)
        again: list[str] = []
        for number, flight in others.items():
            await flight.landed.wait()
            if flight.value is MISSING:
                again.append(number)
            else:
                found.append(copy_of(flight.value))
        if again:
            found += await self._check(instance, again, {}, ask)
        return found

    def changed(
        self,
        operation: Operation[Any],
        instance: str | None,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str | None] | None,
    ) -> None:
        """Forget what an operation has changed, or may have.

        Args:
            operation: What was called, with or without success.
            instance: Through which instance.
            body: Its body.
            query: Its query.
        """
        group = (body or {}).get("groupJid") or (query or {}).get("groupJid")
        if group:
            for kind in operation.invalidates:
                self.forget(kind, instance, str(group))

    def forget(self, kind: CacheKind, instance: str | None, ident: str) -> None:
        """Forget an answer, and what is being asked about it: it may be of before a change."""
        key: Key = (kind, instance, ident)
        with self._guard:
            flight = self._flights.pop(key, None)
            if flight is not None:
                flight.stale = True
            self._kept.drop(key)

    def clear(self) -> None:
        """Forget everything."""
        with self._guard:
            for flight in self._flights.values():
                flight.stale = True
            self._flights.clear()
            self._kept.clear()

    def _look(self, key: Key) -> tuple[Any, _Flight | None, bool]:
        """Find what is kept, or else the request under way and whether the asker has to make it."""
        with self._guard:
            value = self._kept.get(key)
            if value is not MISSING:
                return value, None, False
            flight = self._flights.get(key)
            if flight is not None:
                return None, flight, False
            flight = self._flights[key] = _Flight()
            return None, flight, True

    async def _lead(
        self, key: Key, flight: _Flight, ask: Callable[[], Later[T]], absent: Callable[[T], bool]
    ) -> T:
        try:
            value = await ask()
            self._keep(key, flight, value, absent=absent(value))
        except Exception:
            flight.failed = True
            raise
        finally:
            self._land(key, flight)
        return value

    async def _check(
        self,
        instance: str | None,
        numbers: Sequence[str],
        flights: dict[str, _Flight],
        ask: Callable[[Sequence[str]], Later[list[NumberCheck]]],
    ) -> list[NumberCheck]:
        wanted = set(numbers)
        try:
            answers = await ask(numbers)
            for answer in answers:
                # By its number: the server's order is its own.
                if answer.number in wanted:
                    key: Key = ("number", instance, answer.number)
                    flight = flights.get(answer.number)
                    if flight is None:
                        self._kept.put(key, answer, absent=not answer.exists)
                    else:
                        self._keep(key, flight, answer, absent=not answer.exists)
        finally:
            for number, flight in flights.items():
                self._land(("number", instance, number), flight)
        return answers

    def _keep(self, key: Key, flight: _Flight, value: Any, *, absent: bool) -> None:
        flight.value = copy_of(value)
        with self._guard:
            if not flight.stale:
                self._kept.put(key, value, absent=absent)

    def _land(self, key: Key, flight: _Flight) -> None:
        with self._guard:
            if self._flights.get(key) is flight:
                del self._flights[key]
        flight.landed.set()
