"""What stands before an attempt: pacing, bulkhead, breakers; and the cache before a call."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from evolution_sdk._base.forking import check
from evolution_sdk._base.harmless import harmless
from evolution_sdk._client.options import CACHE_KEYS, CacheOptions, check_options
from evolution_sdk.errors import (
    ClientClosedError,
    EvolutionAPIError,
    EvolutionError,
    Phase,
    RateLimitError,
)
from evolution_sdk.models.base import Model
from evolution_sdk.models.chat import NumberCheck
from evolution_sdk.operations.operation import Operation
from evolution_sdk.resilience.breakers import Breakers, Entry
from evolution_sdk.resilience.cache import AnswerCache
from evolution_sdk.resilience.states import Ticket

from ._seam import Later
from .bulkhead import Bulkhead
from .limiter import Limiter
from .single_flight import CachedReads

if TYPE_CHECKING:
    from .pipeline import Pipeline, Target

T = TypeVar("T", bound="Model | None")


class Gates:
    """The parts that are switched on; those that are off are None and cost nothing."""

    def __init__(self, caller: Pipeline) -> None:
        config = caller.config

        def clock() -> float:
            return caller.monotonic()

        self._pipeline = caller
        self.breakers: Breakers | None = None
        self.bulkhead: Bulkhead | None = None
        self.cache: CachedReads | None = None
        self.limiter: Limiter | None = None
        if config.breaker.enabled:
            self.breakers = Breakers(config.breaker, clock)
        if config.bulkhead.enabled:
            self.bulkhead = Bulkhead(config.bulkhead, clock)
        if config.cache.enabled:
            self.cache = CachedReads(AnswerCache(config.cache, clock))
        if config.rate_limit.enabled:
            self.limiter = Limiter(caller)

    async def pace(
        self, operation: Operation[Any], instance: str | None, body: Mapping[str, Any]
    ) -> Ticket | None:
        """Wait for the rate limiter, unless an open circuit would make it vain.

        Args:
            operation: What is to be called.
            instance: Through which instance.
            body: Its body.

        Returns:
            The place that was taken, for :meth:`unused`; None where nothing is limited.

        Raises:
            SendLimitError: The wait would be too long.
            CircuitOpenError: It is not worth waiting for.
        """
        if self.limiter is None:
            return None
        try:
            if self.breakers is not None:
                self.breakers.check(operation, instance)
            return await self.limiter.pace(operation, instance, body)
        except EvolutionError as error:
            error.operation, error.instance = operation.name, instance
            raise

    async def unused(self, ticket: Ticket | None, error: BaseException) -> None:
        """Give the place of an attempt back, if it failed before anything was sent.

        Args:
            ticket: What :meth:`pace` returned.
            error: What the attempt raised, or what broke it off.
        """
        if ticket is None or self.limiter is None:
            return
        if not ticket.handed_over or _nothing_left(error):
            await self.limiter.give_back(ticket)

    def enter(self, operation: Operation[Any], instance: str | None) -> Entry | None:
        """Ask the breakers, with a place in the bulkhead; :meth:`left` or :meth:`failed` follows.

        Args:
            operation: What is to be called.
            instance: Through which instance.

        Returns:
            What :meth:`left` and :meth:`failed` want back.

        Raises:
            CircuitOpenError: It is not worth trying now; the place is given back.
        """
        if self.breakers is None:
            return None
        try:
            return self.breakers.enter(operation, instance)
        except EvolutionError:
            if self.bulkhead is not None:
                self.bulkhead.leave(instance)
            raise

    def left(
        self, entry: Entry | None, instance: str | None, error: BaseException | None = None
    ) -> None:
        """An attempt has ended; never raises.

        Args:
            entry: What :meth:`enter` gave.
            instance: Through which instance.
            error: What it raised, or None.
        """
        if entry is not None and self.breakers is not None:
            harmless(self.breakers.leave, entry, error)
        if self.bulkhead is not None:
            harmless(self.bulkhead.leave, instance)

    async def failed(
        self,
        entry: Entry | None,
        operation: Operation[Any],
        instance: str | None,
        error: BaseException,
    ) -> None:
        """An attempt has failed; never raises.

        Args:
            entry: What :meth:`enter` gave.
            operation: What was called.
            instance: Through which instance.
            error: What it raised.
        """
        self.left(entry, instance, error)
        if self.limiter is not None and isinstance(error, RateLimitError):
            await self.limiter.heard(operation, instance, error)

    async def remembered(
        self,
        operation: Operation[Any],
        target: Target,
        ident: str,
        ask: Callable[[], Later[T]],
        absent: Callable[[T], bool],
        options: CacheOptions,
    ) -> T:
        """Answer from the cache, or ask and keep the answer.

        Args:
            operation: The look-up; ``cached_as`` names the kind of thing.
            target: Through which instance.
            ident: Which one.
            ask: Asks the server.
            absent: Whether an answer says that there is nothing.
            options: The caller's options.

        Returns:
            The answer.
        """
        kind = operation.cached_as
        if self.cache is None or kind is None:
            return await ask()
        fresh = self._checked(f"{kind} look-up", options)
        return await self.cache.one((kind, target.instance, ident), ask, absent, fresh=fresh)

    async def checked_numbers(
        self,
        target: Target,
        numbers: Sequence[str],
        ask: Callable[[Sequence[str]], Later[list[NumberCheck]]],
        options: CacheOptions,
    ) -> list[NumberCheck]:
        """As :meth:`remembered`, for many numbers at once.

        Args:
            target: Through which instance.
            numbers: The numbers, each once.
            ask: Asks the server about some of them.
            options: The caller's options.

        Returns:
            The answers.
        """
        if self.cache is None:
            return await ask(numbers)
        fresh = self._checked("number check", options)
        return await self.cache.numbers(target.instance, numbers, ask, fresh=fresh)

    def changed(
        self,
        operation: Operation[Any],
        target: Target,
        body: Mapping[str, Any] | None,
        query: Mapping[str, str | None] | None,
    ) -> None:
        """Forget what an operation has changed, or may have: groups.

        Args:
            operation: What was called, with or without success.
            target: Through which instance.
            body: Its body.
            query: Its query.
        """
        if self.cache is None or not operation.invalidates:
            return
        group = (body or {}).get("groupJid") or (query or {}).get("groupJid")
        if group:
            for kind in operation.invalidates:
                self.cache.forget(kind, target.instance, str(group))

    def _checked(self, what: str, options: CacheOptions) -> bool:
        """Whether the answer must be fresh; a wrong option is refused even when it is kept."""
        if self._pipeline.closed:
            raise ClientClosedError
        check()
        check_options(options, CACHE_KEYS, what)
        return not options.get("cache", True)

    async def close(self) -> None:
        """Close what holds connections."""
        if self.limiter is not None:
            await self.limiter.close()


def _nothing_left(error: BaseException) -> bool:
    """Tell if not even the request left: the connection was refused, or not made in time."""
    return (
        isinstance(error, EvolutionError)
        and error.phase is Phase.NOT_SENT
        and not isinstance(error, EvolutionAPIError)
    )
