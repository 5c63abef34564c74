"""The life of a stream without any network: waits, states, stopping, the intake, threads."""

from __future__ import annotations

import asyncio
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from rabbit_stage import envelope, until

from evolution_sdk import AsyncEvolutionClient, EvolutionClient, EvolutionConfig
from evolution_sdk.errors import AuthenticationError, ConfigurationError, WaitTimeoutError
from evolution_sdk.events import parse_event
from evolution_sdk.retry import RetryPolicy
from evolution_sdk.streams import (
    Intake,
    RabbitStream,
    RecentKeys,
    SocketStream,
    Stream,
    StreamConnected,
    StreamDisconnected,
    Timing,
    open_streams,
    run_in_thread,
)
from evolution_sdk.streams._delivery import Failures, Verdict, delivery_count
from evolution_sdk.streams._stream import LostError
from evolution_sdk.testing import FakeEvolution


class World:
    """Time of a stream: sleeping moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.naps: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.naps.append(round(seconds, 6))
        self.now += seconds

    @property
    def timing(self) -> Timing:
        return Timing(self.clock, self.clock, self.sleep, lambda: 0.5)


class Scripted(Stream):
    """Connections end as told; after the last one it stops itself."""

    def __init__(self, script: list[Any], world: World, **options: Any) -> None:
        self.states: list[Any] = []
        options.setdefault("on_state", self.states.append)
        super().__init__(print, name="scripted", timing=world.timing, **options)
        self.script = script

    async def _session(self) -> None:
        if not self.script:
            self.stop()
            return
        step = self.script.pop(0)
        if step == "up":
            self._up()
            self._time.clock.__self__.now += 60  # type: ignore[attr-defined]  # the World
            return
        raise step


def lost(reason: str = "gone", **more: Any) -> LostError:
    return LostError(reason, **more)


async def test_waits_grow_are_spread_and_begin_anew_after_a_success() -> None:
    world = World()
    stream = Scripted([lost(), lost(), lost(), "up", lost()], world)
    await stream.run()
    # Half of the wait and half of the rest by chance: 500, 1000, 2000 ms, then from the beginning.
    assert world.naps == [0.375, 0.75, 1.5, 0.375, 0.75]


async def test_the_policy_that_is_given_is_used() -> None:
    world = World()
    policy = RetryPolicy(delay_ms=10, max_delay_ms=15, jitter="none")
    await Scripted([lost(), lost(), lost()], world, reconnect=policy).run()
    assert world.naps == [0.01, 0.015, 0.015]


async def test_states_say_what_happens() -> None:
    world = World()
    stream = Scripted(["up", lost("cut", wait_ms=7, quiet=True), "up"], world)
    assert stream.state == "new"
    await stream.run()
    first, closed, cut, again, _closed, end = stream.states
    assert isinstance(first, StreamConnected)
    assert first.missing_since is None
    assert isinstance(closed, StreamDisconnected)
    assert closed.reason == "closed by the server"
    assert (cut.reason, cut.retry_in_ms, cut.quiet) == ("cut", 7, True)
    assert again.missing_since == first.at, "the last sign of life"
    assert (end.reason, end.retry_in_ms) == ("stopped", None)
    assert stream.state == "stopped"


async def test_its_age_is_that_of_the_last_sign_of_life() -> None:
    world = World()
    stream = Scripted(["up"], world)
    assert stream.age_ms is None
    await stream.run()
    assert stream.age_ms is not None
    assert stream.age_ms >= 60_000


async def test_a_listener_that_raises_harms_nothing() -> None:
    def broken(_state: Any) -> None:
        raise ValueError

    stream = Scripted(["up", lost()], World(), on_state=broken)
    await stream.run()
    assert stream.script == []


async def test_stopping_ends_a_wait() -> None:
    world, asleep = World(), asyncio.Event()

    async def for_ever(_seconds: float) -> None:
        asleep.set()
        await asyncio.Event().wait()

    stream = Scripted([lost()], world)
    stream._time = Timing(world.clock, world.clock, for_ever)
    async with stream:
        await asleep.wait()
        assert stream.state == "waiting"
        with pytest.raises(ConfigurationError, match="running already"):
            await stream.run()
    assert stream.state == "stopped"


async def test_events_of_a_chat_wait_for_each_other_and_failures_do_not_block() -> None:
    log: list[str] = []

    async def handle(event: Any) -> None:
        log.append(f"begin {event.id}")
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if event.id == "M1":
            raise ValueError
        log.append(f"end {event.id}")

    intake = Intake(handle)
    events = [parse_event(envelope("a", n, chat=n // 3)) for n in range(4)]
    done = await asyncio.gather(*map(intake.handle, events), return_exceptions=True)
    assert [type(result) for result in done] == [bool, ValueError, bool, bool]
    own = [entry for entry in log if entry[-1] in "012"]
    assert own == ["begin M0", "end M0", "begin M1", "begin M2", "end M2"]
    assert log.index("begin M3") < log.index("end M0"), "another chat does not wait"
    assert intake._lanes == {}


async def test_a_copy_waits_for_the_first_and_counts_once_unless_that_failed() -> None:
    tries: list[str] = []

    async def handle(event: Any) -> None:
        tries.append(event.id)
        await asyncio.sleep(0)
        if len(tries) == 1:
            raise ValueError

    intake = Intake(handle)
    copies = [parse_event(envelope("a", 1), source=s) for s in ("socket", "queue", "webhook")]
    first, second, third = await asyncio.gather(*map(intake.handle, copies), return_exceptions=True)
    assert isinstance(first, ValueError)
    assert (second, third) == (True, False)
    assert (intake.handled, intake.duplicates) == (1, 1)


async def test_a_plain_handler_runs_in_a_thread_and_a_router_is_asked_for_its_dispatch() -> None:
    threads: list[Any] = []
    intake = Intake(lambda _event: threads.append(threading.current_thread()))
    await intake.handle(parse_event(envelope("a", 1)))
    assert threads != [threading.main_thread()]

    class Router:
        got: list[Any] = []

        async def dispatch(self, event: Any) -> None:
            self.got.append(event)

    await Intake(Router()).handle(parse_event(envelope("a", 1)))
    assert len(Router.got) == 1
    with pytest.raises(ConfigurationError):
        Intake("nothing callable")  # type: ignore[arg-type]  # wrong on purpose


async def test_a_client_is_attached_and_told() -> None:
    client = EvolutionClient("http://x", "k")
    heard: list[Any] = []
    client._caller.hub.listen(heard.append)
    intake = Intake(lambda event: event.is_bound or pytest.fail("no client"), client=client)
    event = intake.read(envelope("a", 1))
    await intake.handle(event)
    assert heard == [event]
    client.close()


async def test_a_handler_may_wait_for_the_next_event_of_its_own_chat() -> None:
    async with fake_client() as client:
        replies: list[str] = []

        async def handle(event: Any) -> None:
            if event.id == "M1":
                sent = await event.reply_text("Yes or no?")
                replies.append((await sent.wait_for_reply(timeout_ms=10_000)).text)

        intake = Intake(handle, client=client)
        first = asyncio.create_task(intake.handle(intake.read(envelope("sales", 1))))
        await until(lambda: client._caller.hub._listeners)
        answer = envelope("sales", 2)
        answer["data"]["messageTimestamp"] = 4_000_000_000
        second = asyncio.create_task(intake.handle(intake.read(answer)))
        await asyncio.gather(first, second)
    assert replies == ["text 2"]


async def test_who_waits_for_its_chat_or_its_turn_is_heard_and_holds_up_no_other_chat() -> None:
    may_end, begun = asyncio.Event(), []
    client = EvolutionClient("http://x", "k")
    heard: list[Any] = []
    client._caller.hub.listen(lambda event: heard.append(event.id))

    async def handle(event: Any) -> None:
        begun.append(event.id)
        await may_end.wait()

    intake, turns = Intake(handle, client=client), asyncio.Semaphore(2)
    events = [intake.read(envelope("a", n, chat=chat)) for n, chat in enumerate((0, 0, 0, 1, 2))]
    tasks = [asyncio.create_task(intake.handle(event, turns=turns)) for event in events]
    await until(lambda: len(heard) == 5)
    assert begun == ["M0", "M3"], "two of one chat wait without a turn"
    may_end.set()
    await asyncio.gather(*tasks)
    assert sorted(begun) == ["M0", "M1", "M2", "M3", "M4"]
    client.close()


async def test_reports_that_fail_quote_no_message(caplog: pytest.LogCaptureFixture) -> None:
    def broken(*_: Any) -> None:
        raise RuntimeError("a secret of the report")

    stream = Scripted(["up"], World(), on_state=broken, on_failure=broken)
    await stream.run()
    try:
        raise ValueError("the text of a message")
    except ValueError as error:
        stream._failed(parse_event(envelope("a", 1)), error)
    assert "on_state raised RuntimeError" in caplog.text
    assert "on_failure raised RuntimeError" in caplog.text
    assert "secret" not in caplog.text
    assert "the text of a message" not in caplog.text


def test_a_thread_that_ends_by_itself_can_be_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    thread = run_in_thread(lambda: Scripted([], World()))
    thread._thread.join(10)
    with monkeypatch.context() as patched:  # as in the moment between the loop's end and its own
        alive = iter([True])
        patched.setattr(thread._thread, "is_alive", lambda: next(alive, False))
        thread.stop()
    assert thread.error is None


def test_recent_keys_are_bounded_and_asking_changes_nothing() -> None:
    keys = RecentKeys(2)
    assert not keys.seen("a")
    assert not keys.seen("a")
    for key in ("a", "b", "a", "c"):
        keys.add(key)
    assert [keys.seen(key) for key in "abc"] == [True, False, True]
    assert len(keys) == 2
    with pytest.raises(ConfigurationError):
        RecentKeys(0)


def test_a_failing_event_is_given_up_by_our_count_or_the_brokers() -> None:
    failures = Failures(3)
    assert [failures.verdict("k", 0) for _ in range(3)] == [
        Verdict(1, False), Verdict(2, False), Verdict(3, True),
    ]  # fmt: skip
    assert failures.verdict("k", 0) == Verdict(1, False), "forgotten when given up"
    assert failures.verdict("other", 2) == Verdict(3, True), "tried twice by other consumers"
    failures.forget("k")
    assert failures.verdict("k", 0).deliveries == 1
    counts = [None, {}, {"x-delivery-count": 2}, {"x-delivery-count": "2"}]
    assert [delivery_count(headers) for headers in counts] == [0, 0, 2, 0]


@asynccontextmanager
async def fake_client() -> AsyncIterator[AsyncEvolutionClient]:
    """A client in front of a fake server."""
    fake = FakeEvolution(api_key="k")
    fake.create_instance("sales")
    options = EvolutionConfig("http://fake", "k", instance="sales")
    async with AsyncEvolutionClient(config=options, http_client=fake.async_http_client()) as client:
        yield client


def config(**sections: Any) -> EvolutionConfig:
    return EvolutionConfig("http://x", "k", **sections)


URI = "amqp://u:p@h/"


async def test_the_settings_decide_which_streams_are_opened() -> None:
    assert open_streams(config(instance="sales"), print) == []
    (socket,) = open_streams(config(instance="sales", websocket={"enabled": True}), print)
    assert isinstance(socket, SocketStream)
    assert socket._namespace == "/sales"
    everything = {"enabled": True, "global_events": True}
    (socket,) = open_streams(config(instance="sales", websocket=everything), print)
    assert isinstance(socket, SocketStream)
    assert socket._namespace == "/"
    options = config(instance="sales", websocket={"enabled": True}, rabbitmq={"uri": URI})
    socket, queue = open_streams(options, print)
    assert isinstance(queue, RabbitStream)
    assert socket.intake is queue.intake, "copies count once"
    assert {place.exchange for place in queue.queues} == {"sales"}


async def test_the_settings_of_rabbitmq_are_used() -> None:
    section = {
        "uri": URI, "global_enabled": True, "exchange_name": "ex", "prefix_key": "pre",
        "prefetch": 7,
    }  # fmt: skip
    (queue,) = open_streams(config(rabbitmq=section), print, events=["CALL"])
    assert isinstance(queue, RabbitStream)
    (place,) = queue.queues
    assert (place.exchange, place.queue, place.key) == ("ex", "pre.call", "call")
    assert queue._prefetch == 7
    assert queue._uri.get_secret_value() == URI


async def test_a_router_says_which_queues_are_wanted_and_a_client_is_attached() -> None:
    class Router:
        async def dispatch(self, event: Any) -> None: ...

        def used_events(self) -> list[str]:
            return ["MESSAGES_UPSERT", "GROUP_PARTICIPANTS_UPDATE"]

    options = config(instance="sales", rabbitmq={"uri": URI})
    client = EvolutionClient(config=options)
    (queue,) = open_streams(client, Router())
    assert isinstance(queue, RabbitStream)
    assert [place.queue for place in queue.queues] == [
        "sales.messages.upsert", "sales.group-participants.update",
    ]  # fmt: skip
    assert queue.intake._client is client
    client.close()


@pytest.mark.parametrize("section", [{"websocket": {"enabled": True}}, {"rabbitmq": {"uri": URI}}])
async def test_an_instance_or_the_global_mode_is_needed(section: Any) -> None:
    with pytest.raises(ConfigurationError, match="GLOBAL") as caught:
        open_streams(config(**section), print)
    assert caught.value.variable == "EVOLUTION_INSTANCE"


async def test_rabbitmq_needs_its_address() -> None:
    with pytest.raises(ConfigurationError, match="EVOLUTION_RABBITMQ_URI"):
        RabbitStream.from_config(print, config(instance="x"))


@pytest.mark.parametrize(
    ("module", "extra", "make"),
    [
        ("socketio", "socketio", lambda: SocketStream(print, "http://x", "k")),
        ("aio_pika", "rabbitmq", lambda: RabbitStream(print, URI)),
    ],
)
async def test_a_missing_extra_is_named(
    module: str, extra: str, make: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ConfigurationError, match=rf"pip install evolutionapi-sdk\[{extra}\]"):
        await make().run()


async def test_a_thread_runs_streams_and_ends_them() -> None:
    made: list[Any] = []

    class Idle(Scripted):
        async def _session(self) -> None:
            self._up()
            await self._until_over(asyncio.Event())

    def make() -> list[Stream]:
        made.extend(Idle([], World()) for _ in range(2))
        return list(made)

    with run_in_thread(make) as thread:
        await until(lambda: all(each.connected for each in made))
        assert thread.running
    assert not thread.running
    assert thread.error is None
    assert [each.state for each in made] == ["stopped", "stopped"]


def test_what_ends_a_thread_is_kept() -> None:
    refused = AuthenticationError(403, ("Invalid global token",))
    thread = run_in_thread(lambda: Scripted([refused], World()))
    thread.stop()
    assert isinstance(thread.error, ExceptionGroup)
    assert thread.error.exceptions == (refused,)

    def broken() -> Stream:
        raise ConfigurationError("no")

    with pytest.raises(ConfigurationError, match="no"):
        run_in_thread(broken)


def test_a_busy_handler_is_told_of_when_stopping() -> None:
    held = threading.Event()

    class Busy(Scripted):
        async def _session(self) -> None:
            await asyncio.to_thread(held.wait)
            self.stop()

    thread = run_in_thread(lambda: Busy([], World()))
    with pytest.raises(WaitTimeoutError, match="still busy"):
        thread.stop(timeout_ms=1)
    held.set()
    thread.stop()
    assert not thread.running
