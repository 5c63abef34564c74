"""The drivers of a dispatch plan: one awaits, one blocks."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, cast

from evolution_sdk._base.coroutines import is_async
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
from ._registry import Injected, callable_name


async def dispatch_async(
    router: RouterNode, event: Event, progress: DispatchProgress, known: Mapping[str, Any]
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
    view = router.view()
    if view.middleware:
        ended = await _enter_async(EnterRouter(router, event, known, ""), progress)
    else:
        plan = plan_dispatch(view, event, {**known, **view.provided}, progress, "")
        ended = await drive_async(plan, partial(_perform_async, progress))
    return DispatchOutcome(tuple(progress.ran), ended)


def dispatch_sync(
    router: RouterNode, event: Event, progress: DispatchProgress, known: Mapping[str, Any]
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
    if not view.middleware:
        plan = plan_dispatch(view, step.event, known, progress, step.path)
        return await drive_async(plan, partial(_perform_async, progress))
    # Stays False if a middleware drops the event by not calling the next one: the handlers after
    # this router then still get their turn.
    ended = False

    async def inner(event: Event) -> bool:
        nonlocal ended
        plan = plan_dispatch(view, event, known, progress, step.path)
        ended = await drive_async(plan, partial(_perform_async, progress))
        return ended

    # Its return value is not looked at: a middleware may return anything.
    result = _wrapped(inner, view.middleware, known)(step.event)
    if inspect.isawaitable(result):
        await result
    return ended


async def _perform_async(progress: DispatchProgress, step: DispatchStep) -> StepReply:
    try:
        match step:
            case CallFunction(function, places, names):
                if is_async(function):
                    return StepResult(await cast("Awaitable[object]", function(*places, **names)))
                result = await call_in_thread(function, places, names)
                # A lambda or a partial of a coroutine function looks plain and is not.
                return StepResult(await result if inspect.isawaitable(result) else result)
            case AskFilter(condition, event):
                if not condition.is_async:
                    return StepResult(condition.find(event))
                return StepResult(await condition.find_async(event))
            case EnterRouter():
                return StepResult(await _enter_async(step, progress))
    except Exception as error:  # noqa: BLE001 - the plan decides what an error means
        return StepError(error)


def _enter_sync(step: EnterRouter, progress: DispatchProgress) -> bool:
    view = step.router.view()
    known = {**step.known, **view.provided}
    ended = False  # as in _enter_async

    def inner(event: Event) -> bool:
        nonlocal ended
        plan = plan_dispatch(view, event, known, progress, step.path)
        ended = drive_sync(plan, partial(_perform_sync, progress))
        return ended

    _refuse_awaitable(_wrapped(inner, view.middleware, known)(step.event), None)
    return ended


def _perform_sync(progress: DispatchProgress, step: DispatchStep) -> StepReply:
    try:
        match step:
            case AskFilter(condition, event):
                return StepResult(condition.find(event))
            case EnterRouter():
                return StepResult(_enter_sync(step, progress))
            case CallFunction(function, places, names):
                result = call_plain(function, places, names)
                _refuse_awaitable(result, function)
                return StepResult(result)
    except Exception as error:  # noqa: BLE001 - as above
        return StepError(error)


def _refuse_awaitable(result: object, function: Callable[..., Any] | None) -> None:
    """Raise for a result that nobody can await here: what it stands for would never happen."""
    if result is None or not inspect.isawaitable(result):
        return
    kind = "a coroutine" if inspect.iscoroutine(result) else "an awaitable"
    if inspect.iscoroutine(result):
        result.close()  # or Python warns of it once more
    name = "a middleware" if function is None else callable_name(function)
    raise ConfigurationError(
        f"{name} returned {kind}, and this dispatch is sync: nothing awaits it. Use an async "
        "dispatch (await router.dispatch(event), receiver.asgi), or a sync client.",
        variable="handler",
    )


def _wrapped(
    inner: Callable[[Event], Any],
    middleware: tuple[Injected, ...],
    known: Mapping[str, Any],
) -> Callable[[Event], Any]:
    """Put the middlewares around a router, the first one outermost."""
    handle = inner
    for one in reversed(middleware):
        handle = _around(one.function, handle, one.arguments(known))
    return handle


def _around(
    middleware: Callable[..., Any], handle: Callable[[Event], Any], given: dict[str, Any]
) -> Callable[[Event], Any]:
    return lambda event: middleware(event, handle, **given)
