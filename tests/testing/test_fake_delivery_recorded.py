"""Deliveries of the fake beside those that were recorded of each version."""

from __future__ import annotations

import base64
import itertools
import json
from pathlib import Path
from typing import Any

import pytest
from delivery_stage import PEER, Receiver, ask, hooked

from evolution_sdk.operations.server_version import profile_of
from evolution_sdk.testing import FakeClock, FakeEvolution, WebhookOptions

FACTS = Path(__file__).parents[2] / "facts"
RECORDED = {
    "2.2.3": "versions/2.2.3/webhooks.json",
    "2.3.7": "versions/2.3.7/webhooks.json",
    "2.4-pre": "versions/2.4-pre/webhooks.json",
}
# What belongs to the network of the recording, and not to the event.
OF_THE_WAY = {"content-length", "host"}
MADE_UP = {"authorization", "x-instance-id", "x-timestamp"}


def recorded(file: str) -> Any:
    return json.loads((FACTS / file).read_text(encoding="utf-8"))


def claims(authorization: str) -> dict[str, Any]:
    scheme, _, token = authorization.partition(" ")
    assert scheme == "Bearer"
    head, body, _ = token.split(".")
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "HS256", "typ": "JWT"}
    found: dict[str, Any] = json.loads(base64.urlsafe_b64decode(body + "=="))
    return found


@pytest.mark.parametrize("version", RECORDED)
def test_headers_and_envelope_are_those_of_the_version(version: str) -> None:
    told = recorded(RECORDED[version])
    real = next(each for each in told if each["json"]["event"] == "send.message")
    name = real["json"]["instance"]
    fake, receiver = FakeEvolution(clock=FakeClock(), version=version), Receiver()
    fake.create_instance(name, integration="EVOLUTION")
    row = {
        "enabled": True,
        "url": real["json"]["destination"],
        "events": ["SEND_MESSAGE"],
        "headers": {"x-mine": "1", "jwt_key": "secret"},
    }
    assert ask(fake, "POST", f"/webhook/set/{name}", {"webhook": row}).status_code == 201
    ask(fake, "POST", f"/message/sendText/{name}", {"number": PEER, "text": "Hello"})
    fake.webhooks.deliver(receiver)
    headers = dict(fake.deliveries[0].headers)
    expected = {k: v for k, v in real["headers"].items() if k not in OF_THE_WAY}
    assert list(headers) == list(expected)
    assert {k: v for k, v in headers.items() if k not in MADE_UP} == {
        k: v for k, v in expected.items() if k not in MADE_UP
    }
    if "authorization" in expected:
        ours, theirs = claims(headers["authorization"]), claims(expected["authorization"])
        assert ours["exp"] - ours["iat"] == theirs["exp"] - theirs["iat"]
        assert {**ours, "iat": 0, "exp": 0} == {**theirs, "iat": 0, "exp": 0}
    assert list(receiver.bodies[0]) == list(real["json"])
    assert receiver.bodies[0]["destination"] == real["json"]["destination"]
    # What reaches the receiver is that, and nothing that our HTTP library adds by itself.
    assert set(receiver.seen[0].headers) - OF_THE_WAY == set(expected)


@pytest.mark.parametrize(
    "scenario",
    [
        "byEvents: send text",
        "byEvents with a trailing slash in the url",
        "byEvents with a query string in the url",
    ],
)
def test_the_name_of_the_event_is_appended_as_recorded(scenario: str) -> None:
    real = next(e for e in recorded("webhooks.json") if e["scenario"] == scenario)
    url = real["json"]["destination"]
    fake, receiver = (
        hooked(version="2.3.6", integration="EVOLUTION", url=url, byEvents=True),
        Receiver(),
    )
    ask(fake, "POST", "/message/sendText/sales", {"number": PEER, "text": "oi"})
    fake.webhooks.deliver(receiver)
    sent = next(r for r in receiver.seen if json.loads(r.content)["event"] == "send.message")
    assert sent.url.raw_path.decode() == real["path"]
    assert json.loads(sent.content)["destination"] == url


@pytest.mark.parametrize(
    ("receiver", "status", "lasts_s"),
    [
        ("receiver answers 500", 500, 0.0),
        ("receiver answers 429", 429, 0.0),
        ("receiver times out (request timeout set to 4 s here, default 30 s)", None, 4.0),
    ],
)
def test_the_recorded_schedule_is_one_of_those_the_fake_plays(
    receiver: str, status: int | None, lasts_s: float
) -> None:
    facts = recorded("webhook_retries.json")
    config = facts["config"]
    options = WebhookOptions(timeout_ms=config["timeout_ms"])
    assert (options.max_attempts, options.initial_delay_s, options.exponential) == (
        config["max_attempts"], config["initial_delay_s"], config["exponential"],
    )  # fmt: skip
    assert (options.max_delay_s, options.jitter) == (config["max_delay_s"], config["jitter"])
    assert options.non_retryable == set(config["non_retryable"])
    times = [each["t_s"] for each in facts["observed"][receiver]]
    assert len(times) > 5
    for attempts, (before, after) in enumerate(itertools.pairwise(times), start=1):
        shortest = options.wait_s(attempts, status, 0.0)
        longest = options.wait_s(attempts, status, 1.0)
        assert shortest is not None
        assert longest is not None
        # The recording rounds to a tenth of a second, and the way takes some milliseconds.
        assert shortest - 0.15 <= after - before - lasts_s <= longest + 0.15


def test_2_2_3_tries_ten_times_at_a_fixed_distance_whatever_the_answer() -> None:
    """Its source: no time limit, every failure, 30 s (`webhook.controller.ts` of 2.2.3)."""
    fake, receiver = hooked(version="2.2.3", events=["MESSAGES_UPSERT"]), Receiver(404)
    fake.receive_text("sales", from_=PEER, text="oi")
    made = fake.webhooks.deliver(receiver, for_ms=3_600_000)
    assert [each.at - made[0].at for each in made] == [30_000.0 * number for number in range(10)]
    profile = profile_of("2.2.3")
    assert profile is not None
    assert WebhookOptions().played_by(profile).timeout_ms == float("inf")


def test_2_4_says_its_own_headers_over_those_of_the_webhook() -> None:
    custom = {"User-Agent": "mine", "X-Event-Type": "mine", "X-Mine": "1"}
    fake, receiver = hooked(version="2.4.0", headers=custom, events=["MESSAGES_UPSERT"]), Receiver()
    fake.receive_text("sales", from_=PEER, text="oi")
    fake.webhooks.deliver(receiver)
    headers = receiver.seen[0].headers
    assert headers["user-agent"] == "EvolutionAPI-Webhook/2.3.7"
    assert headers["x-event-type"] == "messages.upsert"
    assert headers["x-mine"] == "1"
    assert headers["x-instance-id"] == fake.instances["sales"].id
    assert headers["x-timestamp"] == str(int(fake.clock.now_ms()))
    older, receiver = hooked(headers=custom, events=["MESSAGES_UPSERT"]), Receiver()
    older.receive_text("sales", from_=PEER, text="oi")
    older.webhooks.deliver(receiver)
    assert receiver.seen[0].headers["user-agent"] == "mine"
