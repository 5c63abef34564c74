"""The life of a stream without any network: waits, states, stopping, threads."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Any

import pytest
from rabbit_stage import envelope, until

from evolution_sdk import EvolutionClient, EvolutionConfig
from evolution_sdk.errors import AuthenticationError, ConfigurationError, WaitTimeoutError
from evolution_sdk.events import parse_event
from evolution_sdk.retry import RetryPolicy
from evolution_sdk.streams import (
    RabbitStream,
    SocketStream,
    Stream,
    StreamConnected,
    StreamDisconnected,
    open_streams,
    run_in_thread,
)
from evolution_sdk.streams._stream import ConnectionLostError


class World:
    """Time of a stream: sleeping moves it."""

    def __init__(self) -> None:
        self.now = 1_000.0
        self.naps: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.naps.append(round(seconds, 6))
        self.now += seconds


class Scripted(Stream):
    """Connections end as told; after the last one it stops itself."""

    def __init__(self, script: list[Any], world: World, **options: Any) -> None:
        self.states: list[Any] = []
        options.setdefault("on_state", self.states.append)
        super().__init__(
            print, name="scripted", clock=world, sleep=world.sleep, random=lambda: 0.5, **options
        )
        self.world = world
        self.script = script

    async def _session(self) -> None:
        if not self.script:
            self.stop()
            return
        step = self.script.pop(0)
        if step == "up":
            self._up()
            self.world.now += 60
            return
        raise step


SOON = RetryPolicy(max_attempts=1, delay_ms=10_000, max_delay_ms=10_000, jitter="none")


def lost(reason: str = "gone", **more: Any) -> ConnectionLostError:
    return ConnectionLostError(reason, **more)


async def test_an_outage_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """An hour of failed attempts: told at once, at most once a minute, and when it is over."""
    world = World()
    stream = Scripted([*(lost("refused") for _ in range(400)), "up"], world, reconnect=SOON)
    await stream.run()
    lines = [record.getMessage() for record in caplog.records]
    hour_s = sum(world.naps)
    assert lines[0] == "scripted: refused; next try in 10000 ms"
    assert "more times since the last line)" in lines[1]
    assert lines[-2:] == [
        "scripted: connected again (failures: 400)",
        "scripted: closed by the server; next try in 10000 ms",
    ]
    assert 50 < len(lines) <= hour_s / 60 + 3
    assert len(stream.states) > 400  # whoever listens hears of each


async def test_a_handler_that_always_fails_fills_no_log(caplog: pytest.LogCaptureFixture) -> None:
    stream = Scripted([], World())
    for _ in range(10):
        stream._failed(parse_event(envelope("sales", 1)), RuntimeError("secret"))
    assert stream.failures == 10
    assert [record.getMessage() for record in caplog.records] == [
        "scripted: the handler of messages.upsert raised RuntimeError (its text is left out)"
    ]


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
    stream._sleep = for_ever
    async with stream:
        await asleep.wait()
        assert stream.state == "waiting"
        with pytest.raises(ConfigurationError, match="running already"):
            await stream.run()
    assert stream.state == "stopped"


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


def config(**sections: Any) -> EvolutionConfig:
    return EvolutionConfig("http://x", "k", **sections)


URI = "amqp://u:p@h/"


async def test_the_settings_decide_which_streams_are_opened(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert open_streams(config(instance="sales"), print) == []
    assert "EVOLUTION_WEBSOCKET_ENABLED=true or EVOLUTION_RABBITMQ_URI" in caplog.text
    caplog.clear()
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
    assert socket._consumer is queue._consumer, "copies count once"
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
    assert queue._consumer._client is client
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
    with pytest.raises(ConfigurationError, match=rf"pip install 'evolutionapi-sdk\[{extra}\]'"):
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


@pytest.mark.parametrize("step", [-31_536_000.0, 31_536_000.0, 0.0])
async def test_a_clock_that_is_put_back_hides_no_gap(step: float) -> None:
    steps = [0.0, 0.0, step, step, step, step]

    class Stepped(World):
        def time(self) -> float:
            return self.now + steps[min(len(consumer.states), 5)]

    world = Stepped()
    consumer = Scripted(["up", "up"], world)
    await consumer.run()
    _, second = (state for state in consumer.states if isinstance(state, StreamConnected))
    assert second.missing_since is not None
    gap = (second.at - second.missing_since).total_seconds()
    assert gap == pytest.approx(60.375 + max(step, 0.0)), "the minute, and the wait after it"


@pytest.mark.parametrize("error", [KeyError("secret"), TypeError(), asyncio.CancelledError()])
async def test_whatever_a_session_raises_is_a_lost_connection(error: BaseException) -> None:
    consumer = Scripted([error, "up", error, "up"], World())
    await consumer.run()
    reasons = [s.reason for s in consumer.states if isinstance(s, StreamDisconnected)]
    assert len(reasons) == 5
    assert "secret" not in "".join(reasons)


def test_a_stop_iteration_in_an_async_handler_is_told_by_its_own_line(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Python makes a RuntimeError of it, in which no line of the handler is left."""

    async def handler(_: Any) -> None:
        next(iter(()))

    async def call() -> None:
        stream = Scripted([], World())
        try:
            await handler(None)
        except RuntimeError as error:
            stream._failed(parse_event(envelope("a", 1)), error)

    asyncio.run(call())
    (record,) = [each for each in caplog.records if hasattr(each, "error_function")]
    assert record.error == "StopIteration"
    assert record.error_function.endswith("handler")


async def test_a_stream_given_to_another_shares_its_handling() -> None:
    got: list[Any] = []
    client = EvolutionClient("http://x", "k")
    first = SocketStream(got.append, "http://x", "k", client=client)
    second = RabbitStream(first, URI)
    event = parse_event(envelope("a", 1), source="backfill")
    assert not second.has_handled(event.delivery_key)
    assert await first.handle(event)
    assert not await second.handle(parse_event(envelope("a", 1), source="queue"))
    assert second.has_handled(event.delivery_key)
    assert (second.handled, second.duplicates, second.foreign) == (1, 1, 0)
    assert len(got) == 1
    with pytest.raises(ConfigurationError, match="client belongs to the stream"):
        RabbitStream(first, URI, client=client)
    client.close()


async def test_a_memory_of_ones_own_decides_what_is_known() -> None:
    class Memory(set[str]):
        def seen(self, key: str) -> bool:
            return key in self

    memory, got = Memory(), []
    event = parse_event(envelope("a", 1))
    stream = SocketStream(got.append, "http://x", "k", dedupe=memory)
    memory.add(event.delivery_key)
    assert not await stream.handle(event)
    other = parse_event(envelope("a", 2))
    assert await stream.handle(other)
    assert other.delivery_key in memory
    assert got == [other]
