"""Arrangements of a test, and the effect of every option."""

from __future__ import annotations

from typing import Any

import pytest
from fake_answers import body_of

from evolution_sdk.testing import FakeClock, FakeEvolution
from evolution_sdk.testing.fake import inprocess

PEER = "5511999999999"
JID = f"{PEER}@s.whatsapp.net"
SEND = "/message/sendText/sales"


def test_created_instances_are_as_told(fake: FakeEvolution, ask: Any) -> None:
    fake.create_instance("biz", integration="WHATSAPP-BUSINESS", token="t", number="100")
    fake.create_instance("shut", state="close")
    fake.create_instance("busy", state="connecting")
    fake.create_instance("own", owner="5511900000001")
    rows = {row["name"]: row for row in body_of(ask("GET", "/instance/fetchInstances"))}
    assert (rows["biz"]["token"], rows["biz"]["number"]) == ("t", "100")
    assert rows["own"]["ownerJid"] == "5511900000001@s.whatsapp.net"
    assert [rows[n]["connectionStatus"] for n in ("biz", "shut", "busy", "own")] == [
        "open", "close", "connecting", "open"
    ]  # fmt: skip


def test_states_of_channels_without_a_phone(fake: FakeEvolution, ask: Any) -> None:
    fake.create_instance("evo", integration="EVOLUTION")
    fake.set_state("evo", "close")
    assert body_of(ask("GET", "/instance/connect/evo")) == {}
    assert ask("POST", "/message/sendText/evo", {"number": PEER, "text": "x"}).status == 201


def test_profiles(fake: FakeEvolution, ask: Any) -> None:
    shop = {"description": "Desc", "website": ["https://a.org"], "email": "a@a.org"}
    fake.set_profile(PEER, picture="https://p", about="Busy", business=shop)
    profile = body_of(ask("POST", "/chat/fetchProfile/sales", {"number": PEER}))
    assert (profile["picture"], profile["status"]["status"]) == ("https://p", "Busy")
    assert (profile["isBusiness"], profile["website"]) == (True, "https://a.org")
    fake.set_profile(PEER, about=None)
    profile = body_of(ask("POST", "/chat/fetchProfile/sales", {"number": PEER}))
    assert (profile["picture"], profile["status"], profile["isBusiness"]) == (None, None, False)


def test_groups(fake: FakeEvolution, ask: Any) -> None:
    group = "120363000000000009@g.us"
    fake.groups.add(group, "Team", cached=True)
    found = body_of(ask("POST", "/chat/whatsappNumbers/sales", {"numbers": [PEER, group]}))
    assert [(f["number"], f.get("name")) for f in found] == [(group, "Team"), (PEER, None)]
    fake.set_state("sales", "connecting")
    closed = ask("POST", SEND, {"number": group, "text": "x"})
    assert body_of(closed)["response"]["message"] == ["Error: Connection Closed"]
    fake.reset()
    fake.create_instance("sales")
    fake.groups.add(group, "Team")
    fake.set_state("sales", "connecting")
    closed = ask("POST", SEND, {"number": group, "text": "x"})
    assert body_of(closed)["response"]["message"] == ["[object Object]"]


def test_cached_numbers_need_no_phone(fake: FakeEvolution, ask: Any) -> None:
    fake.cache_number(PEER)
    fake.set_state("sales", "connecting")
    assert ask("POST", "/chat/whatsappNumbers/sales", {"numbers": [PEER]}).status == 200
    assert ask("POST", "/chat/whatsappNumbers/sales", {"numbers": ["551100"]}).status == 400


def test_content_of_urls(fake: FakeEvolution, ask: Any) -> None:
    fake.services.put_on_web("https://a.org/a.pdf", b"12345")
    body = {"number": PEER, "mediatype": "document", "media": "https://a.org/a.pdf"}
    node = body_of(ask("POST", "/message/sendMedia/sales", body))["message"]["documentMessage"]
    assert node["fileLength"]["low"] == 5


def test_meta_refusals_in_full(fake: FakeEvolution, ask: Any) -> None:
    fake.create_instance("biz", integration="WHATSAPP-BUSINESS")
    fake.meta.refuse(PEER, code=1, message="m", kind="T", details="d", error_subcode=2)
    error = body_of(ask("POST", "/message/sendText/biz", {"number": PEER, "text": "x"}))
    assert (error["code"], error["message"], error["type"]) == (1, "m", "T")
    assert (error["error_data"]["details"], error["error_subcode"]) == ("d", 2)


@pytest.mark.parametrize(
    ("integration", "contacts", "chats"),
    [("WHATSAPP-BAILEYS", 1, 1), ("WHATSAPP-BUSINESS", 0, 0), ("EVOLUTION", 1, 2)],
)
def test_arriving_texts_by_channel(
    fake: FakeEvolution, ask: Any, integration: str, contacts: int, chats: int
) -> None:
    fake.create_instance("x", integration=integration)
    first = fake.receive_text("x", from_=PEER, text="a", push_name="Ada", key_id="K1")
    fake.receive_text("x", from_=PEER, text="b")
    assert first == "K1"
    row = body_of(ask("GET", "/instance/fetchInstances?instanceName=x"))[0]
    assert row["_count"] == {"Message": 2, "Contact": contacts, "Chat": chats}
    found = body_of(ask("POST", "/chat/findMessages/x", {"where": {"key": {"id": "K1"}}}))
    record = found["messages"]["records"][0]
    assert (record["pushName"], record["message"]) == ("Ada", {"conversation": "a"})


def test_other_kinds_arrive_too(fake: FakeEvolution) -> None:
    node = {"locationMessage": {"degreesLatitude": 1.0}}
    fake.receive(
        "sales", from_="1@g.us", message=node, kind="locationMessage", participant=JID
    )  # fmt: skip
    data = fake.events[-3]["data"]
    assert (data["messageType"], data["key"]["participant"]) == ("locationMessage", JID)


def test_advance_one_instance_only(fake: FakeEvolution, ask: Any) -> None:
    fake.create_instance("other")
    for name in ("sales", "other"):
        ask("POST", f"/message/sendText/{name}", {"number": PEER, "text": "x"})
    assert fake.advance("other") == 1
    assert fake.advance() == 2


def test_url_of_the_server_can_be_told() -> None:
    fake = FakeEvolution(server_url="https://evo.example.org")
    assert 'serverUrl="https://evo.example.org"' in fake.http_client().get("/metrics").text
    fake.create_instance("x")
    assert fake.events[-1]["server_url"] == "https://evo.example.org"


def test_features_can_be_chosen() -> None:
    fake = FakeEvolution(api_key="k", features=frozenset({"sqs"}))
    client = fake.http_client(headers={"apikey": "k"})
    asked = {"enabled": True, "events": []}
    body = {"instanceName": "n", "integration": "EVOLUTION", "websocket": asked, "sqs": asked}
    client.post("/instance/create", json=body)
    row = client.get("/instance/fetchInstances").json()[0]
    assert row["Websocket"] is None
    assert row["Sqs"]["enabled"] is True


async def test_real_delays_wait_in_process(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(inprocess.time, "sleep", waited.append)
    monkeypatch.setattr(inprocess.anyio, "sleep", sleep)
    clock = FakeClock()
    fake = FakeEvolution(api_key="k", real_delays=True, clock=clock)
    fake.create_instance("sales")
    body = {"number": PEER, "text": "x", "delay": 1_500}
    before = clock.now_ms()
    fake.http_client(headers={"apikey": "k"}).post(SEND, json=body)
    await fake.async_http_client(headers={"apikey": "k"}).post(SEND, json=body)
    assert waited == [1.5, 1.5]
    assert clock.now_ms() == before


def test_errors_name_the_argument_and_the_next_step(fake: FakeEvolution) -> None:
    with pytest.raises(KeyError) as unknown:
        fake.log_out("nope")
    assert str(unknown.value) == (
        "instance: the fake has no instance 'nope' (it has 'sales'). "
        "Add it with create_instance() first."
    )
    with pytest.raises(ValueError, match=r"^name: the fake already has an instance 'sales'"):
        fake.create_instance("sales")
    with pytest.raises(ValueError, match=r"^integration: must be one of WHATSAPP-BAILEYS"):
        fake.create_instance("other", integration="SMS")
