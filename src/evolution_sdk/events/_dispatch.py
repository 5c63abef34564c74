"""The drivers of a dispatch plan: one awaits, one blocks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from evolution_sdk._base.effects import drive_async, drive_sync
from evolution_sdk.errors import ConfigurationError

from ._base import Event
from ._dispatch_plan import (
    AskFilter,
    CallFunction,
    DispatchOutcome,
    DispatchProgress,
    DispatchStep,
    EnterRouter,
    RouterNode,
    StepError,
    StepReply,
    StepResult,
    plan_dispatch,
)
from ._plain_calls import call_in_thread, call_plain
from ._registry import arguments, callable_name, injected_names
from .filters._algebra import is_async


async def dispatch_async(
    router: RouterNode, event: Event[Any], progress: DispatchProgress, known: Mapping[str, Any]
) -> DispatchOutcome:
    """Take an event through a router; plain handlers run in threads meanwhile.

    Args:
        router: The router.
        event: The event.
        progress: The work done in earlier attempts; kept up to date.
        known: Values for parameters of handlers, by name.

    Returns:
        The handlers that ran.

    Raises:
        Exception: An error that no error handler dealt with.
    """
    progress.begin()
    ended = await _enter_async(EnterRouter(router, event, known, ""), progress)
    return DispatchOutcome(tuple(progress.ran), ended)


def dispatch_sync(
    router: RouterNode, event: Event[Any], progress: DispatchProgress, known: Mapping[str, Any]
) -> DispatchOutcome:
    """Take an event through a router in this thread.

    Args:
        router: The router, all of it sync.
        event: The event.
        progress: The work done in earlier attempts; kept up to date.
        known: Values for parameters of handlers, by name.

    Returns:
        The handlers that ran.

    Raises:
        Exception: An error that no error handler dealt with.
    """
    progress.begin()
    ended = _enter_sync(EnterRouter(router, event, known, ""), progress)
    return DispatchOutcome(tuple(progress.ran), ended)


async def _enter_async(step: EnterRouter, progress: DispatchProgress) -> bool:
    view = step.router.view()
    known = {**step.known, **view.provided}
    # Stays False if a middleware drops the event by not calling the next one: the handlers after
    # this router then still get their turn.
    ended = False

    async def inner(event: Event[Any]) -> bool:
        nonlocal ended
        plan = plan_dispatch(view, event, known, progress, step.path)
        ended = await drive_async(plan, partial(_reply_async, progress))
        return ended

    result = _wrapped(inner, view.middleware, known)(step.event)
    if inspect.isawaitable(result):
        await result
    return ended


async def _reply_async(progress: DispatchProgress, step: DispatchStep) -> StepReply:
    try:
        return StepResult(await _perform_async(step, progress))
    except Exception as error:  # noqa: BLE001 - the plan decides what an error means
        return StepError(error)


async def _perform_async(step: DispatchStep, progress: DispatchProgress) -> Any:
    match step:
        case AskFilter(condition, event):
            if condition.is_async:
                return await condition.find_async(event)
            return condition.find(event)
        case EnterRouter():
            return await _enter_async(step, progress)
        case CallFunction(function, places, names):
            if is_async(function):
                return await function(*places, **names)
            result = await call_in_thread(function, places, names)
            # A lambda or a partial may return a coroutine although it looks like a plain function.
            return await result if inspect.isawaitable(result) else result


def _enter_sync(step: EnterRouter, progress: DispatchProgress) -> bool:
    view = step.router.view()
    known = {**step.known, **view.provided}
    ended = False  # as in _enter_async

    def inner(event: Event[Any]) -> bool:
        nonlocal ended
        plan = plan_dispatch(view, event, known, progress, step.path)
        ended = drive_sync(plan, partial(_reply_sync, progress))
        return ended

    _refuse_awaitable(_wrapped(inner, view.middleware, known)(step.event), "a middleware")
    return ended


def _reply_sync(progress: DispatchProgress, step: DispatchStep) -> StepReply:
    try:
        return StepResult(_perform_sync(step, progress))
    except Exception as error:  # noqa: BLE001 - as in _reply_async
        return StepError(error)


def _perform_sync(step: DispatchStep, progress: DispatchProgress) -> Any:
    match step:
        case AskFilter(condition, event):
            return condition.find(event)
        case EnterRouter():
            return _enter_sync(step, progress)
        case CallFunction(function, places, names):
            result = call_plain(function, places, names)
            _refuse_awaitable(result, callable_name(function))
            return result


def _refuse_awaitable(result: object, name: str) -> None:
    """Raise for a result that cannot be awaited here: its work would never be done."""
    if not inspect.isawaitable(result):
        return
    kind = "a coroutine" if inspect.iscoroutine(result) else "an awaitable"
    if inspect.iscoroutine(result):
        result.close()  # or Python warns about it once more
    raise ConfigurationError(
        f"{name} returned {kind}, and this dispatch is sync: nothing awaits it. Use an async "
        "dispatch (await router.dispatch(event), receiver.asgi), or a sync client.",
        variable="handler",
    )


def _wrapped(
    inner: Callable[[Event[Any]], Any],
    middleware: tuple[Callable[..., Any], ...],
    known: Mapping[str, Any],
) -> Callable[[Event[Any]], Any]:
    """Put the middlewares around a router, the first one outermost."""
    handle = inner
    for one in reversed(middleware):
        given = arguments(callable_name(one), injected_names(one, 2), known)
        handle = _around(one, handle, given)
    return handle


def _around(
    middleware: Callable[..., Any], handle: Callable[[Event[Any]], Any], given: dict[str, Any]
) -> Callable[[Event[Any]], Any]:
    return lambda event: middleware(event, handle, **given)
