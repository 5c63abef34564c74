"""A fake whose WhatsApp refuses messages after the 201, as it does on each version."""

from __future__ import annotations

from typing import Any

import pytest
from fake_answers import body_of

from evolution_sdk.testing import FakeEvolution

PEER, OTHER = "5511999999999", "5511988888888"
JID = f"{PEER}@s.whatsapp.net"
SEND = "/message/sendText/sales"


def updates(fake: FakeEvolution) -> list[Any]:
    return [each["data"] for each in fake.events if each["event"] == "messages.update"]


def test_a_refused_message_is_accepted_and_then_an_error(fake: FakeEvolution, ask: Any) -> None:
    fake.refuse_delivery("sales", PEER, code=463)
    answer = ask("POST", SEND, {"number": PEER, "text": "oi"})
    assert (answer.status, body_of(answer)["status"]) == (201, "PENDING")
    (update,) = updates(fake)
    key_id = body_of(answer)["key"]["id"]
    assert (update["keyId"], update["status"], update["remoteJid"]) == (key_id, "ERROR", JID)
    assert "463" not in str(update), "no recorded server tells the code"
    assert fake.sent[-1].refused_code == 463
    assert fake.advance() == 0, "nothing follows an error"
    found = body_of(ask("POST", "/chat/findStatusMessage/sales", {"where": {"id": key_id}}))
    assert [row["status"] for row in found] == ["ERROR"]


def test_strangers_are_refused_and_those_who_wrote_are_not(fake: FakeEvolution, ask: Any) -> None:
    fake.refuse_delivery("sales")
    fake.receive_text("sales", from_=PEER, text="oi")
    group = "120363000000000009@g.us"
    fake.groups.add(group, "Team")
    for number in (PEER, group, OTHER):
        ask("POST", SEND, {"number": number, "text": "oi"})
    assert [each.refused_code for each in fake.sent] == [None, None, 463]
    fake.refuse_delivery("sales", code=None)
    ask("POST", SEND, {"number": OTHER, "text": "oi"})
    assert fake.sent[-1].refused_code is None


def test_other_channels_refuse_nothing_after_a_201(fake: FakeEvolution, ask: Any) -> None:
    fake.create_instance("biz", integration="WHATSAPP-BUSINESS", number="100")
    fake.refuse_delivery("biz", PEER)
    ask("POST", "/message/sendText/biz", {"number": PEER, "text": "oi"})
    assert updates(fake) == []


def test_an_unknown_instance_is_an_error(fake: FakeEvolution) -> None:
    with pytest.raises(KeyError):
        fake.refuse_delivery("nope")
