"""The router: who gets an event, in which order, and what stops it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import (
    ContinueHandling,
    Event,
    EventRouter,
    GroupsUpdate,
    Handling,
    MessageEvent,
    MessagesUpdate,
    MessagesUpsert,
    StopHandling,
    UnsubscribableEventWarning,
    filters,
    parse_event,
)
from evolution_sdk.events._dispatch_plan import DispatchProgress

EVENT = parse_event(
    {
        "event": "messages.upsert",
        "instance": "sales",
        "data": {"key": {"id": "1", "remoteJid": "1@g.us"}, "message": {"conversation": "oi"}},
    }
)


class Bench:
    """Handlers that write down that they were called, in one colour."""

    def __init__(self, colour: str) -> None:
        self.colour = colour
        self.calls: list[str] = []

    def handler(self, name: str, result: Any = None) -> Any:
        def answer() -> Any:
            self.calls.append(name)
            if isinstance(result, Exception):
                raise result
            return result

        async def later(event: Any) -> Any:
            return answer()

        return later if self.colour == "async" else lambda event: answer()

    async def run(self, router: EventRouter, event: Event[Any] = EVENT, **more: Any) -> list[str]:
        self.calls.clear()
        if self.colour == "sync":
            router.dispatch_sync(event, **more)
        else:
            await router.dispatch(event, **more)
        return list(self.calls)


@pytest.fixture(params=["sync", "async", "sync in async"])
def bench(request: pytest.FixtureRequest) -> Bench:
    return Bench(request.param)


async def test_the_first_that_matches_gets_it_alone(bench: Bench) -> None:
    router = EventRouter()
    router.add(bench.handler("no"), MessagesUpsert, filters.from_me)
    router.add(bench.handler("other"), MessagesUpdate)
    router.add(bench.handler("yes"), MessageEvent, filters.text)
    router.add(bench.handler("late"), Event)
    router.add(bench.handler("early"), (MessagesUpdate, MessagesUpsert), priority=1, passes_on=True)
    assert await bench.run(router) == ["early", "yes"]


async def test_all_run_when_the_router_says_so(bench: Bench) -> None:
    router = EventRouter(runs="all")
    router.add(bench.handler("a"), Event)
    router.add(bench.handler("b"), Event, passes_on=False)
    router.add(bench.handler("c"), Event)
    assert await bench.run(router) == ["a", "b"]


@pytest.mark.parametrize("word", [ContinueHandling(), Handling.CONTINUE])
async def test_a_handler_lets_the_next_one_have_it(bench: Bench, word: Any) -> None:
    router = EventRouter()
    router.add(bench.handler("a", word), Event)
    router.add(bench.handler("b"), Event)
    assert await bench.run(router) == ["a", "b"]


@pytest.mark.parametrize("word", [StopHandling(), Handling.STOP])
async def test_a_handler_stops_it_for_all_routers(bench: Bench, word: Any) -> None:
    router, child = EventRouter(runs="all"), EventRouter(name="child", runs="all")
    router.include(child)
    child.add(bench.handler("a", word), Event)
    child.add(bench.handler("b"), Event)
    router.add(bench.handler("c"), Event)
    assert await bench.run(router) == ["a"]


async def test_included_routers_take_their_turn(bench: Bench) -> None:
    router = EventRouter()
    router.add(bench.handler("own"), Event, passes_on=True)
    closed = router.include(EventRouter(filters.instance("other")), priority=2)
    closed.add(bench.handler("closed"), Event)
    first = router.include(EventRouter(filters.instance("sales"), runs="all"), priority=1)
    first.add(bench.handler("x"), Event)
    last = router.include(EventRouter())
    last.add(bench.handler("last"), Event)
    router.add(bench.handler("never"), Event)
    assert await bench.run(router) == ["x", "own", "last"]


def test_a_router_is_in_one_place_and_in_no_circle() -> None:
    a, b, c = EventRouter(name="a"), EventRouter(name="b"), EventRouter(name="c")
    a.include(b)
    b.include(c)
    with pytest.raises(ConfigurationError, match="already included"):
        c.include(b)
    for inner in (c, a):
        with pytest.raises(ConfigurationError, match="circular"):
            inner.include(a)


async def test_registrations_have_an_identity(bench: Bench) -> None:
    router = EventRouter(runs="all")
    same = bench.handler("x")
    first = router.add(same, Event)
    router.add(same, Event)
    assert await bench.run(router) == ["x", "x"]
    first.remove()
    first.remove()
    assert await bench.run(router) == ["x"]


async def test_a_handler_gets_what_it_names(bench: Bench) -> None:
    router = EventRouter(filters.regex("(o)i")).provide(shop="outer", till=1)
    child = router.include(EventRouter().provide(shop="inner"))
    seen: list[Any] = []

    @child.on(MessagesUpsert)
    def handler(event: MessagesUpsert, shop: str, *, match: Any, till: int, more: int = 3) -> None:
        seen.append((event.text, shop, match[1], till, more))

    await bench.run(router)
    assert seen == [("oi", "inner", "o", 1, 3)]
    child.add(lambda event, nobody: None, Event, priority=1)
    with pytest.raises(ConfigurationError, match="nobody, which is not provided"):
        await bench.run(router)


async def test_errors_go_to_the_nearest_who_deals_with_them(bench: Bench) -> None:
    router = EventRouter()
    child = router.include(EventRouter(name="child"))
    child.add(bench.handler("bad", KeyError("k")), Event, name="bad")
    heard: list[Any] = []

    @child.on_error(ValueError)
    def never(error: Exception, event: Any) -> None:
        heard.append("never")

    with pytest.raises(KeyError):
        await bench.run(router)

    @child.on_error(KeyError)
    def inner(error: Exception, event: Any, registration: Any) -> None:
        heard.append(registration.name)
        raise TypeError("worse") from error

    @router.on_error()
    def outer(error: Exception, event: Any) -> None:
        heard.append(type(error).__name__)

    await bench.run(router)
    assert heard == ["bad", "TypeError"]


async def test_a_filter_that_raises_counts_as_its_handler(bench: Bench) -> None:
    router = EventRouter()
    broken = filters.new(lambda event: 1 / 0 > 0, name="broken")
    router.add(bench.handler("x"), Event, broken)
    with pytest.raises(ZeroDivisionError):
        await bench.run(router)


async def test_one_failure_does_not_keep_the_others_from_their_turn(bench: Bench) -> None:
    router = EventRouter(runs="all")
    router.add(bench.handler("a", KeyError()), Event)
    router.add(bench.handler("b"), Event)
    router.add(bench.handler("c", ValueError()), Event)
    with pytest.raises(ExceptionGroup) as caught:
        await bench.run(router)
    assert [type(one) for one in caught.value.exceptions] == [KeyError, ValueError]
    assert bench.calls == ["a", "b", "c"]


async def test_a_second_attempt_calls_only_what_is_unfinished(bench: Bench) -> None:
    router = EventRouter(runs="all")
    router.add(bench.handler("a"), Event)
    child = router.include(EventRouter(name="child"))
    child.add(bench.handler("b"), Event)
    router.add(bench.handler("c", KeyError()), Event)
    progress = DispatchProgress()
    with pytest.raises(KeyError):
        await bench.run(router, progress=progress)
    with pytest.raises(KeyError):
        await bench.run(router, progress=DispatchProgress(finished=progress.finished))
    assert bench.calls == ["c"]


async def test_middleware_stands_around_once_per_event(bench: Bench) -> None:
    router = EventRouter(runs="all")
    child = router.include(EventRouter())
    child.add(bench.handler("a"), Event)
    child.add(bench.handler("b"), Event, passes_on=True)
    for owner, name in ((router, "outer"), (router, "inner"), (child, "child")):
        if bench.colour == "sync":

            @owner.middleware
            def around(event: Any, call_next: Any, name: str = name) -> Any:
                bench.calls.append(f"{name}>")
                call_next(event)
                bench.calls.append(f"<{name}")

        else:

            @owner.middleware
            async def later(event: Any, call_next: Any, name: str = name) -> Any:
                bench.calls.append(f"{name}>")
                await call_next(event)
                bench.calls.append(f"<{name}")

    wanted = ["outer>", "inner>", "child>", "a", "<child", "<inner", "<outer"]
    assert await bench.run(router) == wanted


async def test_middleware_may_drop_or_replace_the_event(bench: Bench) -> None:
    router = EventRouter()
    seen: list[Any] = []
    router.add(seen.append, Event)
    router.middleware(lambda event, call_next: None)
    await bench.run(router)
    assert seen == []
    other = EventRouter()
    other.add(lambda event: seen.append(event.instance), Event)
    changed = parse_event({**EVENT.raw, "instance": "other"})
    other.middleware(lambda event, call_next: call_next(changed))
    await bench.run(other)
    assert seen == ["other"]


def test_a_sync_dispatch_refuses_what_is_async_before_anything_runs() -> None:
    async def later(event: Any) -> None: ...

    async def slow(event: Any) -> bool:
        return True

    calls: list[Any] = []
    for spoil in (
        lambda router: router.add(later, Event),
        lambda router: router.add(calls.append, Event, filters.new(slow)),
        lambda router: router.include(EventRouter()).add(later, Event),
        lambda router: router.include(EventRouter(filters.new(slow))),
        lambda router: router.on_error()(_later_error),
        lambda router: router.middleware(_later_error),
    ):
        router = EventRouter(runs="all")
        router.add(calls.append, Event)
        spoil(router)
        with pytest.raises(ConfigurationError, match="async"):
            router.dispatch_sync(EVENT)
    hidden = EventRouter()
    hidden.add(lambda event: later(event), Event)
    with pytest.raises(ConfigurationError, match="coroutine"):
        hidden.dispatch_sync(EVENT)
    assert calls == []


async def _later_error(error: Any, event: Any) -> None: ...


def test_used_events_are_what_must_be_subscribed_to() -> None:
    router = EventRouter()
    router.add(print, MessagesUpsert)
    router.include(EventRouter()).add(print, (MessagesUpdate, MessagesUpsert))
    assert router.used_events() == ["MESSAGES_UPDATE", "MESSAGES_UPSERT"]
    router.add(print, GroupsUpdate)
    with pytest.warns(UnsubscribableEventWarning, match=r"groups\.update"):
        assert router.used_events() == ["MESSAGES_UPDATE", "MESSAGES_UPSERT"]
    everything = EventRouter()
    everything.add(print, Event)
    assert len(everything.used_events()) == 30
    assert "GROUP_UPDATE" not in everything.used_events()


@pytest.mark.parametrize("bad", [str, "messages.upsert", (), (MessagesUpsert, int)])
def test_only_event_classes_are_taken(bad: Any) -> None:
    with pytest.raises(ConfigurationError):
        EventRouter().add(print, bad)


def test_only_what_takes_an_event_is_taken() -> None:
    for bad in (lambda: None, 3):
        with pytest.raises(ConfigurationError):
            EventRouter().add(bad, Event)  # type: ignore[arg-type]  # the mistake under test
    with pytest.raises(ConfigurationError):
        EventRouter().add(print, Event, lambda event: True)  # type: ignore[arg-type]  # as above
    with pytest.raises(ConfigurationError):
        EventRouter(runs="some")  # type: ignore[arg-type]  # as above


async def test_a_blocking_handler_does_not_hold_up_the_loop() -> None:
    router = EventRouter()
    threads: list[int] = []
    router.add(lambda event: threads.append(threading.get_ident()), Event)
    await router.dispatch(EVENT)
    assert threads != [threading.get_ident()]


async def test_an_error_that_was_dealt_with_is_not_repeated(bench: Bench) -> None:
    router = EventRouter(runs="all")
    router.add(bench.handler("a", ValueError()), Event)
    router.add(bench.handler("b", KeyError()), Event)
    router.on_error(ValueError)(lambda error, event: None)
    progress = DispatchProgress()
    for wanted in (["a", "b"], ["b"]):
        with pytest.raises(KeyError):
            await bench.run(router, progress=progress)
        assert bench.calls == wanted
