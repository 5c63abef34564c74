"""What happens to an event once it is here: in order per chat, each once, then to the handler."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections import OrderedDict
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from typing import Any, Protocol, TypeAlias

from evolution_sdk._base.forking import abandon, in_child
from evolution_sdk._base.json_types import is_object
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._base.server_address import is_same_server
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import Event, parse_event
from evolution_sdk.events._feeding import Feed, feed_of, server_url_of

OnEvent: TypeAlias = Callable[[Any], Any]
"""Takes an event: a coroutine function, or a plain one, which then runs in a thread."""

_log = logging.getLogger("evolution_sdk.streams")
_MOST_KEYS = 20_000


class EventDispatcher(Protocol):
    """What a stream needs of a router."""

    async def dispatch(self, event: Event[Any], /) -> Any:
        """Give an event to its handlers."""
        ...


class KeyMemory(Protocol):
    """Remembers which events were handled, by ``event.delivery_key``."""

    def seen(self, key: str, /) -> bool:
        """Whether it was handled before; asking changes nothing."""
        ...

    def add(self, key: str, /) -> None:
        """Remember that it was handled."""
        ...


@checked()
class RecentKeys:
    """The keys of the latest events, in memory; one may serve several streams.

    Args:
        most: How many are kept.

    Raises:
        ConfigurationError: ``most`` is not positive.
    """

    def __init__(self, most: int = _MOST_KEYS) -> None:
        if most < 1:
            raise ConfigurationError("most must be 1 or more", variable="most")
        self._most = most
        self._keys: OrderedDict[str, None] = OrderedDict()

    def seen(self, key: str) -> bool:
        """Whether it was handled before.

        Args:
            key: The event's ``delivery_key``.

        Returns:
            True when it is among the kept ones.
        """
        return key in self._keys

    def add(self, key: str) -> None:
        """Remember a key and forget the oldest one beyond the limit.

        Args:
            key: The event's ``delivery_key``.
        """
        self._keys[key] = None
        self._keys.move_to_end(key)
        while len(self._keys) > self._most:
            self._keys.popitem(last=False)

    def __len__(self) -> int:
        return len(self._keys)


@checked()
class EventConsumer:
    """Where events of one or several streams of one event loop come together.

    Events of one chat are handled one after the other in the order of arrival, different chats side
    by side. An event counts as handled once its handler returned.

    Args:
        to: A router, or a function that takes an event.
        dedupe: Remembers what was handled. Default: the latest 20,000 keys.
        client: Attached to every event, so that handlers can answer.
        server_url: What ``server_url`` in an event must be; others are left out. Default:
            ``EVOLUTION_SERVER_URL`` of the client's settings, else it is not looked at.

    Attributes:
        handled: Events whose handler returned.
        duplicates: Events left out because they had been handled.
        foreign: Events left out because they are another server's.
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
        self._blocks = not _is_async(self._handler)
        self._dedupe: KeyMemory = RecentKeys() if dedupe is None else dedupe
        self._client = client
        self._feed: Feed | None = feed_of(client)
        self._server_url = server_url_of(client) if server_url is None else server_url
        self._trouble = QuietLog(_log)
        self._begin()
        in_child(self._begin_anew)

    def _begin(self) -> None:
        self._lanes: dict[Any, tuple[asyncio.Lock, int]] = {}
        self.handled: int = 0
        self.duplicates: int = 0
        self.foreign: int = 0

    def _begin_anew(self) -> None:
        abandon(self._lanes)  # who waits there belongs to a loop of the parent
        self._begin()

    def read(self, body: Any, **known: Any) -> Event[Any]:
        """Parse what arrived and attach the client.

        Args:
            body: As it arrived.
            **known: As of :func:`~evolution_sdk.events.parse_event`.

        Returns:
            The event.
        """
        event = parse_event(body, **known)
        return event if self._client is None else event.bind(self._client)

    async def handle(
        self, event: Event[Any], *, turns: AbstractAsyncContextManager[Any] | None = None
    ) -> bool:
        """Handle one event, after those of the same chat that came before it.

        Args:
            event: The event.
            turns: Held while the handler runs, such as a semaphore that bounds how many do; an
                event that waits for another one of its chat does not hold it.

        Returns:
            False when it had been handled before, or is another server's.

        Raises:
            Exception: Whatever the handler raised.
        """
        if not self._is_ours(event):
            return False
        key = event.delivery_key
        # Before its turn: a handler of this chat may be waiting for this very event.
        if self._feed is not None:
            # Verified by its connection: it was opened from here, with our key.
            self._feed(event, True)
        async with self._lane(event, key), turns or nullcontext():
            if self._dedupe.seen(key):
                self.duplicates += 1
                return False
            if self._blocks:
                # A handler that blocks must not hold up the heartbeats of the connection.
                result = await asyncio.to_thread(self._handler, event)
            else:
                result = self._handler(event)
            if inspect.isawaitable(result):
                await result
            self._dedupe.add(key)
            self.handled += 1
            return True

    def _is_ours(self, event: Event[Any]) -> bool:
        """Several servers may write to one broker, with instances of one name."""
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

    @asynccontextmanager
    async def _lane(self, event: Event[Any], key: str) -> AsyncGenerator[None]:
        """One at a time per chat; a lock serves those who wait in the order in which they came."""
        chat = getattr(event, "chat", None)
        name = key if chat is None else (event.instance, str(chat))
        lock, users = self._lanes.get(name, (None, 0))
        lock = lock or asyncio.Lock()
        self._lanes[name] = (lock, users + 1)
        try:
            async with lock:
                yield
        finally:
            _, users = self._lanes[name]
            if users == 1:
                del self._lanes[name]
            else:
                self._lanes[name] = (lock, users - 1)


def _is_async(handler: Any) -> bool:
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(
        getattr(handler, "__call__", None)  # noqa: B004  an object with async __call__
    )
