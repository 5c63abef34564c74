"""The thin shells around the walk: one awaits, one does not."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evolution_sdk.errors import ConfigurationError

from ._base import Event
from ._registry import arguments, callable_name, injected_names
from ._threads import in_thread
from ._walk import Ask, Into, Outcome, Progress, Raised, Reply, Run, Step, Told, walk
from .filters._algebra import is_async

if TYPE_CHECKING:
    from collections.abc import Callable

    from .router import EventRouter


async def run_async(
    router: EventRouter, event: Event[Any], progress: Progress, known: Mapping[str, Any]
) -> Outcome:
    """Take an event through a router, awaiting what is async.

    Args:
        router: The router.
        event: The event.
        progress: What has been done.
        known: What can be given by name.

    Returns:
        What ran.
    """
    progress.begin()
    ended = await _into_async(Into(router, event, known, ""), progress)
    return Outcome(tuple(progress.ran), ended)


def run_sync(
    router: EventRouter, event: Event[Any], progress: Progress, known: Mapping[str, Any]
) -> Outcome:
    """Take an event through a router, blocking.

    Args:
        router: The router, all of it sync.
        event: The event.
        progress: What has been done.
        known: What can be given by name.

    Returns:
        What ran.
    """
    progress.begin()
    ended = _into_sync(Into(router, event, known, ""), progress)
    return Outcome(tuple(progress.ran), ended)


async def _into_async(into: Into, progress: Progress) -> bool:
    view = into.router.view()
    known = {**into.known, **view.provided}
    ended = False

    async def inner(event: Event[Any]) -> bool:
        nonlocal ended
        steps = walk(view, event, known, progress, into.path)
        reply: Reply = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as done:
                ended = bool(done.value)
                return ended
            try:
                reply = Told(await _perform_async(step, progress))
            except Exception as error:  # noqa: BLE001 - the walk judges it
                reply = Raised(error)

    handle: Callable[[Event[Any]], Any] = inner
    for middleware in reversed(view.middleware):
        handle = _around(middleware, handle, known)
    result = handle(into.event)
    if inspect.isawaitable(result):
        await result
    return ended


async def _perform_async(step: Step, progress: Progress) -> Any:
    match step:
        case Ask(condition, event):
            if condition.is_async:
                return await condition.find_async(event)
            return condition.find(event)
        case Into():
            return await _into_async(step, progress)
        case Run(function, places, names):
            if is_async(function):
                return await function(*places, **names)
            result = await in_thread(_returned, function, places, names)
            return await result if inspect.isawaitable(result) else result


def _returned(function: Callable[..., Any], places: tuple[Any, ...], names: dict[str, Any]) -> Any:
    """Call it; StopIteration cannot leave a thread or a coroutine."""
    try:
        return function(*places, **names)
    except StopIteration as error:
        raise RuntimeError("a handler raised StopIteration") from error


def _into_sync(into: Into, progress: Progress) -> bool:
    view = into.router.view()
    known = {**into.known, **view.provided}
    ended = False

    def inner(event: Event[Any]) -> bool:
        nonlocal ended
        steps = walk(view, event, known, progress, into.path)
        reply: Reply = None
        while True:
            try:
                step = steps.send(reply)
            except StopIteration as done:
                ended = bool(done.value)
                return ended
            try:
                reply = Told(_perform_sync(step, progress))
            except Exception as error:  # noqa: BLE001 - the walk judges it
                reply = Raised(error)

    handle: Callable[[Event[Any]], Any] = inner
    for middleware in reversed(view.middleware):
        handle = _around(middleware, handle, known)
    _refuse_coroutine(handle(into.event), "a middleware")
    return ended


def _perform_sync(step: Step, progress: Progress) -> Any:
    match step:
        case Ask(condition, event):
            return condition.find(event)
        case Into():
            return _into_sync(step, progress)
        case Run(function, places, names):
            result = _returned(function, places, names)
            _refuse_coroutine(result, callable_name(function))
            return result


def _refuse_coroutine(result: object, name: str) -> None:
    if inspect.iscoroutine(result):
        result.close()
        raise ConfigurationError(
            f"{name} returned a coroutine: use an async dispatch.", variable="handler"
        )


def _around(
    middleware: Callable[..., Any], handle: Callable[[Event[Any]], Any], known: Mapping[str, Any]
) -> Callable[[Event[Any]], Any]:
    given = arguments(callable_name(middleware), injected_names(middleware, 2), known)
    return lambda event: middleware(event, handle, **given)
