"""The control routes of a served fake, and their client."""

from __future__ import annotations

import base64
import inspect
import json
from collections.abc import Iterator
from operator import attrgetter
from typing import Any

import httpx
import pytest
from delivery_stage import HOOK, PEER, set_webhook

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.testing import (
    ControlledClock,
    ControlledFaults,
    ControlledWebhooks,
    FakeClock,
    FakeControl,
    FakeEvolution,
    FakeWebhooks,
    Faults,
)
from evolution_sdk.testing.fake.control.routes import PREFIX, ControlRoute
from evolution_sdk.testing.fake.control.server import Control, listing
from evolution_sdk.testing.fake.control.table import ROUTES
from evolution_sdk.testing.fake.reply import Reply

OURS = {"": FakeControl, "faults": ControlledFaults, "clock": ControlledClock,
        "webhooks": ControlledWebhooks}  # fmt: skip
THEIRS = {"": FakeEvolution, "faults": Faults, "clock": FakeClock, "webhooks": FakeWebhooks}


@pytest.fixture
def fake() -> FakeEvolution:
    made = FakeEvolution(api_key="secret", clock=FakeClock())
    made.create_instance("sales", token="sales-token")
    return made


def call(
    fake: FakeEvolution, method: str, path: str, body: Any = None, key: str | None = "secret"
) -> tuple[int, Any]:
    raw = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    headers = {} if key is None else {"ApiKey": key}
    reply: Reply = Control(fake).handle(method, PREFIX + path, headers, raw)
    return reply.status, json.loads(reply.body)


@pytest.fixture
def control(fake: FakeEvolution) -> Iterator[FakeControl]:
    with fake.serve(), FakeControl(fake.url, "secret") as client:
        yield client


# One table.


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_the_client_has_each_member_with_the_same_arguments(route: ControlRoute) -> None:
    owner, _, name = route.member.rpartition(".")
    ours = inspect.getattr_static(OURS[owner], name)
    theirs = inspect.getattr_static(THEIRS[owner], name)
    assert isinstance(ours, property) is isinstance(theirs, property) is route.is_read
    if route.is_read:
        return
    here, there = (inspect.signature(inspect.unwrap(each)) for each in (ours, theirs))
    kept = [each for each in there.parameters.values() if each.name != "to"]
    assert [(p.name, p.default, p.kind) for p in here.parameters.values()] == [
        (p.name, p.default, p.kind) for p in kept
    ]


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: f"{route.method} {route.path}")
def test_every_route_says_what_it_does(route: ControlRoute) -> None:
    assert route.summary.endswith(".")
    assert len({(each.method, each.path) for each in ROUTES}) == len(ROUTES)
    assert attrgetter(route.member)(FakeEvolution()) is not None or route.is_read


def test_the_listing_tells_them_all(fake: FakeEvolution) -> None:
    status, told = call(fake, "GET", "")
    assert (status, told["result"]) == (200, listing(ROUTES))
    assert len(told["result"]) == len(ROUTES)
    text = next(each for each in told["result"] if each["path"].endswith("/receive-text"))
    assert text["takes"]["from"] == "text"
    assert text["takes"]["push_name"] == "text, optional"


# Who may, and where.


@pytest.mark.parametrize("key", [None, "", "wrong", "sales-token", "é"])
def test_only_the_fakes_own_key_opens_them(fake: FakeEvolution, key: str | None) -> None:
    status, told = call(fake, "GET", "/sent", key=key)
    assert (status, told["field"]) == (401, "apikey")
    assert "fake's own key" in told["message"]


def test_they_are_no_routes_of_the_api(fake: FakeEvolution) -> None:
    headers = {"apikey": "secret"}
    with fake.http_client(headers=headers) as inside:
        assert "Cannot GET /_fake/sent" in inside.get("/_fake/sent").text
    before = len(fake.requests)
    with fake.serve():
        assert httpx.get(f"{fake.url}/_fake/sent", headers=headers).json() == {"result": []}
        # Neither recorded nor struck by faults; names that only begin alike are the API's.
        fake.faults.add("*", "status", status=500)
        assert httpx.get(f"{fake.url}/_fake/sent", headers=headers).status_code == 200
        assert len(fake.requests) == before
        fake.faults.clear()
        assert "Cannot GET /_fakes" in httpx.get(f"{fake.url}/_fakes", headers=headers).text


# Bodies.


@pytest.mark.parametrize(
    ("body", "field", "words"),
    [
        ({"from": PEER}, "text", "is missing: it must be text"),
        ({"from": PEER, "text": 7}, "text", "must be text, not a number"),
        ({"from": PEER, "text": None}, "text", "must be text, not null"),
        ({"from": PEER, "text": "x", "tex": "y"}, "tex", "it takes from, text, push_name"),
        ({"from_": PEER, "text": "x"}, "from_", "is nothing that"),
        ({"instance": "other", "from": PEER, "text": "x"}, "instance", "is nothing that"),
        (["x"], "body", "must be a JSON object"),
        (b"{", "body", "must be JSON"),
        (b"\xff", "body", "must be JSON"),
    ],
)
def test_a_wrong_body_names_field_rule_and_remedy(
    fake: FakeEvolution, body: Any, field: str, words: str
) -> None:
    status, told = call(fake, "POST", "/instances/sales/receive-text", body)
    assert (status, told["field"]) == (400, field)
    assert words in told["message"]
    assert told["message"].startswith(f"{field}: ")
    assert [e for e in fake.events if e["event"] == "messages.upsert"] == []


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field", "words"),
    [
        ("POST", "/instances/nope/scan-qr", {}, 404, "instance", "the fake has no instance 'nope'"),
        ("POST", "/status", {"key_id": "X", "status": "READ"}, 404, "key_id", "no instance has"),
        ("POST", "/instances/sales/state", {"state": "ajar"}, 400, "state", "one of 'open'"),
        ("POST", "/faults", {"operation": "*", "kind": "fire"}, 400, "kind", "must be one of"),
        ("POST", "/faults", {"operation": "*", "kind": "status"}, 400, "status", "needs one"),
        ("POST", "/clock/advance", {"ms": -1}, 400, "ms", "time does not go back"),
        ("POST", "/clock/advance", {"ms": "1"}, 400, "ms", "must be a number"),
        ("POST", "/not-on-whatsapp", {"numbers": "55"}, 400, "numbers", "must be a list of text"),
        ("POST", "/not-on-whatsapp", {"numbers": [1]}, 400, "numbers", "must be a list of text"),
        ("POST", "/instances", {"name": "sales"}, 400, "name", "already has an instance"),
        ("GET", "/nope", None, 404, "path", "the fake has no route /_fake/nope"),
        ("PUT", "/faults", {}, 405, "method", "takes GET and POST and DELETE, not PUT"),
        ("DELETE", "", None, 404, "path", "the fake has no route /_fake"),
    ],
)
def test_refusals(
    fake: FakeEvolution,
    method: str,
    path: str,
    body: Any,
    status: int,
    field: str,
    words: str,
) -> None:
    got, told = call(fake, method, path, body)
    assert (got, told["field"]) == (status, field)
    assert words in told["message"]


def test_a_file_travels_as_base64(fake: FakeEvolution) -> None:
    body = {
        "from": PEER, "kind": "imageMessage", "message": {"imageMessage": {"mimetype": "image/png"}}
    }  # fmt: skip
    path = "/instances/sales/receive"
    status, told = call(fake, "POST", path, {**body, "content": "no base64!"})
    assert (status, told["field"]) == (400, "content")
    content = base64.b64encode(b"picture").decode()
    assert call(fake, "POST", path, {**body, "content": content})[0] == 200
    assert b"picture" in fake.kernel.server.network.uploads.values()


def test_names_in_paths_are_decoded(fake: FakeEvolution) -> None:
    fake.create_instance("a b/c")
    status, told = call(
        fake, "POST", "/instances/a%20b%2Fc/receive-text", {"from": PEER, "text": "x"}
    )
    assert status == 200
    assert fake.instances["a b/c"].message(told["result"]) is not None


# The client, over real HTTP.


def test_a_bot_is_tested_from_another_process(fake: FakeEvolution, control: FakeControl) -> None:
    assert list(control.instances) == ["sales"]
    assert control.create_instance("new", state="close")["state"] == "close"
    control.scan_qr("new", owner="5511900000001")
    assert control.instances["new"]["owner"] == "5511900000001@s.whatsapp.net"
    control.set_state("new", "connecting")
    control.log_out("new")
    assert control.instances["new"]["state"] == "close"
    key_id = control.receive_text("sales", from_=PEER, text="oi", push_name="Ana")
    assert control.events == fake.events
    assert fake.instances["sales"].message(key_id) is not None
    control.receive("sales", from_=PEER, kind="conversation", message={"conversation": "x"})
    control.add_contact("sales", "5511911111111", "Bia")
    control.not_on_whatsapp("5511777777777", "5511666666666")
    control.set_profile("5511911111111", picture="http://127.0.0.1/p.png", about=None)
    assert fake.kernel.server.network.profiles["5511911111111@s.whatsapp.net"].about is None
    control.set_whatsapp_reachable(False)
    assert fake.kernel.server.network.reachable is False


def test_sends_are_checked_from_another_process(fake: FakeEvolution, control: FakeControl) -> None:
    headers = {"apikey": "secret"}
    fault = control.faults.add("message.send_text", "status", status=503, count=1)
    assert (fault.status, fault.hits) == (503, 0)
    body = {"number": PEER, "text": "Olá"}
    sent = [
        httpx.post(f"{fake.url}/message/sendText/sales", json=body, headers=headers) for _ in "ab"
    ]
    assert [answer.status_code for answer in sent] == [503, 201]
    assert control.faults.armed[0].hits == 1
    control.faults.clear()
    assert control.faults.armed == []
    assert control.sent == fake.sent
    assert control.requests == fake.requests
    found = control.assert_sent(PEER, text="Olá")
    control.assert_sent_times(1)
    with pytest.raises(AssertionError):
        control.assert_nothing_sent()
    control.deliver(found.key_id, "READ")
    assert control.advance() == 0
    control.reset()
    assert (control.sent, control.instances) == ([], {})


def test_time_and_webhooks_are_moved_from_another_process(
    fake: FakeEvolution, control: FakeControl
) -> None:
    set_webhook(fake, url=HOOK, events=["MESSAGES_UPSERT"])
    control.receive_text("sales", from_=PEER, text="oi")
    began = control.clock.now_ms()
    (first,) = control.webhooks.deliver()
    assert (first.outcome, first.status) == ("retried", None)  # nobody listens there
    control.clock.advance(1_000)
    assert control.clock.now_ms() == began + 1_000
    assert control.webhooks.deliver() == []
    (second,) = control.webhooks.deliver(for_ms=6_000)
    assert (second.attempt, second.at) == (2, first.next_at)
    assert control.deliveries == fake.deliveries == [first, second]


def test_errors_are_those_of_the_fake(control: FakeControl) -> None:
    with pytest.raises(KeyError, match="the fake has no instance 'nope'"):
        control.receive_text("nope", from_=PEER, text="x")
    with pytest.raises(ValueError, match="integration: must be one of"):
        control.create_instance("x", integration="TELEGRAM")
    with pytest.raises(ValueError, match="probability: must lie between 0 and 1"):
        control.faults.add("*", "drop", probability=2.0)


def test_a_wrong_key_or_address_is_explained(fake: FakeEvolution) -> None:
    with fake.serve():
        with FakeControl(fake.url, "wrong") as control:
            with pytest.raises(ConfigurationError, match="fake's own key") as caught:
                control.reset()
            assert caught.value.variable == "api_key"
        url = fake.url
    explained = pytest.raises(ConfigurationError, match=r"Start one with fake\.serve\(\)")
    with FakeControl(url, "secret") as control, explained:
        control.reset()


def test_what_is_no_fake_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Control, "owns", staticmethod(lambda target: False))
    explained = pytest.raises(ConfigurationError, match="A real server has no control routes")
    with (
        FakeEvolution(api_key="secret").serve() as real,
        FakeControl(real.url, "secret") as control,
        explained,
    ):
        control.reset()
