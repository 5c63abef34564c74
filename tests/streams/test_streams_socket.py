"""The socket stream against a real socket.io server that speaks the recorded envelopes."""

from __future__ import annotations

import asyncio
import json
import logging
import traceback
from typing import Any

import pytest
from rabbit_stage import NOW, Watch, envelope, until
from socket_stage import KEY, Server, socket_server

from evolution_sdk.errors import AuthenticationError, ConfigurationError
from evolution_sdk.events import MessagesUpsert
from evolution_sdk.streams import EventsDropped, SocketStream, StreamConnected, StreamDisconnected
from evolution_sdk.streams._consumer import EventConsumer


def stream(
    to: Any, server: Server, instance: str | None = "ev1", watch: Watch | None = None, **more: Any
) -> SocketStream:
    more.setdefault("namespace_poll_ms", 20)
    more.setdefault("reconnect", NOW)
    url = more.pop("url", server.url)
    return SocketStream(to, url, more.pop("key", KEY), instance=instance, on_state=watch, **more)


async def test_a_namespace_that_does_not_exist_yet_is_asked_for_quietly(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "evolution_sdk")
    watch, got = Watch(), []
    async with socket_server() as server, stream(got.append, server, watch=watch) as consumer:
        await until(lambda: watch.count(StreamDisconnected) >= 3)
        assert not consumer.connected
        quiet = [s for s in watch.states if isinstance(s, StreamDisconnected)]
        assert all(state.quiet and "no namespace /ev1 yet" in state.reason for state in quiet)
        told = [r for r in caplog.records if r.name.startswith("evolution_sdk")]
        assert [r.levelname for r in told] == ["INFO"], "once, however often it is asked for"
        await server.emit(envelope("ev1", 1))  # makes the namespace, and is lost
        await until(lambda: consumer.connected)
        await server.emit(envelope("ev1", 2))
        await until(lambda: got)
    (event,) = got
    assert isinstance(event, MessagesUpsert)
    assert (event.id, event.source, event.instance) == ("M2", "socket", "ev1")
    assert event.received_at is not None


async def test_the_global_namespace_tells_the_events_of_all() -> None:
    got: list[Any] = []
    async with (
        socket_server(global_events=True) as server,
        stream(got.append, server, None) as consumer,
    ):
        await until(lambda: consumer.connected)
        await server.emit(envelope("ev1", 1))
        await server.emit(envelope("bz1", 2))
        await until(lambda: len(got) == 2)
    assert {event.instance for event in got} == {"ev1", "bz1"}


async def test_binary_attachments_are_the_bytes_they_were() -> None:
    """On the socket bytes come as attachments; the key is that of the webhook's index map."""
    got: list[Any] = []
    body = envelope("ev1", 1)
    body["data"]["message"] = {"imageMessage": {"jpegThumbnail": b"\xff\xd8\x00", "caption": "x"}}
    async with (
        socket_server(global_events=True) as server,
        stream(got.append, server, None) as consumer,
    ):
        await until(lambda: consumer.connected)
        await server.emit(body)
        await until(lambda: got)
    assert got[0].raw["data"]["message"]["imageMessage"]["jpegThumbnail"] == b"\xff\xd8\x00"
    assert got[0].text == "x"


@pytest.mark.parametrize("key_in", ["header", "query"])
async def test_the_key_travels_where_it_is_told_to(key_in: Any) -> None:
    async with socket_server() as server, stream(print, server, None, key_in=key_in) as consumer:
        await until(lambda: consumer.connected)
        asked = server.asked[0]
    assert (asked.headers.get("apikey") == KEY) is (key_in == "header")
    assert (asked.query.get("apikey") == KEY) is (key_in == "query")


async def test_a_wrong_key_is_told_at_once() -> None:
    async with socket_server() as server:
        consumer = stream(print, server, key="wrong-key")
        with pytest.raises(AuthenticationError, match="Invalid global token") as caught:
            await consumer.run()
    assert caught.value.status == 403
    assert "wrong-key" not in f"{caught.value!r}{vars(consumer)}"
    assert consumer.state == "stopped"


async def test_a_refusal_shows_no_key(caplog: pytest.LogCaptureFixture) -> None:
    async with socket_server() as server:
        server.refuse = "Invalid global token"
        consumer = stream(print, server, key="the-secret-key", key_in="query")
        with pytest.raises(AuthenticationError) as caught:
            await consumer.run()
    told = "".join(traceback.format_exception(caught.value))
    assert "the-secret-key" not in told + caplog.text
    assert caught.value.__suppress_context__, "the library's own words may hold the URL"


async def test_a_refusal_after_a_success_is_tried_again() -> None:
    """The server refuses every key while its database is away."""
    watch = Watch()
    async with socket_server() as server, stream(print, server, None, watch) as consumer:
        await until(lambda: consumer.connected)
        server.refuse = "Invalid global token"
        await server.stop()
        await server.start()
        before = watch.count(StreamDisconnected)
        await until(lambda: watch.count(StreamDisconnected) > before + 1)
        server.refuse = None
        await until(lambda: consumer.connected)
    assert watch.count(StreamConnected) == 2


async def test_a_server_that_restarts_is_joined_again_and_the_gap_is_known() -> None:
    watch, got = Watch(), []
    async with (
        socket_server(global_events=True) as server,
        stream(got.append, server, None, watch) as consumer,
    ):
        await until(lambda: consumer.connected)
        await server.emit(envelope("ev1", 1))
        await until(lambda: got)
        await server.stop()
        await until(lambda: not consumer.connected)
        server.restart()
        await server.start()
        await until(lambda: consumer.connected)
        await server.emit(envelope("ev1", 2))
        await until(lambda: len(got) == 2)
    first, second = (s for s in watch.states if isinstance(s, StreamConnected))
    assert first.missing_since is None
    assert second.missing_since is not None
    assert first.at <= second.missing_since <= second.at


async def test_pings_keep_it_young() -> None:
    """The age is that of the last sign of life, not of the last event."""
    async with socket_server() as server, stream(print, server, None) as consumer:
        assert consumer.age_ms is None
        await until(lambda: consumer.connected)
        heard = consumer._alive_at
        await until(lambda: consumer._alive_at != heard)
        assert consumer.age_ms is not None


async def test_a_path_before_the_server_is_kept() -> None:
    async with socket_server(path="evolution/socket.io") as server:
        consumer = stream(print, server, None, url=f"{server.url}/evolution")
        async with consumer:
            await until(lambda: consumer.connected)


async def test_the_transports_asked_for_are_used() -> None:
    async with (
        socket_server() as server,
        stream(print, server, None, transports=["websocket"]) as consumer,
    ):
        await until(lambda: consumer.connected)
        assert {request.query["transport"] for request in server.asked} == {"websocket"}


async def test_what_is_done_before_connecting_is_done_each_time() -> None:
    calls: list[str] = []
    watch = Watch()

    async def subscribe() -> None:
        calls.append("subscribe")
        if len(calls) == 1:
            raise ValueError("the API is away")

    async with (
        socket_server() as server,
        stream(print, server, None, watch, before_connect=subscribe) as consumer,
    ):
        await until(lambda: consumer.connected)
        assert len(calls) == 2
    (failed, _stopped) = (s for s in watch.states if isinstance(s, StreamDisconnected))
    assert failed.reason == "before_connect raised ValueError"


async def test_a_handler_that_raises_is_reported_and_the_next_event_handled() -> None:
    failed: list[Any] = []
    got: list[str] = []

    def handle(event: Any) -> None:
        if event.id == "M1":
            raise ValueError("no")
        got.append(event.id)

    async with (
        socket_server(global_events=True) as server,
        stream(handle, server, None, on_failure=lambda *told: failed.append(told)) as consumer,
    ):
        await until(lambda: consumer.connected)
        await server.emit(envelope("ev1", 1))
        await server.emit(envelope("ev1", 2))
        await until(lambda: got == ["M2"])
    assert [(event.id, type(error)) for event, error in failed] == [("M1", ValueError)]
    assert consumer.failures == 1


async def test_more_than_can_wait_is_dropped_and_reported() -> None:
    watch, done, may_end = Watch(), [], asyncio.Event()

    async def handle(event: Any) -> None:
        await may_end.wait()
        done.append(event.id)

    options = {"max_pending": 3, "max_concurrency": 2}
    async with (
        socket_server(global_events=True) as server,
        stream(handle, server, None, watch, **options) as consumer,
    ):
        await until(lambda: consumer.connected)
        for number in range(5):
            await server.emit(envelope("ev1", number, chat=number))
        await until(lambda: watch.count(EventsDropped) == 2)
        assert consumer.pending == 3
        may_end.set()
    assert sorted(done) == ["M0", "M1", "M2"], "what was begun or waits is finished at the end"


async def test_concurrency_is_bounded() -> None:
    running, most, may_end = 0, 0, asyncio.Event()

    async def handle(_event: Any) -> None:
        nonlocal running, most
        running += 1
        most = max(most, running)
        await may_end.wait()
        running -= 1

    intake = EventConsumer(handle)
    async with (
        socket_server(global_events=True) as server,
        stream(intake, server, None, max_concurrency=2) as consumer,
    ):
        await until(lambda: consumer.connected)
        for number in range(6):
            await server.emit(envelope("ev1", number, chat=number))
        await until(lambda: consumer.pending == 6)
        may_end.set()
        await until(lambda: intake.handled == 6)
    assert most == 2


async def test_a_server_that_is_not_there_is_tried_again() -> None:
    watch = Watch()
    consumer = SocketStream(print, "http://127.0.0.1:1", KEY, on_state=watch, reconnect=NOW)
    async with consumer:
        await until(lambda: watch.count(StreamDisconnected) >= 2)
    assert KEY not in json.dumps([str(state) for state in watch.states])


@pytest.mark.parametrize("name", ["max_pending", "max_concurrency"])
def test_limits_are_positive(name: str) -> None:
    with pytest.raises(ConfigurationError) as caught:
        SocketStream(print, "http://x", KEY, **{name: 0})  # type: ignore[arg-type]  # by name
    assert caught.value.variable == name
