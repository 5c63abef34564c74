"""Guards before an attempt: pacing, bulkhead, breakers; and the cache before a call."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evolution_sdk._base.harmless import harmless
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.errors import (
    EvolutionAPIError,
    EvolutionError,
    Phase,
    RateLimitError,
)
from evolution_sdk.operations.operation import Operation
from evolution_sdk.resilience.breakers import Breakers, Entry

from .ports import Ports

if TYPE_CHECKING:
    from evolution_sdk.resilience.new_contacts import NewContactPause
    from evolution_sdk.resilience.states import Ticket
    from evolution_sdk.tracking.contacts import Contacts
    from evolution_sdk.tracking.first_contacts import FirstContacts

    from .bulkhead import Bulkhead
    from .limiter import Limiter
    from .single_flight import CachedReads


class Guards:
    """The guards that are switched on; those that are off are None and cost nothing.

    Args:
        config: The settings, a section for each.
        ports: Time and sleep.
    """

    def __init__(self, config: EvolutionConfig, ports: Ports) -> None:
        clock = ports.monotonic
        self.breakers: Breakers | None = None
        self.bulkhead: Bulkhead | None = None
        self.cache: CachedReads | None = None
        self.limiter: Limiter | None = None
        self.first_contacts: FirstContacts | None = None
        self.pause: NewContactPause | None = None
        self._wall = ports.wall
        if config.breaker.enabled:
            self.breakers = Breakers(config.breaker, clock)
        # Off by default, and loaded only when they are on.
        if config.bulkhead.enabled:
            from .bulkhead import Bulkhead

            self.bulkhead = Bulkhead(config.bulkhead, clock)
        if config.cache.enabled:
            from evolution_sdk.resilience.cache import AnswerCache

            from .single_flight import CachedReads

            self.cache = CachedReads(AnswerCache(config.cache, clock))
        if config.rate_limit.enabled:
            from .limiter import Limiter

            self.limiter = Limiter(config.rate_limit, ports)
        if config.rate_limit.on_refused == "pause_new_contacts":
            from evolution_sdk.resilience.new_contacts import NewContactPause

            self.pause = NewContactPause(config.rate_limit)

    @property
    def paces(self) -> bool:
        """True if a send may have to wait or be refused before it is tried."""
        return self.limiter is not None or self.first_contacts is not None

    def watch(self, contacts: Contacts) -> None:
        """Ask the memory of contacts before each send, if refusals pause new ones.

        Args:
            contacts: The memory, which counts the refusals.
        """
        if self.pause is not None:
            from evolution_sdk.tracking.first_contacts import FirstContacts

            self.first_contacts = FirstContacts(contacts, self.pause, self._wall)

    def check_contact(
        self, operation: Operation[Any], instance: str | None, body: Mapping[str, Any]
    ) -> None:
        """Stop a first message to a new chat while such messages are paused.

        Args:
            operation: What is to be called.
            instance: Through which instance.
            body: Its body.

        Raises:
            NewContactsPausedError: They are, and the chat is not known.
        """
        if self.first_contacts is None or operation.paced_as != "messages":
            return
        try:
            self.first_contacts.check(instance, body)
        except EvolutionError as error:
            error.operation, error.instance = operation.name, instance
            raise

    async def pace(
        self,
        operation: Operation[Any],
        instance: str | None,
        body: Mapping[str, Any],
        wait_ms: float | None = None,
    ) -> Ticket | None:
        """Wait for the rate limiter, unless an open circuit would refuse the call anyway.

        Args:
            operation: What is to be called.
            instance: Through which instance.
            body: Its body.
            wait_ms: Longest wait, in milliseconds. Default: by the settings.

        Returns:
            The place that was taken, for :meth:`unused`; None where nothing is limited.

        Raises:
            NewContactsPausedError: New chats are paused, and this one is not known.
            SendLimitError: The wait would be too long.
            CircuitOpenError: It is not worth waiting for.
        """
        self.check_contact(operation, instance, body)
        if self.limiter is None:
            return None
        try:
            if self.breakers is not None:
                # Asked before the wait: an open circuit would refuse the call after it anyway.
                self.breakers.check(operation, instance)
            return await self.limiter.pace(operation, instance, body, wait_ms)
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
        # What may have reached the server counts against the limit, sent or not.
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
                # Refused after the place was taken: the caller never reaches left().
                self.bulkhead.leave(instance)
            raise

    def left(
        self, entry: Entry | None, instance: str | None, error: BaseException | None = None
    ) -> None:
        """Note that an attempt has ended; never raises.

        Args:
            entry: What :meth:`enter` gave.
            instance: Through which instance.
            error: What it raised, or None.
        """
        # Nothing may raise after a completed send: the caller might send again.
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
        """Note that an attempt has failed; never raises.

        Args:
            entry: What :meth:`enter` gave.
            operation: What was called.
            instance: Through which instance.
            error: What it raised.
        """
        # Free the place first: telling the limiter may wait for its shared store.
        self.left(entry, instance, error)
        if self.limiter is not None and isinstance(error, RateLimitError):
            await self.limiter.heard(operation, instance, error)

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
