"""Every request leaves one line and one count; what becomes of its event leaves another."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from evolution_sdk.errors import EvolutionError
from evolution_sdk.events import Event
from evolution_sdk.monitor.export import PrometheusCollector
from evolution_sdk.retry import EvolutionRetryService
from evolution_sdk.webhooks import MemoryInbox, WebhookReceiver
from evolution_sdk.webhooks.responses import ANSWERS, Answer

from .conftest import JSON, NOW, Kit, posted

NUMBER = "5511987654321"
TEXT = "a very private text"
JWT_KEY = "a-key-of-sixteen-bytes"


class Broken(MemoryInbox):
    def add(self, entry: Any, now: float) -> Any:
        raise OSError(TEXT)


def private(**more: Any) -> bytes:
    return posted(chat=f"{NUMBER}@s.whatsapp.net", **more).replace(b"text 1", TEXT.encode())


ASK: dict[Answer, tuple[dict[str, Any], tuple[str, dict[str, str], bytes]]] = {
    Answer.ACCEPTED: ({}, ("POST", JSON, private())),
    Answer.IGNORED: ({"router": None}, ("POST", JSON, private())),
    Answer.NOT_POST: ({}, ("GET", JSON, b"")),
    Answer.SIGNATURE: ({"jwt_key": JWT_KEY}, ("POST", JSON, private())),
    Answer.SECRET: (
        {"secret_headers": {"x-secret": "s3cret"}},
        ("POST", {**JSON, "x-secret": "wr0ng"}, private()),
    ),
    Answer.APIKEY: ({"apikeys": "t0ken"}, ("POST", JSON, private(apikey="wr0ng"))),
    Answer.SERVER_URL: (
        {"server_url": "https://ours.example.com"},
        ("POST", JSON, private(server_url="https://theirs.example.com")),
    ),
    Answer.TOO_LARGE: ({"max_body_bytes": 10}, ("POST", JSON, private())),
    Answer.UNREADABLE: ({}, ("POST", JSON, b"{")),
    Answer.UNSTORED: ({"inbox": Broken()}, ("POST", JSON, private())),
    Answer.BUSY: (
        {"max_body_bytes": 5_000, "max_unfinished_bytes": 10_000},
        ("POST", JSON, private()),
    ),
}


def own(records: list[logging.LogRecord]) -> list[Any]:
    return [
        each
        for each in records
        if each.name == "evolution_sdk.webhooks" and hasattr(each, "result")
    ]


@pytest.fixture(autouse=True)
def everything_is_logged(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    caplog.set_level(logging.DEBUG, "evolution_sdk")
    yield
    for secret in (TEXT, NUMBER, "s3cret", "wr0ng", "t0ken", JWT_KEY):
        assert secret not in caplog.text


def receiver_of(kit: Kit, answer: Answer) -> WebhookReceiver:
    from evolution_sdk.events import EventRouter

    options = dict(ASK[answer][0])
    if "router" in options:
        options["router"] = EventRouter()
    return kit.receiver(**options)


@pytest.mark.parametrize("answer", ASK)
def test_one_line_and_one_count_for_each_answer(
    answer: Answer, kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = receiver_of(kit, answer)
    method, headers, body = ASK[answer][1]
    with receiver.budget.lease() as lease:
        if answer is Answer.BUSY:
            assert lease.add(10_000)
        status, _, told = receiver.handle(method, "/evolution", headers, body)
    assert (status, json.loads(told)["status"]) == (ANSWERS[answer].status, answer.value)
    (record,) = [each for each in own(caplog.records) if each.result != "handled"]
    numbers = receiver.metrics()
    if status == 200:
        assert (record.levelname, record.result) == ("DEBUG", answer.value)
        assert (record.event, record.instance, record.event_id) == (
            "messages.upsert", "sales", "ID1",
        )  # fmt: skip
        assert record.size == len(body)
        assert record.queue_depth in (0, 1)
        assert dict(numbers.rejected) == {}
    else:
        assert (record.levelname, record.result) == ("WARNING", "refused")
        assert (record.reason, record.status) == (answer.value, status)
        assert f"reason={answer.value}" in record.getMessage()
        assert dict(numbers.rejected) == {answer.value: 1}
    assert numbers.accepted + numbers.ignored + sum(numbers.rejected.values()) == 1


def test_a_copy_and_the_end_of_the_receiver(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    receiver = kit.receiver()
    for _ in range(2):
        kit.post(receiver)
    receiver.drain()
    receiver.close()
    kit.post(receiver)
    told = [(each.levelname, each.result) for each in own(caplog.records)]
    assert told.count(("DEBUG", "accepted")) == 1
    assert told.count(("DEBUG", "duplicate")) == 1
    assert told.count(("INFO", "refused")) == 1, "an end is planned"


def test_refusals_fill_no_log_and_are_counted(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    receiver = kit.receiver(jwt_key=JWT_KEY)
    now = [0.0]
    receiver._requests._log._trouble._clock = lambda: now[0]
    for _ in range(50):
        assert kit.post(receiver) == 412
        now[0] += 1
    now[0] += 60
    kit.post(receiver)
    lines = [each.getMessage() for each in own(caplog.records)]
    assert len(lines) == 2
    assert lines[1].endswith("(49 more times since the last line)")
    assert dict(receiver.metrics().rejected) == {"signature": 51}


def test_what_becomes_of_an_event(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    receiver = kit.receiver()
    receiver._runner.steady = iter([10.0, 10.25]).__next__
    kit.clock.now = NOW
    kit.post(receiver)
    receiver.drain()
    (record,) = [each for each in own(caplog.records) if each.result == "handled"]
    assert (record.levelname, record.attempt, record.took_ms, record.waited_ms) == (
        "DEBUG", 1, 250.0, 0.0,
    )  # fmt: skip
    numbers = receiver.metrics()
    assert (numbers.handled, numbers.handling_ms, numbers.retried) == (1, 250.0, 0)


def test_a_handler_that_fails_is_retried_and_then_dead_lettered(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: Event[Any]) -> None:
        raise RuntimeError(TEXT)

    kit.router.add(broken, Event, name="broken")
    retry = EvolutionRetryService(3, 1, sleep=lambda _: None)
    receiver = kit.receiver(retry=retry)
    kit.post(receiver)
    receiver.drain()
    told = [(each.levelname, each.result, each.attempt) for each in own(caplog.records)[1:]]
    assert told == [("INFO", "retried", 2), ("INFO", "retried", 3), ("WARNING", "dead_letter", 3)]
    (dead,) = receiver.dead_letters()
    last = own(caplog.records)[-1]
    assert (last.dead_letter, last.error) == (dead.id, "RuntimeError")
    (place,) = [each for each in caplog.records if each.levelname == "ERROR"]
    line = broken.__code__.co_firstlineno + 1
    assert f"a handler of 'messages.upsert' raised RuntimeError at {__file__}:{line}" in (
        place.getMessage()
    )
    numbers = receiver.metrics()
    assert (numbers.failed, numbers.retried, numbers.handled) == (1, 2, 0)


async def test_the_same_lines_in_a_loop(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    async def broken(_: Event[Any]) -> None:
        raise ValueError(TEXT)

    kit.router.add(broken, Event, name="broken")
    receiver = kit.receiver()
    status, _, _ = await receiver.handle_async("POST", "/", JSON, posted())
    assert status == 200
    await receiver.drain_async()
    assert [each.result for each in own(caplog.records)] == ["accepted", "dead_letter"]
    assert receiver.metrics().handling_ms >= 0
    await receiver.close_async()


def test_an_id_that_may_be_a_number_is_not_shown(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    receiver = kit.receiver()
    body = json.loads(posted())
    body["data"]["key"]["id"] = NUMBER
    kit.post(receiver, json.dumps(body).encode())
    assert own(caplog.records)[0].event_id is None


def test_nothing_is_formatted_where_nobody_reads(
    kit: Kit, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "evolution_sdk")

    def refuse(_: object) -> None:
        raise AssertionError("formatted")

    monkeypatch.setattr("evolution_sdk.webhooks.delivery_log._fields", refuse)
    receiver = kit.receiver()
    assert kit.post(receiver) == 200
    receiver.drain()
    assert receiver.metrics().handled == 1


def test_a_logger_that_raises_changes_no_answer(kit: Kit, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise EvolutionError("no")

    monkeypatch.setattr("evolution_sdk.webhooks.delivery_log._fields", refuse)
    receiver = kit.receiver()
    assert kit.post(receiver) == 200
    receiver.drain()
    assert receiver.metrics().handled == 1


def test_all_of_it_is_exported(kit: Kit) -> None:
    receiver = kit.receiver(secret_headers={"x-secret": "s3cret"})
    kit.post(receiver, x_secret="s3cret")
    kit.post(receiver, x_secret="s3cret")
    kit.post(receiver)
    receiver.drain()
    collector = PrometheusCollector(receiver=receiver)
    found = {
        (sample.name, *sample.labels.values()): sample.value
        for family in collector.collect()
        for sample in family.samples
    }
    assert found["evolution_webhook_requests_total", "accepted"] == 1
    assert found["evolution_webhook_requests_total", "duplicate"] == 1
    assert found["evolution_webhook_requests_total", "secret"] == 1
    assert found["evolution_webhook_events_total", "handled"] == 1
    assert found["evolution_webhook_queue_depth",] == 0
    assert found["evolution_webhook_dead_letters",] == 0


@pytest.mark.parametrize("field", ["event", "instance"])
@pytest.mark.parametrize("odd", ["a\nCRITICAL root forged", "a\x1b[31m", "a\u2028b", "x" * 5_000])
def test_names_write_no_lines_of_their_own(
    field: str, odd: str, kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever may post chooses them; the event of a refused request, too."""
    receiver = kit.receiver(apikeys="t0ken")
    for apikey in ("wr0ng", "t0ken"):
        kit.post(receiver, posted(apikey=apikey, **{field: odd}))
    receiver.drain()
    for record in own(caplog.records):
        assert record.getMessage().isprintable()
        assert len(record.getMessage()) < 500
