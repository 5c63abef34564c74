"""A lost send is found, and never doubled, whatever the clocks and proxies say."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from email.utils import formatdate
from typing import Any

import pytest

from evolution_sdk import EvolutionConfig, RetryPolicy, SendOutcomeUnknownError

from .conftest import KEY, URL, world_of
from .fake_stage import BUSINESS, NUMBER, Stage

ONCE = RetryPolicy(max_attempts=2, delay_ms=1, jitter="none")
DATES = {
    "8 s ahead": 8,
    "a minute ahead": 60,
    "an hour ahead": 3_600,
    "a minute behind": -60,
    "an hour behind": -3_600,
    "year 9999": "Fri, 31 Dec 9999 23:59:59 GMT",
    "beyond": "Fri, 31 Dec 9999 23:59:59 -2359",
    "year 1": "Mon, 01 Jan 0001 00:00:00 GMT",
    "before": "Mon, 01 Jan 0001 00:00:00 +2359",
    "no date": "yesterday",
}
dates = pytest.mark.parametrize("date", DATES.values(), ids=DATES.keys())


def proxied(stage: Stage, date: float | str | None) -> None:
    """Put a proxy in front, which writes ``Date`` by a clock of its own."""
    handle = stage.fake.kernel.handle

    def dated(*request: Any) -> Any:
        reply = handle(*request)
        if date is None:
            return reply
        told = date if isinstance(date, str) else formatdate(stage.kit.time.now + date, usegmt=True)
        return replace(reply, headers=(*reply.headers, ("date", told)))

    stage.fake.kernel.handle = dated  # type: ignore[method-assign]  # a proxy before the real one


async def sent(stage: Stage, client: Any, text: str, **options: Any) -> Any:
    return await stage.kit.run(client.messages.send_text(NUMBER, text, **options))


async def unknown(stage: Stage, client: Any, text: str, **options: Any) -> SendOutcomeUnknownError:
    with pytest.raises(SendOutcomeUnknownError) as caught:
        await sent(stage, client, text, **options)
    return caught.value


@dates
@pytest.mark.parametrize("answered_before", [True, False], ids=["known", "first send"])
async def test_a_proxys_date_never_doubles_a_send(
    stage: Stage, date: float | str, answered_before: bool
) -> None:
    stage.open_instance()
    proxied(stage, date)
    client = stage.client()
    if answered_before:
        await sent(stage, client, "antes")
        stage.kit.time.now += 40
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    found = await sent(stage, client, "olá", on_unknown="resend", retry=ONCE)
    assert found.evidence == "store"
    stage.fake.assert_sent_times(1, text="olá")


@dates
@pytest.mark.parametrize("answered_before", [True, False], ids=["known", "first send"])
async def test_a_proxys_date_does_not_stop_a_send_that_is_surely_absent(
    stage: Stage, date: float | str, answered_before: bool
) -> None:
    stage.open_instance()
    proxied(stage, date)
    client = stage.client()
    if answered_before:
        await sent(stage, client, "antes")
    stage.fake.faults.add("message.send_text", "drop", count=1)
    assert not (await sent(stage, client, "olá", on_unknown="resend", retry=ONCE)).reconciled
    stage.fake.assert_sent_times(1, text="olá")


@pytest.mark.parametrize("ours", [-7_200, -30, 30, 7_200])
@pytest.mark.parametrize("channel", ["WHATSAPP-BAILEYS", BUSINESS])
async def test_the_servers_own_time_finds_what_our_clock_and_the_date_would_miss(
    stage: Stage, ours: float, channel: str
) -> None:
    """Baileys cuts its seconds, Business rounds them."""
    stage.open_instance(channel)
    proxied(stage, 8)
    client = stage.client()
    world_of(client).wall = lambda: stage.kit.time.now + ours
    await sent(stage, client, "antes")
    for part in (0.05, 0.45, 0.55, 0.95):
        stage.kit.time.now = float(int(stage.kit.time.now) + 20) + part
        stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
        found = await sent(stage, client, f"olá {part}", on_unknown="resend", retry=ONCE)
        assert found.evidence == "store"
    assert len(stage.fake.sent) == 5


@pytest.mark.parametrize("step", [-3_600, -20, 20, 3_600])
@pytest.mark.parametrize("fault", ["answer_then_drop", "drop"])
async def test_our_clock_may_be_set_while_a_send_is_under_way(
    stage: Stage, step: float, fault: str
) -> None:
    stage.open_instance()
    client = stage.client()
    stepped = 0.0
    world_of(client).wall = lambda: stage.kit.time.now + stepped
    await sent(stage, client, "antes")

    def before(_: str, target: str) -> None:
        nonlocal stepped
        stepped = step if "sendText" in target else stepped

    stage.before = before  # type: ignore[method-assign]  # a hook of the stage
    stage.fake.faults.add("message.send_text", fault, count=1)
    found = await sent(stage, client, "olá", on_unknown="resend", retry=ONCE)
    assert found.reconciled is (fault == "answer_then_drop")
    stage.fake.assert_sent_times(1, text="olá")


@pytest.mark.parametrize("step", [-3_600, -60])
@pytest.mark.parametrize("wait_ms", [0, 3_000])
async def test_a_step_of_the_servers_clock_doubles_nothing(
    stage: Stage, step: float, wait_ms: int
) -> None:
    """What was learned of it is stale; its own Date shows that, and makes absence no proof."""
    stage.open_instance()
    proxied(stage, 0)
    config = EvolutionConfig(URL, KEY, retry={"reconcile_wait_ms": wait_ms})
    client = stage.client(config=config)
    await sent(stage, client, "antes")
    now = stage.kit.time
    world_of(client).wall = world_of(client).mono = lambda: now() - step
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    error = await unknown(stage, client, "olá", on_unknown="resend", retry=ONCE)
    assert "clocks" in error.checked
    stage.fake.assert_sent_times(1, text="olá")


@pytest.mark.parametrize("date", [None, 0, 8], ids=["no date", "right date", "wrong date"])
async def test_an_old_equal_text_is_neither_found_nor_passed_over_while_no_clock_is_known(
    stage: Stage, date: float | None
) -> None:
    """Another process sent it an hour ago; which of the two it is only the server's time tells."""
    stage.open_instance()
    proxied(stage, date)
    await sent(stage, stage.client(), "lembrete")
    stage.kit.time.now += 3_600
    client = stage.client()
    stage.fake.faults.add("message.send_text", "drop", count=1)
    error = await unknown(stage, client, "lembrete", on_unknown="resend", retry=ONCE)
    assert "clocks" in error.checked
    stage.fake.assert_sent_times(1, text="lembrete")
    # Once an answer has told the server's time, the old one is surely old.
    await sent(stage, client, "outra")
    for fault, reconciled in (("drop", False), ("answer_then_drop", True)):
        stage.kit.time.now += 60
        stage.fake.faults.add("message.send_text", fault, count=1)
        done = await sent(stage, client, "lembrete", on_unknown="resend", retry=ONCE)
        assert done.reconciled is reconciled
    stage.fake.assert_sent_times(3, text="lembrete")


@pytest.mark.parametrize("behind", [-4, 4])
async def test_clocks_a_few_seconds_apart_are_no_reason_for_doubt(
    stage: Stage, behind: float
) -> None:
    """The first send of a client, with nothing but our own clock to go by."""
    stage.open_instance()
    client = stage.client()
    world_of(client).wall = lambda: stage.kit.time.now + behind
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)
    assert (await sent(stage, client, "olá")).evidence == "store"


@pytest.mark.parametrize("more", [False, True])
async def test_more_messages_than_can_be_read_prove_nothing(
    monkeypatch: pytest.MonkeyPatch, stage: Stage, more: bool
) -> None:
    """A busy chat: the message may be among those that no page showed."""
    for name in ("_PAGE_SIZE", "_MOST_PAGES"):
        monkeypatch.setattr(f"evolution_sdk._{stage.kit.colour}.send_search.{name}", 2)
    stage.open_instance()
    client = stage.client()
    for number in range(5 if more else 3):
        await sent(stage, client, f"outra {number}")
    stage.fake.faults.add("message.send_text", "drop", count=1)
    options: dict[str, Any] = {"on_unknown": "resend", "retry": ONCE}
    if more:
        error = await unknown(stage, client, "olá", **options)
        assert "more messages than could be read" in error.checked
    else:
        assert not (await sent(stage, client, "olá", **options)).reconciled
    stage.fake.assert_sent_times(0 if more else 1, text="olá")


async def test_a_busy_instance_that_cannot_be_read_to_its_end_proves_nothing(
    monkeypatch: pytest.MonkeyPatch, stage: Stage
) -> None:
    """The server keeps the recipient under a hidden id, so that all of the instance is searched."""
    for name in ("_PAGE_SIZE", "_MOST_PAGES"):
        monkeypatch.setattr(f"evolution_sdk._{stage.kit.colour}.send_search.{name}", 2)
    stage.open_instance()
    stage.fake.resolve(NUMBER, "99887766554433@lid")
    stage.fake.faults.add("chat.check_whatsapp_numbers", "status", status=400, body={})
    stage.fake.faults.add("message.send_text", "answer_then_drop", count=1)

    def before(_: str, target: str) -> None:
        """Let another client send to somebody else, between the lost send and the first look."""
        if "/chat/findMessages/" in target:
            stage.before = Stage.before.__get__(stage)  # type: ignore[method-assign]  # only once
            stage.kit.time.now += 1  # the store shows the newest first
            with stage.fake.http_client() as http:
                for number in range(5):
                    body = {"number": "5531987654321", "text": f"outra {number}"}
                    http.post(f"{URL}/message/sendText/sales", json=body, headers={"apikey": KEY})

    stage.before = before  # type: ignore[method-assign]  # a hook of the stage
    error = await unknown(stage, stage.client(), "olá", on_unknown="resend", retry=ONCE)
    assert "more messages than could be read" in error.checked
    stage.fake.assert_sent_times(1, text="olá")
    assert len(stage.fake.sent) == 6


@pytest.mark.parametrize(
    ("answered_before", "back_s"), [(True, 6.5), (False, 6.0)], ids=["known", "first send"]
)
async def test_a_look_reaches_back_to_all_that_may_be_the_sends(
    stage: Stage, answered_before: bool, back_s: float
) -> None:
    """What no clock excludes must be read, for what is not read counts as absent.

    Five seconds where clocks prove nothing, one because the server's seconds are whole, and half a
    one because some channels round them.
    """
    stage.open_instance()
    client = stage.client()
    if answered_before:
        await sent(stage, client, "antes")
        stage.kit.time.now += 10
    begun = stage.kit.time.now
    stage.fake.faults.add("message.send_text", "drop", count=1)
    await unknown(stage, client, "olá")
    looks = [one.json["where"] for one in stage.arrived if "/chat/findMessages/" in one.path]
    since = [where["messageTimestamp"]["gte"] for where in looks if "messageTimestamp" in where]
    assert since
    for moment in since:
        assert datetime.fromisoformat(moment).timestamp() <= begun - back_s
