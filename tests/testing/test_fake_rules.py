"""Rules of the server that the recordings show only here and there."""

from __future__ import annotations

from typing import Any

import pytest
from fake_answers import body_of, message_of

from evolution_sdk.testing import FakeClock, FakeEvolution
from evolution_sdk.testing.fake.families.message import is_single_emoji
from evolution_sdk.testing.fake.media import is_base64, is_url, lookup_type
from evolution_sdk.testing.fake.numbers import create_jid
from evolution_sdk.testing.fake.schema import validate

PEER = "5511999999999"
SEND = "/message/sendText/sales"


@pytest.mark.parametrize(
    ("number", "jid"),
    [
        ("5511999998888", "5511999998888@s.whatsapp.net"),
        ("5531999998888", "553199998888@s.whatsapp.net"),
        ("5531969998888", "5531969998888@s.whatsapp.net"),
        ("5215512345678", "525512345678@s.whatsapp.net"),
        ("5491112345678", "541112345678@s.whatsapp.net"),
        ("+55 (11) 98765-4321", "5511987654321@s.whatsapp.net"),
        ("5511999998888:12@s.whatsapp.net", "5511999998888@s.whatsapp.net"),
        ("5511999998888@c.us", "5511999998888@s.whatsapp.net"),
        ("120363000000000001", "120363000000000001@g.us"),
        ("5511999998888-1600000000", "5511999998888-1600000000@g.us"),
        ("abc", "@s.whatsapp.net"),
        ("", "@s.whatsapp.net"),
        ("x@lid", "x@lid"),
        ("status@broadcast", "status@broadcast"),
    ],
)
def test_create_jid(number: str, jid: str) -> None:
    assert create_jid(number) == jid


@pytest.mark.parametrize(
    ("text", "fits"),
    [
        ("http://127.0.0.1:8086/a.png", True),
        ("example.org/pic.png", True),
        ("pic.png", True),
        ("https://user:pass@example.org/", True),
        ("http://[::1]:80/x", True),
        ("http://localhost/a.png", False),
        ("http://example.org:99999/", False),
        ("gopher://example.org", False),
        ("//example.org/x", False),
        ("http://exa mple.org", False),
        ("mailto:a@example.org", False),
        ("http://-bad-.org", False),
        ("not-a-url", False),
        ("", False),
        (None, False),
    ],
)
def test_is_url(text: Any, fits: bool) -> None:
    assert is_url(text) is fits


@pytest.mark.parametrize(
    ("text", "fits"),
    [("", True), ("aGk=", True), ("aGk", False), ("a=k=", False), ("data:x;base64,aGk=", False),
     ("aG-_", False), (None, False)],
)  # fmt: skip
def test_is_base64(text: Any, fits: bool) -> None:
    assert is_base64(text) is fits


def test_types_by_extension() -> None:
    assert lookup_type("http://x.org/a/b.PDF") == "application/pdf"
    assert lookup_type("b.png?x=1") is None


@pytest.mark.parametrize(
    ("text", "single"),
    [("", True), ("👍", True), ("👍🏽", True), ("❤️", True), ("🇧🇷", True),
     ("👨‍👩‍👧", True), ("1️⃣", True),
     ("👍👍", False), ("a", False), ("abc", False), ("👍 ", False)],
)  # fmt: skip
def test_single_emoji(text: str, single: bool) -> None:
    assert is_single_emoji(text) is single


class TestSchema:
    def test_order_and_wording(self) -> None:
        schema = {
            "type": "object",
            "properties": {"a": {"type": "integer", "minimum": 1}, "b": {"enum": ["x", "y"]}},
            "required": ["c"],
        }
        assert validate({"a": 0.5, "b": "z"}, schema) == [
            "a is not of a type(s) integer",
            "a must be greater than or equal to 1",
            "b is not one of enum values: x,y",
            'instance requires property "c"',
        ]

    def test_booleans_are_no_numbers(self) -> None:
        assert validate(True, {"type": "integer"}) == ["instance is not of a type(s) integer"]
        assert validate([1, True], {"uniqueItems": True}) == []

    def test_condition_on_names(self) -> None:
        schema = {
            "if": {"propertyNames": {"enum": ["a"]}},
            "then": {"properties": {"a": {"minLength": 1}}},
        }
        assert validate({"a": ""}, schema) == ["a does not meet minimum length of 1"]
        assert validate({"a": "", "b": 1}, schema) == []


class TestGuards:
    def test_existence_before_key(self, ask: Any) -> None:
        assert ask("GET", "/instance/connectionState/nope", key=None).status == 404
        assert ask("GET", "/instance/connectionState/sales", key=None).status == 401
        assert ask("GET", "/instance/connectionState/sales", key="sales-token").status == 200

    def test_taken_name_before_key(self, ask: Any) -> None:
        taken = {"instanceName": "sales", "integration": "EVOLUTION"}
        assert ask("POST", "/instance/create", taken, key="wrong").status == 403
        assert (
            ask("POST", "/instance/create", {"instanceName": "n"}, key="sales-token").status == 401
        )

    def test_missing_name_counts_as_taken_once_anything_exists(self, ask: Any) -> None:
        assert message_of(ask("POST", "/instance/create", {})) == [
            'This name "undefined" is already in use.'
        ]
        empty = FakeEvolution(api_key="k").http_client(headers={"apikey": "k"})
        answer = empty.post("/instance/create", json={"integration": "X"})
        assert answer.status_code == 400

    def test_paths_ignore_case_and_a_last_slash(self, ask: Any) -> None:
        assert ask("GET", "/Instance/CONNECTIONSTATE/sales/").status == 200
        assert ask("GET", "/instance/connectionState/SALES").status == 404

    def test_create_in_another_case_is_not_recognised_by_the_guard(self, ask: Any) -> None:
        reply = ask("POST", "/Instance/Create", {"instanceName": "n", "integration": "EVOLUTION"})
        assert message_of(reply) == ['"instanceName" not provided.']

    def test_query_redirects_after_the_guards(self, fake: FakeEvolution, ask: Any) -> None:
        fake.create_instance("other", state="close")
        target = "/instance/connectionState/sales?instanceName=other"
        state = body_of(ask("GET", target, key="sales-token"))["instance"]
        assert state == {"instanceName": "other", "state": "close"}
        gone = ask("POST", SEND + "?instanceName=nope", {"number": PEER, "text": "x"})
        assert message_of(gone) == "Cannot read properties of undefined (reading 'textMessage')"

    def test_unreadable_bodies_come_before_everything(self, ask: Any) -> None:
        reply = ask("POST", "/no/such/route", b'{"a":', key=None)
        assert reply.status == 400
        assert body_of(reply)["error"] == "Internal Server Error"
        assert ask("POST", "/no/such/route", b'"text"').status == 400

    def test_bad_percent_encoding(self, ask: Any) -> None:
        reply = ask("GET", "/instance/connectionState/%E0%A4%A")
        assert (reply.status, message_of(reply)) == (400, "Failed to decode param '%E0%A4%A'")

    def test_head_and_options(self, ask: Any) -> None:
        head = ask("HEAD", "/")
        assert (head.status, head.body) == (200, b"")
        assert ask("OPTIONS", SEND).status == 204


class TestRecords:
    def test_sent_in_any_spelling(self, ask: Any, fake: FakeEvolution) -> None:
        ask("POST", SEND, {"number": "+55 (11) 99999-9999", "text": "oi"})
        message = fake.assert_sent(PEER, text="oi", kind="conversation", instance="sales")
        assert (message.number, message.jid) == (
            "+55 (11) 99999-9999", "5511999999999@s.whatsapp.net"
        )  # fmt: skip
        assert message.at == fake.clock.now_ms()
        assert "oi" not in repr(message)
        with pytest.raises(AssertionError, match="no such message"):
            fake.assert_sent(PEER, text="other")
        with pytest.raises(AssertionError, match="expected 2"):
            fake.assert_sent_times(2)
        with pytest.raises(AssertionError, match="expected no messages"):
            fake.assert_nothing_sent()

    def test_events_in_their_envelope(self, ask: Any, fake: FakeEvolution) -> None:
        heard: list[Any] = []
        stop = fake.on_event(heard.append)
        hook = {"webhook": {"enabled": True, "url": "http://x.org/h", "events": []}}
        ask("POST", "/webhook/set/sales", hook)
        fake.receive_text("sales", from_=PEER, text="oi", push_name="Ada")
        assert [event["event"] for event in heard] == [
            "messages.upsert", "contacts.upsert", "chats.upsert"
        ]  # fmt: skip
        assert list(heard[0]) == [
            "event", "instance", "data", "destination", "date_time", "sender", "server_url",
            "apikey",
        ]  # fmt: skip
        assert heard[0]["data"]["message"] == {"conversation": "oi"}
        assert (heard[0]["destination"], heard[0]["apikey"]) == ("http://x.org/h", "sales-token")
        stop()
        ask("POST", SEND, {"number": PEER, "text": "x"})
        assert (len(heard), fake.events[-1]["event"]) == (3, "send.message")

    def test_tokens_can_be_hidden(self) -> None:
        fake = FakeEvolution(expose_tokens=False)
        fake.create_instance("evo", integration="EVOLUTION")
        fake.receive_text("evo", from_=PEER, text="x")
        assert fake.events[-1]["apikey"] is None
        assert "sender" not in fake.events[-1]

    def test_unknown_instance_is_a_clear_error(self, fake: FakeEvolution) -> None:
        with pytest.raises(KeyError, match="it has 'sales'"):
            fake.receive_text("nope", from_=PEER, text="x")
        with pytest.raises(ValueError, match="already"):
            fake.create_instance("sales")
        with pytest.raises(ValueError, match="integration"):
            fake.create_instance("x", integration="TELEGRAM")


class TestRoot:
    def test_metrics_count_instances(self, ask: Any) -> None:
        text = ask("GET", "/metrics", key=None).body.decode()
        assert "evolution_instances_total 1" in text
        assert 'evolution_instance_up{instance="sales",integration="WHATSAPP-BAILEYS"} 1' in text

    def test_metrics_behind_a_password(self) -> None:
        fake = FakeEvolution(metrics_credentials=("u", "p"))
        client = fake.http_client()
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", auth=("u", "x")).text == "Invalid credentials"
        assert client.get("/metrics", auth=("u", "p")).status_code == 200

    def test_version_and_manager(self) -> None:
        answer = FakeEvolution(version="9.9.9", manager=False).http_client().get("/").json()
        assert answer["version"] == "9.9.9"
        assert "manager" not in answer

    def test_same_seed_same_ids(self) -> None:
        def first(seed: int) -> str:
            fake = FakeEvolution(seed=seed, clock=FakeClock())
            return fake.create_instance("x").id

        assert first(1) == first(1) != first(2)
