"""The decision: which handlers get an event, in which order, and what an error means. No I/O."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from ._base import Event
from ._registry import Handler, Registration, arguments, callable_name, injected_names
from .filters._algebra import Filter, Found
from .handling import ContinueHandling, Handling, StopHandling

if TYPE_CHECKING:
    from .router import EventRouter


class View(NamedTuple):
    """A router as one dispatch sees it; later changes do not show."""

    name: str
    condition: Filter[Any] | None
    passes_on: bool
    entries: tuple[Registration | EventRouter, ...]
    errors: tuple[tuple[type[Exception], Handler], ...]
    middleware: tuple[Callable[..., Any], ...]
    provided: Mapping[str, Any]


class Outcome(NamedTuple):
    """What became of an event.

    Attributes:
        handlers: Names of the handlers that ran to their end, in order.
        ended: Whether one of them kept the event from those that come later.
    """

    handlers: tuple[str, ...]
    ended: bool


@dataclass(slots=True)
class Progress:
    """What has been done about one event, over all attempts.

    Attributes:
        finished: Handlers that ran to their end, and whether each ended the turn; they are not
            called again.
        ran: Those of this attempt.
        stopped: Whether a handler said that nobody else gets the event.
        blame: Errors of this attempt, and whose they are.
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
        """Whose error it is, where that is known."""
        return next((one for known, one in self.blame if known is error), None)


class Ask(NamedTuple):
    """Ask a filter; the reply is what it found."""

    filter: Filter[Any]
    event: Event[Any]


class Run(NamedTuple):
    """Call a function; the reply is what it returned."""

    function: Handler
    places: tuple[Any, ...]
    names: dict[str, Any]


class Into(NamedTuple):
    """Let an included router have the event; the reply is whether it ended the turn."""

    router: EventRouter
    event: Event[Any]
    known: Mapping[str, Any]
    path: str


class Told(NamedTuple):
    """The reply to a step."""

    value: Any


class Raised(NamedTuple):
    """The step raised this."""

    error: Exception


Step: TypeAlias = Ask | Run | Into
Reply: TypeAlias = Told | Raised | None
Walk: TypeAlias = Generator[Step, Reply, bool]


def walk(
    view: View, event: Event[Any], known: Mapping[str, Any], progress: Progress, path: str
) -> Walk:
    """Take an event through one router.

    Args:
        view: The router.
        event: The event.
        known: What can be given to handlers by name.
        progress: What has been done; kept up to date.
        path: Where the router is, for the names in ``progress``.

    Returns:
        A generator of steps; its value is whether the event goes no further.

    Raises:
        Exception: What no error handler of this router dealt with.
    """
    failures: list[Exception] = []
    ended = False
    try:
        found = yield from _found(view.condition, event)
    except Exception as error:  # noqa: BLE001 - whatever a filter of the user's raises
        yield from _settle(view, event, known, progress, error)
        return not view.passes_on
    if found is None:
        return False
    known = {**known, **found}
    for number, entry in enumerate(view.entries):
        try:
            if isinstance(entry, Registration):
                ended = yield from _handler(view, entry, event, known, progress, path)
            else:
                reply = yield Into(entry, event, known, f"{path}{entry.name}.{number}/")
                ended = bool(_value(reply)) and not view.passes_on
        except Exception as error:  # noqa: BLE001 - whatever a handler of the user's raises
            try:
                yield from _settle(view, event, known, progress, error)
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


def _handler(
    view: View,
    entry: Registration,
    event: Event[Any],
    known: Mapping[str, Any],
    progress: Progress,
    path: str,
) -> Generator[Step, Reply, bool]:
    """One handler's turn; tells whether it ends the router's."""
    if not isinstance(event, entry.kinds):
        return False
    place = path + entry.name
    if place in progress.finished:
        return progress.finished[place]
    try:
        found = yield from _found(entry.filter, event)
        if found is None:
            return False
        reply = yield Run(entry.handler, (event,), entry.arguments({**known, **found}))
        ended = _ends(view, entry, reply, progress)
    except Exception as error:
        progress.blame.append((error, entry))
        raise
    progress.finished[place] = ended
    progress.ran.append(place)
    return ended


def _ends(view: View, entry: Registration, reply: Reply, progress: Progress) -> bool:
    """What a handler's answer means for those after it; raises what the handler raised."""
    if isinstance(reply, Raised) and isinstance(reply.error, ContinueHandling):
        return False
    stops = isinstance(reply, Raised) and isinstance(reply.error, StopHandling)
    answer = None if stops else _value(reply)
    if stops or answer is Handling.STOP:
        progress.stopped = True
        return True
    return answer is not Handling.CONTINUE and not _passes_on(view, entry)


def _passes_on(view: View, entry: Registration | EventRouter) -> bool:
    own = entry.passes_on if isinstance(entry, Registration) else None
    return view.passes_on if own is None else own


def _found(
    condition: Filter[Any] | None, event: Event[Any]
) -> Generator[Step, Reply, Found | None]:
    if condition is None:
        return {}
    found: Found | None = _value((yield Ask(condition, event)))
    return found


def _value(reply: Reply) -> Any:
    if isinstance(reply, Raised):
        raise reply.error
    return None if reply is None else reply.value


def _settle(
    view: View,
    event: Event[Any],
    known: Mapping[str, Any],
    progress: Progress,
    error: Exception,
) -> Generator[Step, Reply, None]:
    """Ask the error handlers in their order; raises what is left when none deals with it."""
    owner = progress.blamed(error)
    for kind, handler in view.errors:
        if not isinstance(error, kind):
            continue
        more = {**known, "registration": owner}
        given = arguments(callable_name(handler), injected_names(handler, 2), more)
        reply = yield Run(handler, (error, event), given)
        if not isinstance(reply, Raised):
            return
        if reply.error is not error:
            error = reply.error
            if owner is not None:
                progress.blame.append((error, owner))
    raise error
