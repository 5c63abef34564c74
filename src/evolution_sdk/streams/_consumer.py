"""The consumer of streams: each event once and in order per chat, then to the handler."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any, Protocol, TypeAlias

from evolution_sdk._base.coroutines import is_async
from evolution_sdk._base.forking import abandon, in_child
from evolution_sdk._base.json_types import is_object
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._base.server_address import is_same_server
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event, parse_event
from evolution_sdk.events._chat_queue import order_key
from evolution_sdk.events._feeding import Consumption, Feed, feed_of, server_url_of
from evolution_sdk.events._plain_calls import call_in_thread
from evolution_sdk.events._recent_keys import KeyMemory, RecentKeys

from ._chat_turns import ChatTurns

OnEvent: TypeAlias = Callable[[Any], Any]
"""Takes an event: a coroutine function, or a plain one, which then runs in a thread."""

_log = logging.getLogger("evolution_sdk.streams")


class EventDispatcher(Protocol):
    """A router, as far as a stream needs it."""

    async def dispatch(self, event: Event[Any], /) -> Any:
        """Give an event to its handlers."""
        ...


@checked(but=("handle", "has_handled", "read"))  # asked for every event
class EventConsumer:
    """Handles the events of one or several streams of one event loop.

    Events of one chat are handled one after the other in the order of arrival, different chats side
    by side. An event counts as handled once its handler returned; a copy of it is left out then.

    Args:
        to: A router, or a function that takes an event.
        dedupe: Remembers the events that were handled. Default: the latest 20,000 in memory.
        client: Attached to every event, so that handlers can answer, and fed with it.
        server_url: Required value of ``server_url`` in an event; others are left out. Default:
            ``EVOLUTION_SERVER_URL`` of the client's settings, else it is not looked at.

    Attributes:
        handled: Number of events whose handler returned.
        duplicates: Number of copies left out.
        foreign: Number of events of another server left out.
        consumed: Number of events that a wait of the client consumed.
    """

    def __init__(
        self,
        to: EventDispatcher | OnEvent,
        *,
        dedupe: KeyMemory | None = None,
        client: Any = None,
        server_url: str | None = None,
    ) -> None:
        self._handler: Any = getattr(to, "dispatch", to)
        if not callable(self._handler):
            raise ConfigurationError(
                "a stream needs a router, or a function that takes an event", variable="to"
            )
        self._is_plain = not is_async(self._handler)
        self._known: KeyMemory = RecentKeys() if dedupe is None else dedupe
        self._client = client
        self._feed: Feed | None = feed_of(client)
        self._consumption = Consumption(client)
        self._server_url = server_url_of(client) if server_url is None else server_url
        self._trouble = QuietLog(_log)
        self._begin()
        in_child(self._begin_anew)

    def _begin(self) -> None:
        self._turns = ChatTurns()
        self.handled: int = 0
        self.duplicates: int = 0
        self.foreign: int = 0
        self.consumed: int = 0

    def _begin_anew(self) -> None:
        abandon(self._turns)  # those who wait there belong to a loop of the parent
        self._begin()

    def has_handled(self, key: str) -> bool:
        """Tell if an event was handled.

        Args:
            key: The event's ``delivery_key``.
        """
        return self._known.seen(key)

    def read(self, body: Any, **known: Any) -> Event[Any]:
        """Parse an event and attach the client.

        Args:
            body: The event as it arrived.
            **known: As of :func:`~evolution_sdk.events.parse_event`.

        Returns:
            The event.
        """
        # parse_event never raises: an odd body becomes an event that no handler of messages wants.
        event = parse_event(body, **known)
        return event if self._client is None else event.bind(self._client)

    async def handle(
        self, event: Event[Any], *, turns: AbstractAsyncContextManager[Any] | None = None
    ) -> bool:
        """Handle one event, after those of the same chat that came before it.

        Args:
            event: The event.
            turns: Held while the handler runs, such as a semaphore that bounds how many run; an
                event that waits for another one of its chat does not hold it.

        Returns:
            True if its handler ran; False for a copy, for an event of another server, and for one
            that a wait has consumed, which counts as handled.

        Raises:
            Exception: Any error of the handler.
        """
        if not self._is_ours(event):
            return False
        key = event.delivery_key
        # Now and not at its turn: a handler of the same chat may be waiting for this very event.
        if self._feed is not None:
            # The connection proves it: it was opened from here, with our key.
            self._feed(event, True)
        async with self._turns.turn(order_key(event)), turns or nullcontext():
            # Asked at its turn: the copy before it may have failed, and then this one counts.
            if self._known.seen(key):
                self.duplicates += 1
                return False
            if await self._consumption.took(event):
                self._known.add(key)
                self.consumed += 1
                return False
            if self._is_plain:
                # A handler that blocks must not hold up the heartbeats of the connection.
                result = await call_in_thread(self._handler, (event,), {})
            else:
                result = self._handler(event)
            if inspect.isawaitable(result):
                await result
            # After the handler: an event that failed must come again.
            self._known.add(key)
            self.handled += 1
            return True

    def _is_ours(self, event: Event[Any]) -> bool:
        """Tell if an event is of our server: several may write to one broker."""
        raw: Any = event.raw
        if self._server_url is None or not is_object(raw):
            return True
        told = raw.get("server_url")
        if told is None or is_same_server(told, self._server_url):
            return True
        self.foreign += 1
        self._trouble.trouble(
            "foreign",
            "events of another server are left out: server_url is not EVOLUTION_SERVER_URL",
        )
        return False
