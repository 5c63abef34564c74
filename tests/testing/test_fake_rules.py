"""Rules of the server that the recordings show only here and there."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from evolution_sdk.testing import FakeClock, FakeEvolution
from evolution_sdk.testing.fake.families.message import is_single_emoji
from evolution_sdk.testing.fake.media import is_base64, is_url, lookup_type
from evolution_sdk.testing.fake.numbers import create_jid
from evolution_sdk.testing.fake.schema import validate

PEER = "5511999999999"
SEND = "/message/sendText/sales"


def body_of(reply: Any) -> Any:
    return json.loads(reply.body)


def message_of(reply: Any) -> Any:
    return body_of(reply)["response"]["message"]


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


class TestLifeCycle:
    def test_from_create_to_delete(self, ask: Any, fake: FakeEvolution) -> None:
        def state() -> str:
            return body_of(ask("GET", "/instance/connectionState/n"))["instance"]["state"]

        made = ask("POST", "/instance/create",
                   {"instanceName": "n", "integration": "WHATSAPP-BAILEYS"})  # fmt: skip
        assert made.hold_ms == 0
        assert state() == "close"
        never = ask("POST", "/message/sendText/n", {"number": PEER, "text": "x"})
        assert message_of(never) == "Cannot read properties of undefined (reading 'onWhatsApp')"
        connect = ask("GET", "/instance/connect/n")
        assert connect.hold_ms == 2_000
        assert body_of(connect)["code"].startswith("2@")
        assert state() == "connecting"
        fake.scan_qr("n", owner="5511900000001", profile_name="Shop")
        assert state() == "open"
        assert body_of(ask("GET", "/instance/connect/n"))["instance"]["state"] == "open"
        row = body_of(ask("GET", "/instance/fetchInstances?instanceName=n"))[0]
        assert (row["ownerJid"], row["profileName"]) == ("5511900000001@s.whatsapp.net", "Shop")
        assert ask("POST", "/message/sendText/n", {"number": PEER, "text": "x"}).status == 201
        assert ask("DELETE", "/instance/logout/n").status == 200
        assert state() == "close"
        assert ask("DELETE", "/instance/logout/n").status == 400
        assert ask("DELETE", "/instance/delete/n").status == 200
        assert ask("GET", "/instance/connectionState/n").status == 404

    def test_create_with_qr_waits_and_shows_it(self, ask: Any) -> None:
        body = {"instanceName": "n", "integration": "WHATSAPP-BAILEYS", "qrcode": True,
                "number": "5511900000001"}  # fmt: skip
        made = ask("POST", "/instance/create", body)
        assert made.hold_ms == 5_000
        answer = body_of(made)
        assert answer["instance"]["status"] == "connecting"
        assert len(answer["qrcode"]["pairingCode"]) == 8

    def test_qr_after_some_connects(self) -> None:
        fake = FakeEvolution(api_key="k", qr_after=1, clock=FakeClock())
        fake.create_instance("n", state="close")
        client = fake.http_client(headers={"apikey": "k"})
        assert client.get("/instance/connect/n").json() == {"count": 0}
        fake.set_state("n", "close")
        assert client.get("/instance/connect/n").json()["count"] == 1

    def test_unreachable_whatsapp_falls_back_to_close(self, ask: Any, fake: FakeEvolution) -> None:
        fake.create_instance("n", state="close")
        fake.set_whatsapp_reachable(False)
        assert body_of(ask("GET", "/instance/connect/n")) == {"count": 0}
        closed = ask("POST", "/message/sendText/n", {"number": PEER, "text": "x"})
        assert (closed.status, message_of(closed)) == (500, "Connection Closed")

    def test_lost_connection_and_the_number_cache(self, ask: Any, fake: FakeEvolution) -> None:
        ask("POST", SEND, {"number": PEER, "text": "x"})
        fake.set_state("sales", "connecting")
        cached = ask("POST", SEND, {"number": PEER, "text": "x"})
        assert (cached.status, message_of(cached)) == (400, ["Error: Connection Closed"])
        unknown = ask("POST", SEND, {"number": "5511988887777", "text": "x"})
        assert (unknown.status, message_of(unknown)) == (500, "Connection Closed")
        fake.clock.advance(8 * 24 * 3600 * 1000)
        assert ask("POST", SEND, {"number": PEER, "text": "x"}).status == 500
        fake.set_state("sales", "open")
        assert ask("POST", SEND, {"number": PEER, "text": "x"}).status == 201

    def test_restart_reconnects_a_known_phone(self, ask: Any) -> None:
        assert body_of(ask("POST", "/instance/restart/sales", {})) == {"count": 0}
        assert body_of(ask("GET", "/instance/connectionState/sales"))["instance"]["state"] == "open"

    def test_logged_out_needs_a_new_qr(self, ask: Any, fake: FakeEvolution) -> None:
        fake.log_out("sales")
        row = body_of(ask("GET", "/instance/fetchInstances?instanceName=sales"))[0]
        assert (row["connectionStatus"], row["disconnectionReasonCode"]) == ("close", 401)
        assert "code" in body_of(ask("GET", "/instance/connect/sales"))

    def test_deletion_lag(self) -> None:
        fake = FakeEvolution(api_key="k", deletion_lag_ms=3_000, clock=FakeClock())
        fake.create_instance("n")
        client = fake.http_client(headers={"apikey": "k"})
        client.delete("/instance/delete/n")
        assert client.get("/instance/connectionState/n").json() == {
            "instance": {"instanceName": "n"}
        }
        again = {"instanceName": "n", "integration": "EVOLUTION"}
        assert client.post("/instance/create", json=again).status_code == 403
        fake.clock.advance(3_000)
        assert client.get("/instance/connectionState/n").status_code == 404
        assert client.post("/instance/create", json=again).status_code == 201

    def test_failed_create_leaves_nothing(self, ask: Any, fake: FakeEvolution) -> None:
        body = {"instanceName": "n", "integration": "EVOLUTION", "webhook": {"url": "http://x.org"}}
        assert ask("POST", "/instance/create", body).status == 400
        assert list(fake.instances) == ["sales"]

    def test_features_decide_what_a_create_stores(self, ask: Any) -> None:
        wanted = {"enabled": True, "events": ["CALL"]}
        body = {"instanceName": "n", "integration": "EVOLUTION", "websocket": wanted, "sqs": wanted}
        answer = body_of(ask("POST", "/instance/create", body))
        assert (answer["websocket"], answer["sqs"]) == ({"enabled": True}, {"enabled": True})
        row = body_of(ask("GET", "/instance/fetchInstances?instanceName=n"))[0]
        assert (row["Websocket"]["events"], row["Sqs"]) == (["CALL"], None)

    def test_webhook_of_a_create(self, ask: Any) -> None:
        hook = {"url": "http://x.org", "byEvents": True, "base64": True, "events": []}
        body = {"instanceName": "n", "integration": "EVOLUTION", "webhook": hook}
        answer = body_of(ask("POST", "/instance/create", body))["webhook"]
        assert answer == {
            "webhookUrl": "http://x.org", "webhookByEvents": True, "webhookBase64": True
        }  # fmt: skip
        assert len(body_of(ask("GET", "/webhook/find/n"))["events"]) == 31


class TestSending:
    def test_not_on_whatsapp(self, ask: Any, fake: FakeEvolution) -> None:
        fake.not_on_whatsapp("5511911112222")
        reply = ask("POST", SEND, {"number": "5511911112222", "text": "x"})
        assert (reply.status, message_of(reply)) == (
            400,
            [{"jid": "5511911112222@s.whatsapp.net", "exists": False, "number": "5511911112222"}],
        )
        fake.assert_nothing_sent()

    def test_other_spelling_and_lid(self, ask: Any, fake: FakeEvolution) -> None:
        fake.resolve("551187654321", "5511987654321")
        fake.resolve("5511977776666", "123456789@lid")
        for number, jid in (("551187654321", "5511987654321@s.whatsapp.net"),
                            ("5511977776666", "123456789@lid")):  # fmt: skip
            assert body_of(ask("POST", SEND, {"number": number, "text": "x"}))["key"][
                "remoteJid"
            ] == jid  # fmt: skip
        found = body_of(ask("POST", "/chat/whatsappNumbers/sales", {"numbers": ["5511977776666"]}))
        assert found == [
            {"jid": "123456789@lid", "exists": True, "number": "5511977776666", "lid": "lid"}
        ]

    def test_group_needs_to_exist_and_mentions(self, ask: Any, fake: FakeEvolution) -> None:
        group = "120363000000000009@g.us"
        unknown = ask("POST", SEND, {"number": group, "text": "x"})
        assert message_of(unknown) == ["[object Object]"]
        fake.add_group(group, participants=["a@lid", "b@lid"])
        body = {"number": group, "text": "x", "mentionsEveryOne": True}
        assert body_of(ask("POST", SEND, body))["contextInfo"] == {
            "mentionedJid": ["a@lid", "b@lid"]
        }
        some = {"number": group, "text": "x", "mentioned": [PEER]}
        assert body_of(ask("POST", SEND, some))["contextInfo"] == {
            "mentionedJid": [f"{PEER}@s.whatsapp.net"]
        }
        assert "contextInfo" not in body_of(ask("POST", SEND, {"number": group, "text": "x"}))

    def test_quote_found_given_and_missing(self, ask: Any, fake: FakeEvolution) -> None:
        ask("POST", SEND, {"number": PEER, "text": "first"})
        key = {"id": fake.sent[0].key_id}

        def info(quoted: Any) -> Any:
            body = {"number": PEER, "text": "x", "quoted": quoted}
            return body_of(ask("POST", SEND, body))["contextInfo"]

        assert info({"key": key})["quotedMessage"] == {"conversation": "first"}
        given = {"key": {"id": "Z", "remoteJid": f"{PEER}@s.whatsapp.net", "fromMe": False},
                 "message": {"conversation": "given"}}  # fmt: skip
        assert info(given)["participant"] == f"{PEER}@s.whatsapp.net"
        assert "stanzaId" not in info({"key": {"id": "unknown"}})

    def test_message_goes_round_by_id(self, ask: Any, fake: FakeEvolution) -> None:
        data = base64.b64encode(b"%PDF-1.4").decode()
        body = {"number": PEER, "mediatype": "document", "media": data, "fileName": "a.pdf"}
        ask("POST", "/message/sendMedia/sales", body)
        wanted = {"message": {"key": {"id": fake.sent[0].key_id}}}
        media = body_of(ask("POST", "/chat/getBase64FromMediaMessage/sales", wanted))
        assert (media["base64"], media["fileName"]) == (data, "a.pdf")

    def test_edit_and_revoke(self, ask: Any, fake: FakeEvolution) -> None:
        ask("POST", SEND, {"number": PEER, "text": "frist"})
        fake.clock.advance(5_000)
        key = body_of(ask("POST", "/chat/findMessages/sales", {}))["messages"]["records"][0]["key"]
        edit = {"number": PEER, "key": key, "text": "first"}
        assert ask("POST", "/chat/updateMessage/sales", edit).status == 200
        row = fake.instances["sales"].messages[0]
        assert (row.message, row.status) == ({"conversation": "first"}, "EDITED")
        assert ask("DELETE", "/chat/deleteMessageForEveryone/sales", key).status == 201
        assert (row.status, row.key["deleted"]) == ("DELETED", True)
        assert fake.advance() == 0

    def test_revoke_removes_where_the_server_is_set_so(self) -> None:
        fake = FakeEvolution(api_key="k", logical_delete=False, clock=FakeClock())
        fake.create_instance("x")
        client = fake.http_client(headers={"apikey": "k"})
        key = client.post("/message/sendText/x", json={"number": PEER, "text": "a"}).json()["key"]
        client.request("DELETE", "/chat/deleteMessageForEveryone/x", json=key)
        assert fake.instances["x"].messages == []

    def test_edit_needs_the_exact_chat(self, ask: Any, fake: FakeEvolution) -> None:
        key = body_of(ask("POST", SEND, {"number": PEER, "text": "a"}))["key"]
        edit = {"number": "5511900000001", "key": key, "text": "b"}
        assert message_of(ask("POST", "/chat/updateMessage/sales", edit)) == [
            "RemoteJid does not match"
        ]

    def test_meta_refusal_is_a_201_without_key(self, ask: Any, fake: FakeEvolution) -> None:
        fake.create_instance("biz", integration="WHATSAPP-BUSINESS")
        fake.meta_refuses(PEER, code=131_026)
        fake.meta_is_silent("5511900000001")
        refused = ask("POST", "/message/sendText/biz", {"number": PEER, "text": "x"})
        assert refused.status == 201
        assert body_of(refused)["code"] == 131_026
        silent = ask("POST", "/message/sendText/biz", {"number": "5511900000001", "text": "x"})
        assert message_of(silent) == [
            "TypeError: Cannot read properties of undefined (reading 'message')"
        ]
        fake.assert_nothing_sent()

    def test_delay_holds_by_channel(self, ask: Any, fake: FakeEvolution) -> None:
        fake.create_instance("biz", integration="WHATSAPP-BUSINESS")
        fake.create_instance("evo", integration="EVOLUTION")
        body = {"number": PEER, "text": "x", "delay": 700}
        held = {
            name: ask("POST", f"/message/sendText/{name}", body).hold_ms
            for name in ("sales", "biz", "evo")
        }
        assert held == {"sales": 700, "biz": 0, "evo": 700}

    def test_poll_allows_no_more_choices_than_answers(self, ask: Any) -> None:
        body = {"number": PEER, "name": "Q", "selectableCount": 3, "values": ["A", "B"]}
        assert message_of(ask("POST", "/message/sendPoll/sales", body)) == [
            "Error: poll.selectableCount in poll should be >= 0 and <= 2"
        ]

    def test_ptv_from_a_url_always_fails(self, ask: Any) -> None:
        body = {"number": PEER, "video": "http://x.org/v.mp4"}
        reply = ask("POST", "/message/sendPtv/sales", body)
        assert reply.status == 500
        assert "Failed to get video duration" in message_of(reply)[0]

    def test_status_needs_its_options(self, ask: Any, fake: FakeEvolution) -> None:
        def said(**body: Any) -> Any:
            return message_of(ask("POST", "/message/sendStatus/sales", body))

        jids = [f"{PEER}@s.whatsapp.net"]
        assert said(type="text") == ["Content is required"]
        assert said(type="text", content="x") == ["StatusJidList is required"]
        assert said(type="text", content="x", allContacts=True) == ["Contacts not found"]
        assert said(type="text", content="x", statusJidList=jids) == [
            "Background color is required"
        ]
        full = {"backgroundColor": "#000", "statusJidList": jids}
        assert said(type="text", content="x", **full) == ["Font is required"]
        assert "ENOENT" in said(type="image", content="aGk=", statusJidList=jids)[0]
        fake.assert_nothing_sent()

    def test_base64_document_without_name(self, ask: Any) -> None:
        body = {"number": PEER, "mediatype": "document", "media": "http://x.org/dir/report.pdf"}
        answer = body_of(ask("POST", "/message/sendMedia/sales", body))
        assert answer["message"]["documentMessage"]["fileName"] == "report"


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
