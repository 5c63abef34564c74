from __future__ import annotations

import asyncio
import dataclasses
import inspect
import logging
import threading
from typing import Any

import pytest
from retry_kit import FakeClock, Script, both, failure, service

from evolution_sdk._base.effect import Effect, Phase
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.retry import FailureEvent, RetryEvent, StopReason, SuccessEvent
from evolution_sdk.retry.background import spawn
from evolution_sdk.retry.service import runner_of

EVENTS: list[Any] = ["success", "retry", "failure"]


def listened(retry: Any) -> list[Any]:
    heard: list[Any] = []
    for event in EVENTS:
        retry.on(event, heard.append)
    return heard


@both
def test_success_after_retries(colour: Any) -> None:
    retry, lost = service(clock=FakeClock()), failure(Phase.NOT_SENT)
    heard = listened(retry)
    foreign = OSError("secret")
    colour.execute(retry, Script([lost, foreign, 1]), "send")
    assert heard == [
        RetryEvent("send", 1, 1_000, lost, Phase.NOT_SENT),
        RetryEvent("send", 2, 2_000, foreign, None),
        SuccessEvent("send", 3, pytest.approx(3_000)),
    ]
    assert "secret" not in repr(heard)


@both
def test_failure(colour: Any) -> None:
    retry, error = service(), failure(Phase.ANSWERED)
    heard = listened(retry)
    with pytest.raises(type(error)):
        colour.run(retry, Script([error]), "send", effect=Effect.DESTRUCTIVE)
    assert heard == [FailureEvent("send", 1, 0.0, error, StopReason.NOT_SAFE)]


def test_an_event_is_frozen() -> None:
    for event in (SuccessEvent("a", 1, 2.0), RetryEvent("a", 1, 2, OSError(), None)):
        with pytest.raises(dataclasses.FrozenInstanceError):
            event.operation = "b"  # type: ignore[misc]


@both
def test_a_handler_that_raises_is_counted_and_harms_nobody(
    colour: Any, caplog: pytest.LogCaptureFixture
) -> None:
    retry = service()

    @retry.on("success")
    def broken(_: SuccessEvent) -> None:
        raise RuntimeError("secret")

    heard = listened(retry)
    assert colour.execute(retry, lambda: "sent", "send") == "sent"
    assert [type(event) for event in heard] == [SuccessEvent]
    assert retry.get_metrics("send").handler_errors == retry.get_metrics().handler_errors == 1
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]
    assert record.getMessage().startswith("a listener of 'success' raised RuntimeError at ")
    code = broken.__code__
    assert record.error_file == code.co_filename == __file__  # type: ignore[attr-defined]
    assert record.error_line == code.co_firstlineno + 2  # type: ignore[attr-defined]
    assert f"{__file__}:{code.co_firstlineno + 2}" in record.getMessage()
    assert record.operation == "send"  # type: ignore[attr-defined]
    assert "secret" not in caplog.text


@both
def test_a_handler_that_raises_at_failure_does_not_hide_the_error(colour: Any) -> None:
    retry = service()
    retry.on("failure", lambda _: 1 / 0)
    retry.on("retry", lambda _: 1 / 0)
    with pytest.raises(OSError) as caught:
        colour.execute(retry, Script([OSError()]))
    assert caught.value.__context__ is None
    assert retry.get_metrics().handler_errors == 3


def test_an_interrupt_in_a_handler_gets_out() -> None:
    retry = service()

    @retry.on("success")
    def stop(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        retry.execute_with_retry_sync(lambda: 1, "send")
    assert retry.get_metrics().successful_operations == 1
    assert retry.get_active_requests() == 0


def test_on_returns_the_handler_and_off_removes_it() -> None:
    retry = service()
    heard: list[Any] = []

    def handler(event: SuccessEvent) -> None:
        heard.append(event)

    assert retry.on("success", handler) is handler
    assert retry.on("success")(handler) is handler
    assert retry._subscribers.wants("success")
    assert not retry._subscribers.wants("retry")
    retry.execute_with_retry_sync(lambda: 1, "send")
    assert len(heard) == 1  # subscribed twice, called once
    retry.remove_listener("success", handler)
    retry.remove_listener("success", handler)
    retry.remove_listener("failure", handler)
    assert not retry._subscribers.wants("success")
    retry.execute_with_retry_sync(lambda: 1, "send")
    assert len(heard) == 1


def test_a_handler_may_unsubscribe_itself() -> None:
    retry = service()
    heard: list[Any] = []

    @retry.on("success")
    def once(event: SuccessEvent) -> None:
        heard.append(event)
        retry.remove_listener("success", once)

    for _ in range(3):
        retry.execute_with_retry_sync(lambda: 1, "send")
    assert len(heard) == 1


@pytest.mark.parametrize("name", ["succes", "error", "new_listener", ""])
def test_an_unknown_event_is_refused(name: Any) -> None:
    for call in (service().on, service().once, service().remove_listener):
        with pytest.raises(ConfigurationError, match="success, retry, failure"):
            call(name, print)
    with pytest.raises(ConfigurationError, match="success, retry, failure"):
        service().listeners(name)


def test_a_handler_that_cannot_be_called_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="callable"):
        service().on("success", 5)  # type: ignore[call-overload]


async def test_async_handlers_are_scheduled_and_may_fail() -> None:
    retry = service()
    heard: list[Any] = []
    done = asyncio.Event()

    @retry.on("success")
    async def slow(event: SuccessEvent) -> None:
        await asyncio.sleep(0)
        heard.append(event)
        done.set()

    @retry.on("success")
    async def broken(_: SuccessEvent) -> None:
        raise RuntimeError

    async def send() -> int:
        return 1

    assert await retry.execute_with_retry(send, "send") == 1
    assert heard == []
    assert len(retry._subscribers._emitter._running) == 2  # the loop alone would let go of them
    await done.wait()
    assert len(heard) == 1
    assert retry.get_metrics("send").handler_errors == 1
    await asyncio.sleep(0)
    assert not retry._subscribers._emitter._running


def test_an_async_handler_without_a_loop_is_named_and_counts_as_an_error(
    caplog: pytest.LogCaptureFixture,
) -> None:
    retry = service()
    heard: list[Any] = []

    @retry.on("success")
    async def tell_nobody(event: SuccessEvent) -> None:
        heard.append(event)

    retry.on("success", heard.append)
    for _ in range(2):
        assert retry.execute_with_retry_sync(lambda: 1, "send") == 1
    assert retry.get_metrics().handler_errors == 2
    assert [type(event) for event in heard] == [SuccessEvent, SuccessEvent]
    (record,) = [each for each in caplog.records if each.levelname == "ERROR"]  # once a minute
    text = record.getMessage()
    line = tell_nobody.__code__.co_firstlineno
    assert text.startswith("a listener of 'success' is async and was not run")
    assert f"tell_nobody at {__file__}:{line}" in text
    assert "Subscribe a plain function, or make the call async" in text
    assert "RuntimeError" not in text
    assert record.operation == "send"  # type: ignore[attr-defined]


@both
def test_once_hears_one_event(colour: Any) -> None:
    retry = service()
    heard: list[Any] = []
    always: list[Any] = []

    @retry.once("success")
    def first(event: SuccessEvent) -> None:
        heard.append(event)

    retry.on("success", always.append)
    assert retry.listeners("success") == [first, always.append]
    for _ in range(3):
        colour.execute(retry, lambda: 1, "send")
    assert (len(heard), len(always)) == (1, 3)
    assert retry.listeners("success") == [always.append]
    assert retry.once("success", first) is first
    assert retry.remove_listener("success", first)
    assert not retry.remove_listener("success", first)
    colour.execute(retry, lambda: 1, "send")
    assert len(heard) == 1


def test_on_after_once_is_for_good_and_once_after_on_changes_nothing() -> None:
    retry = service()
    heard: list[Any] = []
    retry.once("success", heard.append)
    retry.on("success", heard.append)
    retry.once("success", heard.append)
    for _ in range(3):
        retry.execute_with_retry_sync(lambda: 1, "send")
    assert len(heard) == 3


def test_once_hears_one_event_of_many_threads() -> None:
    retry = service()
    heard: list[Any] = []
    retry.once("success", heard.append)
    go = threading.Barrier(8)

    def call() -> None:
        go.wait()
        for _ in range(50):
            retry.execute_with_retry_sync(lambda: 1, "send")

    threads = [threading.Thread(target=call) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(heard) == 1
    assert retry.get_metrics("send").successful_operations == 400


# The log


def line_of(record: Any) -> str:
    """The line without the id, which is told apart, and whose fields say the same as its words."""
    text: str = record.getMessage()
    assert text.endswith(f" request_id={record.request_id}")
    assert f"operation={record.operation!r} instance={record.instance!r}" in text
    assert f" attempt={record.attempt} " in text
    if "phase=" in text:
        assert f"phase={record.phase} status={record.status}" in text
        assert f"error={record.error} " in text
    if record.delay_ms is not None:
        assert f"delay_ms={record.delay_ms:.0f}" in text
    if record.elapsed_ms is not None:
        assert f"elapsed_ms={record.elapsed_ms:.0f}" in text
    return text.removesuffix(f" request_id={record.request_id}")


def test_the_library_prints_nothing_of_its_own() -> None:
    handlers = logging.getLogger("evolution_sdk.retry").handlers
    assert any(isinstance(handler, logging.NullHandler) for handler in handlers)


@both
def test_one_line_per_attempt_without_texts(colour: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG, "evolution_sdk.retry")
    limited = failure(Phase.ANSWERED, transient=False)
    limited.args = ("secret",)
    outcomes = [failure(Phase.NOT_SENT), failure(Phase.UNKNOWN)]
    colour.run(service(), Script([*outcomes, 1]), "chat.find", effect=Effect.READ)
    with pytest.raises(type(limited)):
        colour.run(service(), Script([limited]), "chat.find", effect=Effect.READ)
    with pytest.raises(ValueError):
        colour.execute(service(), Script([OSError("secret"), ValueError("secret")]), "mine")
    records: list[Any] = [record for record in caplog.records if "evolution" in record.name]
    ids = [record.request_id for record in records]
    assert ids[:3] == [ids[0]] * 3
    assert len(set(ids)) == 3, "one for each call"
    lines = [line_of(record) for record in records]
    assert lines == [
        (
            "retrying: operation='chat.find' instance=None attempt=1 delay_ms=1000"
            " error=TransportError phase=not_sent status=None"
        ),
        (
            "retrying: operation='chat.find' instance=None attempt=2 delay_ms=2000"
            " error=TransportError phase=unknown status=None"
        ),
        "succeeded: operation='chat.find' instance=None attempt=3 elapsed_ms=3000 found=False",
        (
            "gave up: operation='chat.find' instance=None attempt=1 elapsed_ms=0"
            " reason=not_retryable error=EvolutionAPIError phase=answered status=400"
        ),
        (
            "retrying: operation='mine' instance=None attempt=1 delay_ms=1000"
            " error=OSError phase=None status=None"
        ),
        (
            "retrying: operation='mine' instance=None attempt=2 delay_ms=2000"
            " error=ValueError phase=None status=None"
        ),
        (
            "gave up: operation='mine' instance=None attempt=3 elapsed_ms=3000 reason=exhausted"
            " error=ValueError phase=None status=None"
        ),
    ]


def test_the_log_of_an_unknown_send(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "evolution_sdk.retry")
    with pytest.raises(Exception, match="no way"):
        runner_of(service()).run_sync(Script([failure(Phase.UNKNOWN)]), "send", effect=Effect.SEND)
    assert [line_of(record) for record in caplog.records] == [
        (
            "outcome unknown: operation='send' instance=None attempt=1"
            " error=TransportError phase=unknown status=None"
        ),
        (
            "gave up: operation='send' instance=None attempt=1 elapsed_ms=0 reason=outcome_unknown"
            " error=SendOutcomeUnknownError phase=unknown status=None cause=TransportError"
        ),
    ]


def test_a_first_try_is_only_worth_a_debug_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "evolution_sdk.retry")
    service().execute_with_retry_sync(lambda: 1, "send")
    assert not caplog.records
    caplog.set_level(logging.DEBUG, "evolution_sdk.retry")
    service().execute_with_retry_sync(lambda: 1, "a\nb")
    assert [line_of(record) for record in caplog.records] == [
        r"succeeded: operation='a\nb' instance=None attempt=1 elapsed_ms=0 found=False"
    ]


async def test_an_async_handler_whose_loop_ends_before_its_first_step_is_closed() -> None:
    async def handle() -> None:
        raise AssertionError("never started")

    running: set[asyncio.Task[None]] = set()
    coroutine = handle()
    spawn(coroutine, lambda _: None, running)
    (task,) = running
    task.cancel()
    await asyncio.wait([task])
    assert inspect.getcoroutinestate(coroutine) == inspect.CORO_CLOSED
    assert running == set()
