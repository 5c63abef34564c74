"""EventRouter, which passes events to handlers by event class."""

from __future__ import annotations

import inspect
import itertools
import warnings
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Iterator
from types import MappingProxyType
from typing import Any, Concatenate, Literal, ParamSpec, TypeVar, overload

from evolution_sdk._base.coroutines import is_async
from evolution_sdk._base.harmless import harmless
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.identity.identities import Identities, KnowsLids

from ._base import Event, pairs_of, recognise
from ._binding import AwaitedKind
from ._dispatch import dispatch_async, dispatch_sync
from ._dispatch_plan import DispatchOutcome, DispatchProgress, RouterView
from ._handler_index import HandlerIndex
from ._handling import HandlerReturn, Handling
from ._registry import Injected, Kinds, Registration, callable_name
from .filters._algebra import Filter, both
from .parse import EVENT_CLASSES

E = TypeVar("E", bound=Event)
F = TypeVar("F", bound=Callable[..., Any])
P = ParamSpec("P")
R = TypeVar("R", bound=HandlerReturn)
C = TypeVar("C", bound="Awaitable[Handling | None]")

Runs = Literal["first", "all"]


class UnsubscribableEventWarning(UserWarning):
    """Warns of a handler for an event that no instance can subscribe to."""


@checked()
class EventRouter:
    """Passes events to handlers by event class, in a fixed order.

    Handlers and included routers take their turns by priority (higher first), then in the order in
    which they were added. **The first handler that matches gets the event, and no other**, unless
    it passes the event on: by ``passes_on=True`` at its registration, by returning
    ``Handling.CONTINUE`` or by raising ``ContinueHandling``. ``EventRouter(runs="all")`` reverses
    that: every matching handler gets the event until one raises ``StopHandling`` (or returns
    ``Handling.STOP``), which ends it for all routers. An included router follows its own rule, and
    counts as one handler of the router that includes it.

    A router needs neither client nor transport, so it can be tested with ``parse_event`` alone.

    Args:
        *filters: Conditions that an event must meet to enter this router.
        name: Name for logs and dead letters.
        runs: ``first`` (default) or ``all``; see above.
        lids: The map of hidden ids in which the router learns who is who from every event that it
            is given, so that ``filters.mentions_me`` knows the account by its hidden id as well.
            Give a map that is also a client's, or stored, only where events are verified;
            ``client.lids`` is safe in any case. Default: one of its own, in memory. Of included
            routers the outermost one's counts.

    Raises:
        ConfigurationError: A filter is not one, or ``runs`` is neither ``first`` nor ``all``.
    """

    def __init__(
        self,
        *filters: Filter[Any],
        name: str = "router",
        runs: Runs = "first",
        lids: KnowsLids | None = None,
    ) -> None:
        if runs not in ("first", "all"):
            raise ConfigurationError(f"runs must be first or all, not {runs!r}.", variable="runs")
        self._name = name
        self._passes_on = runs == "all"
        self._filter = both(filters)
        # Sorted by the negative priority, then by the order of addition.
        self._entries: tuple[tuple[float, int, Registration | EventRouter], ...] = ()
        self._errors: tuple[tuple[type[Exception], Injected], ...] = ()
        self._middleware: tuple[Injected, ...] = ()
        self._provided: dict[str, Any] = {}
        self._parent: EventRouter | None = None
        self._count = itertools.count(1)
        self._names: set[str] = set()
        # By name the first number that may be free; see _unique.
        self._numbers: dict[str, int] = {}
        self._found = _Found()
        self._view: RouterView | None = None
        self._identities = Identities(lids)

    # A handler of events whose actions must be awaited has to be an ``async def``.
    @overload
    def on(
        self,
        kind: AwaitedKind[E] | tuple[AwaitedKind[E], ...],
        /,
        *filters: Filter[E],
        priority: float = 0,
        name: str | None = None,
        passes_on: bool | None = None,
    ) -> Callable[[Callable[Concatenate[E, P], C]], Callable[Concatenate[E, P], C]]: ...
    @overload
    def on(
        self,
        kind: type[E] | tuple[type[E], ...],
        /,
        *filters: Filter[E],
        priority: float = 0,
        name: str | None = None,
        passes_on: bool | None = None,
    ) -> Callable[[Callable[Concatenate[E, P], R]], Callable[Concatenate[E, P], R]]: ...
    def on(
        self,
        kind: Any,
        /,
        *filters: Filter[Any],
        priority: float = 0,
        name: str | None = None,
        passes_on: bool | None = None,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Decorate a handler, sync or async.

        The handler is called with the event. Further parameters are given by name: the findings of
        filters (``match``, ``command``), the values of :meth:`provide`, and ``delivery`` in a
        receiver. It returns None or a :class:`Handling`. A handler that needs ``await`` must be an
        ``async def``: a call of an async client that is not awaited is an error.

        To answer events, register it for ``AsyncMessagesUpsert`` or ``SyncMessagesUpsert``, so that
        type checkers know the client; to read them only, for ``MessagesUpsert``.

        Args:
            kind: An event class, or several; subclasses match, ``Event`` matches everything.
            *filters: Further conditions; all of them must hold.
            priority: Higher comes first.
            name: Used instead of the function's own name.
            passes_on: True to let the next handler have the event, too. Default: the router's
                rule.

        Returns:
            A decorator that returns the function unchanged. Use :meth:`add` for a handler that is
            to be removed later.

        Raises:
            ConfigurationError: ``kind`` is no event class, a filter is not one, or the handler
                cannot be called with an event.
        """

        def register(handler: Callable[..., Any]) -> Callable[..., Any]:
            self.add(handler, kind, *filters, priority=priority, name=name, passes_on=passes_on)
            return handler

        return register

    @overload
    def add(
        self,
        handler: Callable[Concatenate[E, ...], Awaitable[Handling | None]],
        kind: AwaitedKind[E] | tuple[AwaitedKind[E], ...],
        /,
        *filters: Filter[E],
        priority: float = 0,
        name: str | None = None,
        passes_on: bool | None = None,
    ) -> Registration: ...
    @overload
    def add(
        self,
        handler: Callable[Concatenate[E, ...], HandlerReturn],
        kind: type[E] | tuple[type[E], ...],
        /,
        *filters: Filter[E],
        priority: float = 0,
        name: str | None = None,
        passes_on: bool | None = None,
    ) -> Registration: ...
    def add(
        self,
        handler: Callable[..., Any],
        kind: Any,
        /,
        *filters: Filter[Any],
        priority: float = 0,
        name: str | None = None,
        passes_on: bool | None = None,
    ) -> Registration:
        """Add a handler, like :meth:`on`, but without a decorator.

        Args:
            handler: The function.
            kind: An event class, or several.
            *filters: Further conditions; all of them must hold.
            priority: Higher comes first.
            name: Used instead of the function's own name.
            passes_on: True to let the next handler have the event, too. Default: the router's
                rule.

        Returns:
            The registration; its ``remove()`` removes the handler.

        Raises:
            ConfigurationError: ``kind`` is no event class, a filter is not one, or the handler
                cannot be called with an event.
        """
        shown = name or callable_name(handler)
        made = Registration(
            handler,
            _kinds(kind),
            both(filters),
            priority=priority,
            name=self._unique(shown),
            passes_on=passes_on,
            drop=self._drop,
        )
        self._insert(priority, made)
        return made

    def include(self, router: EventRouter, *, priority: float = 0) -> EventRouter:
        """Include another router, which takes its turn among the handlers of this one.

        Args:
            router: The other router; it can be included only once.
            priority: Higher comes first.

        Returns:
            The included router.

        Raises:
            ConfigurationError: It is included already, or the inclusion would be a circle.
        """
        # With two parents, a handler could get one event twice.
        if router._parent is not None:
            raise ConfigurationError(
                f"{router!r} is already included in {router._parent!r}.", variable="router"
            )
        # A circle would make every walk over the routers endless.
        if any(one is router for one in self._ancestors()):
            raise ConfigurationError(
                f"Including {router!r} in {self!r} would be circular.", variable="router"
            )
        router._parent = self
        self._insert(priority, router)
        return router

    def on_error(self, *kinds: type[Exception]) -> Callable[[F], F]:
        """Decorate an error handler, which is called when a handler or a filter raises.

        It is called with the error and the event, and with the named parameters of handlers plus
        ``registration``. If it returns, the error is dealt with. If it raises, the next error
        handler is called, first of this router, then of those that include it. If there is none,
        ``dispatch`` raises the error.

        Args:
            *kinds: Classes of errors it handles; none means every ``Exception``.

        Returns:
            A decorator that returns the function unchanged.

        Raises:
            ConfigurationError: It does not take an error and an event.
        """

        def register(handler: F) -> F:
            made = Injected(handler)  # an error now is better than one in the middle of an event
            self._errors += tuple((kind, made) for kind in kinds or (Exception,))
            self._changed()
            return handler

        return register

    def middleware(self, function: F) -> F:
        """Decorate a middleware, a function around everything this router does with an event.

        It is called with the event and ``call_next``, once per event; the first one added is the
        outermost. For an async dispatch write it as ``async def`` with ``await call_next(event)``,
        for a sync one as ``def``. It returns the result of ``call_next``. If it does not
        call ``call_next``, the event is dropped.

        Args:
            function: The middleware.

        Returns:
            The same function.
        """
        # A new tuple, as with the entries: a dispatch under way keeps the one it began with.
        self._middleware += (Injected(function),)
        self._changed()
        return function

    def provide(self, **values: Any) -> EventRouter:
        """Provide values for handlers' parameters of these names, here and in included routers.

        Args:
            **values: The values; the innermost router wins.

        Returns:
            The router itself.
        """
        self._provided.update(values)
        return self

    async def dispatch(
        self, event: Event, *, progress: DispatchProgress | None = None, **values: Any
    ) -> DispatchOutcome:
        """Give the event to its handlers; sync handlers run in threads meanwhile.

        Args:
            event: The event.
            progress: Work of earlier attempts; finished handlers are not called again.
            **values: Further values for handlers' parameters, by name.

        Returns:
            The handlers that ran.

        Raises:
            Exception: An error of a handler that no error handler dealt with; an
                ``ExceptionGroup`` when there are several.
        """
        self._learn(event)
        return await dispatch_async(self, event, progress or DispatchProgress(), values)

    def dispatch_sync(
        self, event: Event, *, progress: DispatchProgress | None = None, **values: Any
    ) -> DispatchOutcome:
        """Give the event to its handlers, in this thread.

        Args:
            event: The event.
            progress: Work of earlier attempts; finished handlers are not called again.
            **values: Further values for handlers' parameters, by name.

        Returns:
            The handlers that ran.

        Raises:
            ConfigurationError: A handler, filter, error handler or middleware is async, in which
                case nothing was called; or one of them returned an awaitable.
            Exception: As in :meth:`dispatch`.
        """
        # Each time, since handlers may be added at any time.
        self.check_sync()
        self._learn(event)
        return dispatch_sync(self, event, progress or DispatchProgress(), values)

    def learn(self, event: Event) -> None:
        """Learn from an event who is who, and let it ask; every dispatch does so first.

        Receivers call it for events without a handler: a ``groups.upsert`` tells which hidden ids
        belong to which phones, the account's own among them.

        Args:
            event: The event.
        """
        self._learn(event)

    def check_sync(self) -> None:
        """Make sure that nothing here needs ``await``.

        Raises:
            ConfigurationError: A handler, a filter, an error handler or a middleware is async.
        """
        found = self._found
        if found.is_sync:
            return
        for router in self.routers():
            # Checked before anything is called: a half-handled event cannot be undone.
            asyncs = [repr(one) for one in router._registrations() if _awaits(one)]
            others = (*(h for _, h in router._errors), *router._middleware)
            asyncs += [one.name for one in others if is_async(one.function)]
            if router._filter is not None and router._filter.is_async:
                asyncs.append(repr(router._filter))
            if asyncs:
                raise ConfigurationError(
                    f"{', '.join(asyncs)} is async: use an async dispatch (await "
                    "router.dispatch(event), receiver.asgi), or write it as 'def'.",
                    variable="handler",
                )
        found.is_sync = True

    def used_events(self) -> list[str]:
        """Return the names to subscribe to on the server, so that every handler can be reached.

        Returns:
            Names such as ``MESSAGES_UPSERT``, sorted, each once. An event that came with server
            2.4 is among them only where a handler names its own class. A handler for one that no
            instance can subscribe to, such as ``groups.update``, causes an
            ``UnsubscribableEventWarning``.
        """
        wanted = {kind for router in self.routers() for kind in router._wanted()}
        names: set[str] = set()
        for kind in sorted(wanted, key=lambda one: one.__name__):
            if kind.wire in EVENT_CLASSES and not kind.subscribable():
                warnings.warn(
                    f"No instance can subscribe to {kind.wire}: the server offers no name for it. "
                    "Only its global websocket and queues show it.",
                    UnsubscribableEventWarning,
                    stacklevel=2,
                )
            # A base class such as Event or MessageEvent stands for all events below it, but for
            # those that would make an earlier server refuse the rest.
            known = (one for one in EVENT_CLASSES.values() if issubclass(one, kind))
            names.update(
                one.subscription_name()
                for one in known
                if one.subscribable() and (one is kind or one.everywhere())
            )
        return sorted(names)

    def wants(self, event: Event) -> bool:
        """Tell if any handler is registered for this class of event; no filter is asked.

        Args:
            event: The event.

        Returns:
            False if a dispatch would certainly do nothing.
        """
        found = self._found
        kind = type(event)
        if kind not in found.wants:
            every = (k for router in self.routers() for k in router._wanted())
            found.wants[kind] = any(isinstance(event, one) for one in every)
        return found.wants[kind]

    def routers(self) -> Iterator[EventRouter]:
        """Yield this router and all included ones, in the order of their turns."""
        yield self
        for _, _, entry in self._entries:
            if isinstance(entry, EventRouter):
                yield from entry.routers()

    @property
    def name(self) -> str:
        """Name for logs and dead letters."""
        return self._name

    def view(self) -> RouterView:
        """Return a snapshot of the router, for one dispatch."""
        # Every change replaces one of these; so the former snapshot is known by them.
        entries, errors, middleware = self._entries, self._errors, self._middleware
        view = self._view
        if (
            view is None
            or view.made_of is not entries
            or view.errors is not errors
            or view.middleware is not middleware
        ):
            every = tuple(one[2] for one in entries)
            view = self._view = RouterView(
                self._name,
                self._filter,
                self._passes_on,
                every,
                HandlerIndex(every),
                errors,
                middleware,
                MappingProxyType(self._provided),
                entries,
            )
        return view

    def _learn(self, event: Event) -> None:
        harmless(self._learn_pairs, event)
        recognise(event, self._identities)

    def _learn_pairs(self, event: Event) -> None:
        self._identities.learn(event, pairs_of(event))

    def _registrations(self) -> list[Registration]:
        return [entry for _, _, entry in self._entries if isinstance(entry, Registration)]

    def _wanted(self) -> set[type[Event]]:
        return {kind for one in self._registrations() for kind in one.kinds}

    def _ancestors(self) -> Iterator[EventRouter]:
        one: EventRouter | None = self
        while one is not None:
            yield one
            one = one._parent

    def _unique(self, name: str) -> str:
        # A dead letter replayed by another process finds its finished handlers by these names, so
        # they must be the same in every process.
        found, number = name, self._numbers.get(name, 2)
        while found in self._names:
            found = f"{name}#{number}"
            number += 1
        if found != name:
            self._numbers[name] = number
        return found

    def _insert(self, priority: float, entry: Registration | EventRouter) -> None:
        place = (-priority, next(self._count))
        if isinstance(entry, Registration):
            self._names.add(entry.name)
        # Copied, not changed: a dispatch in progress keeps the list it started with.
        known = self._entries
        after = bisect_right(known, place, key=lambda one: one[:2])
        self._entries = (*known[:after], (*place, entry), *known[after:])
        self._changed()

    def _drop(self, registration: Registration) -> None:
        left = tuple(one for one in self._entries if one[2] is not registration)
        if len(left) == len(self._entries):
            return
        self._entries = left
        self._names.discard(registration.name)
        # The lowest free number is given next.
        for name in (registration.name, registration.name.rpartition("#")[0]):
            self._numbers.pop(name, None)
        self._changed()

    def _changed(self) -> None:
        # After the change itself: what another thread finds meanwhile goes to the former object.
        for router in self._ancestors():
            router._found = _Found()

    def __repr__(self) -> str:
        return f"EventRouter({self._name!r}, handlers={len(self._registrations())})"


class _Found:
    """Findings about a router and all that it includes, until any of them changes."""

    __slots__ = ("is_sync", "wants")

    def __init__(self) -> None:
        self.is_sync = False
        self.wants: dict[type[Event], bool] = {}


def _kinds(kind: type[Any] | tuple[type[Any], ...]) -> Kinds:
    kinds = kind if isinstance(kind, tuple) else (kind,)
    for one in kinds:
        if not (inspect.isclass(one) and issubclass(one, Event)):
            raise ConfigurationError(
                f"{one!r} is not an event class, such as MessagesUpsert.", variable="kind"
            )
    if not kinds:
        raise ConfigurationError("Name at least one event class.", variable="kind")
    return kinds


def _awaits(one: Registration) -> bool:
    return one.is_async or (one.filter is not None and one.filter.is_async)
