"""Nothing that goes on beside a send may change its outcome: neither raise, nor send it again."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from clients.conftest import KEY, URL, Kit
from clients.fake_stage import NUMBER, Stage
from evolution_sdk import EvolutionConfig
from evolution_sdk.errors import RateLimitError, ServerError

COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])


class Sabotage(BaseException):
    """Not even an Exception."""


FAILURES = pytest.mark.parametrize(
    "failure",
    [ValueError("x"), Sabotage(), SystemExit(1), GeneratorExit()],
    ids=lambda e: type(e).__name__,
)


def _failing(failure: BaseException) -> Callable[..., Any]:
    def fail(*_: Any) -> None:
        raise failure

    return fail


class _FailingHandler(logging.Handler):
    def __init__(self, failure: BaseException) -> None:
        super().__init__()
        self.failure = failure
        self.lines = 0

    def handle(self, record: logging.LogRecord) -> bool:
        self.lines += 1
        raise self.failure


@pytest.fixture
def failing_log() -> Iterator[Callable[[BaseException], _FailingHandler]]:
    logger = logging.getLogger("evolution_sdk")
    added: list[_FailingHandler] = []
    before = logger.level

    def add(failure: BaseException) -> _FailingHandler:
        logger.setLevel(logging.DEBUG)
        added.append(_FailingHandler(failure))
        logger.addHandler(added[-1])
        return added[-1]

    yield add
    logger.setLevel(before)
    for handler in added:
        logger.removeHandler(handler)


def _stage(colour: str) -> Stage:
    stage = Stage(Kit(colour))
    stage.open_instance()
    return stage


async def _sent_once(stage: Stage, client: Any) -> None:
    sent = await stage.kit.run(client.messages.send_text(NUMBER, "oi"))
    assert [message.key_id for message in stage.fake.sent] == [sent.id]


@COLOURS
@FAILURES
async def test_observers_and_handlers_that_fail(colour: str, failure: BaseException) -> None:
    stage = _stage(colour)
    client = stage.client(config=EvolutionConfig(URL, KEY, breaker={"enabled": True}))
    client.observe(_failing(failure))
    client.retry.on("success", _failing(failure))
    client.on_breaker_change(_failing(failure))
    await _sent_once(stage, client)


@COLOURS
@FAILURES
async def test_a_log_that_fails(
    colour: str, failure: BaseException, failing_log: Callable[[BaseException], _FailingHandler]
) -> None:
    handler = failing_log(failure)
    stage = _stage(colour)
    await _sent_once(stage, stage.client())
    assert handler.lines > 0


@COLOURS
@FAILURES
async def test_a_log_that_fails_while_an_answer_drifts(
    kit_of: Callable[[str], Kit],
    colour: str,
    failure: BaseException,
    failing_log: Callable[[BaseException], _FailingHandler],
) -> None:
    """The drift is reported between the answer and the return."""
    handler = failing_log(failure)
    kit = kit_of(colour)
    kit.stub.default = (201, {"key": {"id": "A"}, "status": 5})
    sent = await kit.run(kit.client().messages.send_text(NUMBER, "oi"))
    assert sent.id == "A"
    assert len(kit.stub.requests) == 1
    assert handler.lines > 0


@COLOURS
@pytest.mark.parametrize("book", ["answered", "learn"])
async def test_books_that_fail(
    kit_of: Callable[[str], Kit], colour: str, book: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = kit_of(colour)
    kit.stub.default = (201, {"key": {"id": "A"}})
    client = kit.client()
    monkeypatch.setattr(client._pipeline.parts.reconciler, book, _failing(RuntimeError("full")))
    sent = await kit.run(client.messages.send_text(NUMBER, "oi"))
    assert sent.id == "A"
    assert len(kit.stub.requests) == 1


@COLOURS
async def test_metrics_that_fail(
    kit_of: Callable[[str], Kit], colour: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kit = kit_of(colour)
    kit.stub.default = (201, {"key": {"id": "A"}})
    client = kit.client()
    monkeypatch.setattr(client.retry._registry, "succeeded_at_once", _failing(OverflowError()))
    sent = await kit.run(client.messages.send_text(NUMBER, "oi"))
    assert sent.id == "A"
    assert len(kit.stub.requests) == 1


@COLOURS
async def test_the_users_interrupt_gets_out(colour: str) -> None:
    stage = _stage(colour)
    client = stage.client()
    client.observe(_failing(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        await stage.kit.run(client.messages.send_text(NUMBER, "oi"))


RETRY_AFTER = ["-inf", "inf", "nan", "1e400", "-1e400", "9" * 400, "-5", "1e308", "٣", "x", "\x00"]
RETRY_AFTER += [
    "Fri, 31 Dec 9999 23:59:59 -2359",
    "Mon, 01 Jan 0001 00:00:00 +2359",
    "Mon, 01 Jan 99999 00:00:00 GMT",
    "Thu, 32 Foo 2026 25:61:61 GMT",
]


@COLOURS
@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("told", RETRY_AFTER)
async def test_any_retry_after_is_our_error(
    kit_of: Callable[[str], Kit], colour: str, status: int, told: str
) -> None:
    kit = kit_of(colour)
    kit.stub.default = (status, {"error": "busy"}, {"retry-after": told, "date": told})
    with pytest.raises((RateLimitError, ServerError)) as caught:
        await kit.run(kit.client().chats.find(retry=False))
    assert caught.value.retry_after_ms is None or caught.value.retry_after_ms >= 0


@COLOURS
@pytest.mark.parametrize("told", RETRY_AFTER)
async def test_any_date_and_retry_after_of_a_send_that_worked(
    kit_of: Callable[[str], Kit], colour: str, told: str
) -> None:
    kit = kit_of(colour)
    kit.stub.default = (201, {"key": {"id": "A"}}, {"retry-after": told, "date": told})
    client = kit.client()
    sent = await kit.run(client.messages.send_text(NUMBER, "oi"))
    assert sent.id == "A"
    now = client._pipeline.ports.moment()
    assert client._pipeline.parts.reconciler.clock.zone(now, now).since <= now.wall


@pytest.fixture
def kit_of() -> Callable[[str], Kit]:
    return Kit
