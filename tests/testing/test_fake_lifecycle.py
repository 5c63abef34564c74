"""Instances that come, connect and go."""

from __future__ import annotations

from typing import Any

from fake_answers import body_of, message_of

from evolution_sdk.testing import FakeClock, FakeEvolution

PEER = "5511999999999"
SEND = "/message/sendText/sales"


def test_from_create_to_delete(ask: Any, fake: FakeEvolution) -> None:
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


def test_create_with_qr_waits_and_shows_it(ask: Any) -> None:
    body = {"instanceName": "n", "integration": "WHATSAPP-BAILEYS", "qrcode": True,
            "number": "5511900000001"}  # fmt: skip
    made = ask("POST", "/instance/create", body)
    assert made.hold_ms == 5_000
    answer = body_of(made)
    assert answer["instance"]["status"] == "connecting"
    assert len(answer["qrcode"]["pairingCode"]) == 8


def test_qr_after_some_connects() -> None:
    fake = FakeEvolution(api_key="k", qr_after=1, clock=FakeClock())
    fake.create_instance("n", state="close")
    client = fake.http_client(headers={"apikey": "k"})
    assert client.get("/instance/connect/n").json() == {"count": 0}
    fake.set_state("n", "close")
    assert client.get("/instance/connect/n").json()["count"] == 1


def test_unreachable_whatsapp_falls_back_to_close(ask: Any, fake: FakeEvolution) -> None:
    fake.create_instance("n", state="close")
    fake.set_whatsapp_reachable(False)
    assert body_of(ask("GET", "/instance/connect/n")) == {"count": 0}
    closed = ask("POST", "/message/sendText/n", {"number": PEER, "text": "x"})
    assert (closed.status, message_of(closed)) == (500, "Connection Closed")


def test_lost_connection_and_the_number_cache(ask: Any, fake: FakeEvolution) -> None:
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


def test_restart_reconnects_a_known_phone(ask: Any) -> None:
    assert body_of(ask("POST", "/instance/restart/sales", {})) == {"count": 0}
    assert body_of(ask("GET", "/instance/connectionState/sales"))["instance"]["state"] == "open"


def test_logged_out_needs_a_new_qr(ask: Any, fake: FakeEvolution) -> None:
    fake.log_out("sales")
    row = body_of(ask("GET", "/instance/fetchInstances?instanceName=sales"))[0]
    assert (row["connectionStatus"], row["disconnectionReasonCode"]) == ("close", 401)
    assert "code" in body_of(ask("GET", "/instance/connect/sales"))


def test_deletion_lag() -> None:
    fake = FakeEvolution(api_key="k", deletion_lag_ms=3_000, clock=FakeClock())
    fake.create_instance("n")
    client = fake.http_client(headers={"apikey": "k"})
    client.delete("/instance/delete/n")
    assert client.get("/instance/connectionState/n").json() == {"instance": {"instanceName": "n"}}
    again = {"instanceName": "n", "integration": "EVOLUTION"}
    assert client.post("/instance/create", json=again).status_code == 403
    fake.clock.advance(3_000)
    assert client.get("/instance/connectionState/n").status_code == 404
    assert client.post("/instance/create", json=again).status_code == 201


def test_failed_create_leaves_nothing(ask: Any, fake: FakeEvolution) -> None:
    body = {"instanceName": "n", "integration": "EVOLUTION", "webhook": {"url": "http://x.org"}}
    assert ask("POST", "/instance/create", body).status == 400
    assert list(fake.instances) == ["sales"]


def test_features_decide_what_a_create_stores(ask: Any) -> None:
    wanted = {"enabled": True, "events": ["CALL"]}
    body = {"instanceName": "n", "integration": "EVOLUTION", "websocket": wanted, "sqs": wanted}
    answer = body_of(ask("POST", "/instance/create", body))
    assert (answer["websocket"], answer["sqs"]) == ({"enabled": True}, {"enabled": True})
    row = body_of(ask("GET", "/instance/fetchInstances?instanceName=n"))[0]
    assert (row["Websocket"]["events"], row["Sqs"]) == (["CALL"], None)


def test_webhook_of_a_create(ask: Any) -> None:
    hook = {"url": "http://x.org", "byEvents": True, "base64": True, "events": []}
    body = {"instanceName": "n", "integration": "EVOLUTION", "webhook": hook}
    answer = body_of(ask("POST", "/instance/create", body))["webhook"]
    assert answer == {
        "webhookUrl": "http://x.org", "webhookByEvents": True, "webhookBase64": True
    }  # fmt: skip
    assert len(body_of(ask("GET", "/webhook/find/n"))["events"]) == 31
