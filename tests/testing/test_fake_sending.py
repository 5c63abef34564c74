"""Sends and their recipients, by channel."""

from __future__ import annotations

import base64
from typing import Any

from fake_answers import body_of, message_of

from evolution_sdk.testing import FakeClock, FakeEvolution

PEER = "5511999999999"
SEND = "/message/sendText/sales"


def test_not_on_whatsapp(ask: Any, fake: FakeEvolution) -> None:
    fake.not_on_whatsapp("5511911112222")
    reply = ask("POST", SEND, {"number": "5511911112222", "text": "x"})
    assert (reply.status, message_of(reply)) == (
        400,
        [{"jid": "5511911112222@s.whatsapp.net", "exists": False, "number": "5511911112222"}],
    )
    fake.assert_nothing_sent()


def test_other_spelling_and_lid(ask: Any, fake: FakeEvolution) -> None:
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


def test_group_needs_to_exist_and_mentions(ask: Any, fake: FakeEvolution) -> None:
    group = "120363000000000009@g.us"
    unknown = ask("POST", SEND, {"number": group, "text": "x"})
    assert message_of(unknown) == ["[object Object]"]
    fake.groups.add(group, participants=["a@lid", "b@lid"])
    body = {"number": group, "text": "x", "mentionsEveryOne": True}
    assert body_of(ask("POST", SEND, body))["contextInfo"] == {"mentionedJid": ["a@lid", "b@lid"]}
    some = {"number": group, "text": "x", "mentioned": [PEER]}
    assert body_of(ask("POST", SEND, some))["contextInfo"] == {
        "mentionedJid": [f"{PEER}@s.whatsapp.net"]
    }
    assert "contextInfo" not in body_of(ask("POST", SEND, {"number": group, "text": "x"}))


def test_quote_found_given_and_missing(ask: Any, fake: FakeEvolution) -> None:
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


def test_message_goes_round_by_id(ask: Any, fake: FakeEvolution) -> None:
    data = base64.b64encode(b"%PDF-1.4").decode()
    body = {"number": PEER, "mediatype": "document", "media": data, "fileName": "a.pdf"}
    ask("POST", "/message/sendMedia/sales", body)
    wanted = {"message": {"key": {"id": fake.sent[0].key_id}}}
    media = body_of(ask("POST", "/chat/getBase64FromMediaMessage/sales", wanted))
    assert (media["base64"], media["fileName"]) == (data, "a.pdf")


def test_edit_and_revoke(ask: Any, fake: FakeEvolution) -> None:
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


def test_revoke_removes_where_the_server_is_set_so() -> None:
    fake = FakeEvolution(api_key="k", logical_delete=False, clock=FakeClock())
    fake.create_instance("x")
    client = fake.http_client(headers={"apikey": "k"})
    key = client.post("/message/sendText/x", json={"number": PEER, "text": "a"}).json()["key"]
    client.request("DELETE", "/chat/deleteMessageForEveryone/x", json=key)
    assert fake.instances["x"].messages == []


def test_edit_needs_the_exact_chat(ask: Any, fake: FakeEvolution) -> None:
    key = body_of(ask("POST", SEND, {"number": PEER, "text": "a"}))["key"]
    edit = {"number": "5511900000001", "key": key, "text": "b"}
    assert message_of(ask("POST", "/chat/updateMessage/sales", edit)) == [
        "RemoteJid does not match"
    ]


def test_meta_refusal_is_a_201_without_key(ask: Any, fake: FakeEvolution) -> None:
    fake.create_instance("biz", integration="WHATSAPP-BUSINESS")
    fake.meta.refuse(PEER, code=131_026)
    fake.meta.stay_silent("5511900000001")
    refused = ask("POST", "/message/sendText/biz", {"number": PEER, "text": "x"})
    assert refused.status == 201
    assert body_of(refused)["code"] == 131_026
    silent = ask("POST", "/message/sendText/biz", {"number": "5511900000001", "text": "x"})
    assert message_of(silent) == [
        "TypeError: Cannot read properties of undefined (reading 'message')"
    ]
    fake.assert_nothing_sent()


def test_delay_holds_by_channel(ask: Any, fake: FakeEvolution) -> None:
    fake.create_instance("biz", integration="WHATSAPP-BUSINESS")
    fake.create_instance("evo", integration="EVOLUTION")
    body = {"number": PEER, "text": "x", "delay": 700}
    held = {
        name: ask("POST", f"/message/sendText/{name}", body).hold_ms
        for name in ("sales", "biz", "evo")
    }
    assert held == {"sales": 700, "biz": 0, "evo": 700}


def test_poll_allows_no_more_choices_than_answers(ask: Any) -> None:
    body = {"number": PEER, "name": "Q", "selectableCount": 3, "values": ["A", "B"]}
    assert message_of(ask("POST", "/message/sendPoll/sales", body)) == [
        "Error: poll.selectableCount in poll should be >= 0 and <= 2"
    ]


def test_ptv_from_a_url_always_fails(ask: Any) -> None:
    body = {"number": PEER, "video": "http://x.org/v.mp4"}
    reply = ask("POST", "/message/sendPtv/sales", body)
    assert reply.status == 500
    assert "Failed to get video duration" in message_of(reply)[0]


def test_status_needs_its_options(ask: Any, fake: FakeEvolution) -> None:
    def said(**body: Any) -> Any:
        return message_of(ask("POST", "/message/sendStatus/sales", body))

    jids = [f"{PEER}@s.whatsapp.net"]
    assert said(type="text") == ["Content is required"]
    assert said(type="text", content="x") == ["StatusJidList is required"]
    assert said(type="text", content="x", allContacts=True) == ["Contacts not found"]
    assert said(type="text", content="x", statusJidList=jids) == ["Background color is required"]
    full = {"backgroundColor": "#000", "statusJidList": jids}
    assert said(type="text", content="x", **full) == ["Font is required"]
    assert "ENOENT" in said(type="image", content="aGk=", statusJidList=jids)[0]
    fake.assert_nothing_sent()


def test_base64_document_without_name(ask: Any) -> None:
    body = {"number": PEER, "mediatype": "document", "media": "http://x.org/dir/report.pdf"}
    answer = body_of(ask("POST", "/message/sendMedia/sales", body))
    assert answer["message"]["documentMessage"]["fileName"] == "report"
