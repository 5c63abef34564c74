"""Plan of a dispatch: the handlers that get an event, their order, and the handling of errors.

The plan is a generator of steps and does no I/O. The drivers in ``_dispatch`` carry the steps out,
one blocking and one awaiting, so that sync and async dispatch share every rule.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol, TypeAlias

from ._base import Event
from ._handler_index import HandlerIndex
from ._handling import ContinueHandling, Handling, StopHandling
from ._registry import Handler, Injected, Registration
from .filters._algebra import Filter, Found, is_pure


class RouterNode(Protocol):
    """The part of a router that a dispatch needs."""

    @property
    def name(self) -> str:
        """Name for logs and dead letters."""
        ...

    def view(self) -> RouterView:
        """Return a snapshot of the router, for one dispatch."""
        ...


class RouterView(NamedTuple):
    """A snapshot of a router for one dispatch, which later changes do not affect.

    Attributes:
        name: Name for logs and dead letters.
        condition: Filter that an event must match to enter the router; None for no condition.
        passes_on: True if the next handler gets the event, too, unless a handler decides otherwise.
        entries: Handlers and included routers in the order of their turns.
        handlers: Tells which of the entries an event may concern.
        errors: Error handlers, each with the class of errors it handles.
        middleware: Middlewares, the outermost first.
        provided: Values for parameters of handlers, by name.
        made_of: The router's own list of entries.
    """

    name: str
    condition: Filter[Any] | None
    passes_on: bool
    entries: tuple[Registration | RouterNode, ...]
    handlers: HandlerIndex
    errors: tuple[tuple[type[Exception], Injected], ...]
    middleware: tuple[Injected, ...]
    provided: Mapping[str, object]
    made_of: object


class DispatchOutcome(NamedTuple):
    """The result of one dispatch.

    Attributes:
        handlers: Names of the handlers that ran to their end, in order.
        ended: True if one of them kept the event from later handlers.
    """

    handlers: tuple[str, ...]
    ended: bool


@dataclass(slots=True)
class DispatchProgress:
    """The work done for one event, over all attempts.

    Attributes:
        finished: Handlers that ran to their end, with True for those that ended the turn. They are
            not called again.
        ran: Handlers that ran to their end in this attempt.
        stopped: True once a handler has stopped the event for all others.
        blame: Errors of this attempt, each with the handler that raised it.
    """

    finished: dict[str, bool] = field(default_factory=dict[str, bool])
    ran: list[str] = field(default_factory=list[str])
    stopped: bool = False
    blame: list[tuple[Exception, Registration]] = field(
        default_factory=list[tuple[Exception, Registration]]
    )

    def begin(self) -> None:
        """Begin an attempt."""
        self.ran = []
        self.blame = []

    def blamed(self, error: Exception) -> Registration | None:
        """Return the handler that raised an error; None if it is not known."""
        return next((one for known, one in self.blame if known is error), None)


class AskFilter(NamedTuple):
    """A step that asks a filter; the reply is its findings."""

    filter: Filter[Any]
    event: Event


class CallFunction(NamedTuple):
    """A step that calls a function; the reply is its return value."""

    function: Handler
    places: tuple[object, ...]
    names: dict[str, object]


class EnterRouter(NamedTuple):
    """A step that enters an included router; the reply is True if it ended the turn."""

    router: RouterNode
    event: Event
    known: Mapping[str, object]
    path: str


class StepResult(NamedTuple):
    """The reply to a step that succeeded, with its value."""

    value: Any


class StepError(NamedTuple):
    """The reply to a step that failed, with its error."""

    error: Exception


DispatchStep: TypeAlias = AskFilter | CallFunction | EnterRouter
StepReply: TypeAlias = StepResult | StepError
DispatchPlan: TypeAlias = Generator[DispatchStep, StepReply, bool]


def plan_dispatch(
    view: RouterView,
    event: Event,
    known: Mapping[str, object],
    progress: DispatchProgress,
    path: str,
) -> DispatchPlan:
    """Take an event through one router.

    Args:
        view: The router.
        event: The event.
        known: Values for parameters of handlers, by name.
        progress: The work done so far; kept up to date.
        path: Place of the router, for the names in ``progress``.

    Returns:
        A generator of steps; its value is True if the event goes no further.

    Raises:
        Exception: An error that no error handler of this router dealt with.
    """
    failures: list[Exception] = []
    ended = False
    try:
        found = yield from _ask(view.condition, event)
    except Exception as error:  # noqa: BLE001 - a user's filter may raise anything
        # It is unknown whether the router would have taken the event. It counts as taken, as by a
        # failed handler, so that a later router does not handle it instead.
        yield from _settle(view, event, known, progress, error)
        return not view.passes_on
    if found is None:
        return False
    if found:
        known = {**known, **found}
    for number in _places(view, event, progress, path):
        entry = view.entries[number]
        try:
            if isinstance(entry, Registration):
                ended = yield from _run_handler(view, entry, event, known, progress, path)
            else:
                # The number distinguishes two included routers with the same name.
                inside = f"{path}{entry.name}.{number}/"
                taken = yield from _enter(EnterRouter(entry, event, known, inside), progress)
                ended = taken and not view.passes_on
        except Exception as error:  # noqa: BLE001 - a user's handler may raise anything
            try:
                yield from _settle(view, event, known, progress, error)
                # An error handler dealt with it. The handler counts as finished, or a later attempt
                # would run it again.
                if isinstance(entry, Registration):
                    progress.finished[path + entry.name] = not _passes_on(view, entry)
            except Exception as left:  # noqa: BLE001 - kept until the others have had their turn
                failures.append(left)
            ended = not _passes_on(view, entry)
        if ended or progress.stopped:
            ended = True
            break
    if len(failures) == 1:
        raise failures[0]
    if failures:
        raise ExceptionGroup(f"{len(failures)} handlers of {view.name} failed", failures)
    return ended


def _places(view: RouterView, event: Event, progress: DispatchProgress, path: str) -> Sequence[int]:
    """Return the numbers of the entries that may have something to do."""
    if progress.stopped:
        return range(len(view.entries))  # an earlier attempt was stopped: so is this one
    return view.handlers.places(event, path, progress.finished)


def _enter(
    step: EnterRouter, progress: DispatchProgress
) -> Generator[DispatchStep, StepReply, bool]:
    """Enter an included router; the value is True if it ended the turn."""
    if _is_idle(step.router.view(), step, progress):
        return False
    return bool(_value((yield step)))


def _is_idle(view: RouterView, step: EnterRouter, progress: DispatchProgress) -> bool:
    """Tell if nothing would happen in an included router: no function of the user is called."""
    if view.middleware or progress.stopped:
        return False
    condition = view.condition
    if condition is not None and not is_pure(condition):
        return False
    return not view.handlers.places(step.event, step.path, progress.finished)


def _run_handler(
    view: RouterView,
    entry: Registration,
    event: Event,
    known: Mapping[str, object],
    progress: DispatchProgress,
    path: str,
) -> Generator[DispatchStep, StepReply, bool]:
    """Give one handler its turn; the value is True if it ends the router's turn."""
    if not isinstance(event, entry.kinds):
        return False  # only after a stop, where no index is asked
    place = path + entry.name
    # It ran to its end in an earlier attempt: only its decision about the others is needed again.
    if place in progress.finished:
        return progress.finished[place]
    try:
        found = yield from _ask(entry.filter, event)
        if found is None:
            return False
        # An error, not a skip: an event that misses its client would be lost silently.
        entry.check_bound(event)
        reply = yield CallFunction(
            entry.handler, (event,), entry.arguments({**known, **found} if found else known)
        )
        ended = _ends_turn(view, entry, reply, progress)
    except Exception as error:
        progress.blame.append((error, entry))
        raise
    progress.finished[place] = ended
    progress.ran.append(place)
    return ended


def _ends_turn(
    view: RouterView, entry: Registration, reply: StepReply, progress: DispatchProgress
) -> bool:
    """Read a handler's decision about those after it; raise its error, if it raised one."""
    if isinstance(reply, StepError) and isinstance(reply.error, ContinueHandling):
        return False
    stops = isinstance(reply, StepError) and isinstance(reply.error, StopHandling)
    answer = None if stops else _value(reply)
    if stops or answer is Handling.STOP:
        # Stored in the progress, because it ends the surrounding routers as well.
        progress.stopped = True
        return True
    return answer is not Handling.CONTINUE and not _passes_on(view, entry)


def _passes_on(view: RouterView, entry: Registration | RouterNode) -> bool:
    own = entry.passes_on if isinstance(entry, Registration) else None
    return view.passes_on if own is None else own


def _ask(
    condition: Filter[Any] | None, event: Event
) -> Generator[DispatchStep, StepReply, Found | None]:
    if condition is None:
        return {}
    # The SDK's own filters do no I/O: no driver is needed, whose way costs more than the answer.
    if is_pure(condition):
        return condition.find(event)
    found: Found | None = _value((yield AskFilter(condition, event)))
    return found


def _value(reply: StepReply) -> Any:
    if isinstance(reply, StepError):
        raise reply.error
    return reply.value


def _settle(
    view: RouterView,
    event: Event,
    known: Mapping[str, object],
    progress: DispatchProgress,
    error: Exception,
) -> Generator[DispatchStep, StepReply, None]:
    """Call the error handlers in order, and raise the error that is left, if any."""
    owner = progress.blamed(error)
    for kind, handler in view.errors:
        if not isinstance(error, kind):
            continue
        given = handler.arguments({**known, "registration": owner})
        reply = yield CallFunction(handler.function, (error, event), given)
        if not isinstance(reply, StepError):
            return
        # A handler that raises replaces the error; the next one is called with the new error.
        if reply.error is not error:
            error = reply.error
            if owner is not None:
                progress.blame.append((error, owner))
    raise error
