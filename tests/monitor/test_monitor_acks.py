"""Which updates count for which sends: of the same instance and chat, whatever the id."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from evolution_sdk._base.effect import Effect
from evolution_sdk.monitor import Thresholds
from evolution_sdk.monitor.collector import Collector

ANA, BOB = "5511987654321@s.whatsapp.net", "5521912345678@s.whatsapp.net"
ANA_LID, BOB_LID = "100000000000002@lid", "100000000000003@lid"
GROUP = "120363000000000000@g.us"
WAMID = "wamid.ZmFrZS01NTExOTg3NjU0MzIxLTAwMDAwMDgz"


class Desk:
    """An intake, and time that only tests move."""

    def __init__(self) -> None:
        self.now = 0.0
        self.intake = Collector(Thresholds(), 60_000, lambda: self.now, lambda: self.now)

    def sent(
        self, key_id: str = "M1", chat: str = ANA, instance: str = "sales", **key: Any
    ) -> None:
        result = SimpleNamespace(
            id=key_id, key=SimpleNamespace(remote_jid=chat, remote_jid_alt=None, **key)
        )
        fact: Any = SimpleNamespace(
            error=None, effect=Effect.SEND, operation="message.send_text", instance=instance,
            result=result,
        )  # fmt: skip
        self.intake.fact(fact)

    def told(
        self, status: str = "SERVER_ACK", chat: str | None = ANA, *, instance: str = "sales",
        key_id: str = "M1", **more: Any,
    ) -> None:  # fmt: skip
        data = {"keyId": key_id, "fromMe": True, "status": status, **more}
        data |= {} if chat is None else {"remoteJid": chat}
        self.intake.event({"event": "messages.update", "instance": instance, "data": data})

    def knows(self, lid: str, phone: str) -> None:
        key = {"id": "K", "remoteJid": lid, "remoteJidAlt": phone, "fromMe": False}
        data = {"key": key, "message": {"conversation": "hi"}}
        self.intake.event({"event": "messages.upsert", "instance": "sales", "data": data})

    def share(self) -> tuple[int, int]:
        """How many sends are judged, and how many of them without an ack in time."""
        self.now += 61
        self.told("SERVER_ACK", key_id="of some other message")  # updates do come
        found = self.intake.acks.shares(self.now)["sales"]
        return found.judged, found.unacked


FOREIGN: dict[str, dict[str, Any]] = {
    "another chat": {"chat": BOB},
    "its device": {"chat": "5521912345678:12@s.whatsapp.net"},
    "its hidden id": {"chat": BOB_LID},
    "the same, as 2.4 writes it": {"chat": "100000000000003"},
    "a group": {"chat": GROUP},
    "another instance": {"instance": "support"},
    "a message of the contact": {"fromMe": False},
    "an edit by the contact": {
        "fromMe": False, "message": {"editedMessage": {"message": {"conversation": "changed"}}},
    },
    "an edit": {"message": {"editedMessage": {"message": {"conversation": "changed"}}}},
    "votes": {"pollUpdates": [{"name": "Azul", "voters": [BOB]}]},
    "another message": {"key_id": "M2"},
}  # fmt: skip


@pytest.mark.parametrize("what", FOREIGN)
@pytest.mark.parametrize("status", ["SERVER_ACK", "ERROR"])
@pytest.mark.parametrize("early", [True, False])
def test_foreign_updates_prove_nothing(what: str, status: str, early: bool) -> None:
    desk = Desk()
    desk.knows(BOB_LID, BOB)
    if early:
        desk.told(status, **FOREIGN[what])
    desk.sent()
    if not early:
        desk.told(status, **FOREIGN[what])
    assert desk.intake.acks.shares(1.0)["sales"].judged == 0
    assert desk.share() == (1, 1)


OWN: dict[str, dict[str, Any]] = {
    "itself": {},
    "device": {"chat": "5511987654321:12@s.whatsapp.net"},
    "the line's other form": {"chat": "551187654321@s.whatsapp.net"},
    "bare digits": {"chat": "5511987654321"},
    "hidden id": {"chat": ANA_LID},
    "hidden id, as 2.4 writes it": {"chat": "100000000000002"},
    "no chat": {"chat": None},
}


@pytest.mark.parametrize("what", OWN)
@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("early", [True, False])
def test_every_spelling_of_the_own_chat_counts(what: str, known: bool, early: bool) -> None:
    desk = Desk()
    if known:
        desk.knows(ANA_LID, ANA)
    desk.told(chat=BOB)  # one that comes too early may not take the place of the right one
    if early:
        desk.told(**OWN[what])
    desk.sent()
    if not early:
        desk.told(**OWN[what])
    assert desk.share() == (1, 0)


def test_the_same_id_in_two_instances_are_two_sends() -> None:
    desk = Desk()
    desk.told("ERROR", instance="support")
    desk.sent()
    desk.sent(instance="support")
    desk.told()
    assert desk.share() == (1, 0)
    assert desk.intake.acks.shares(desk.now)["support"].unacked == 1


def test_business_and_groups_are_told_as_others() -> None:
    desk = Desk()
    desk.sent(WAMID)
    desk.told("DELIVERED", key_id=WAMID, fromMe=False, participant=ANA)
    desk.sent("M2", GROUP)
    desk.told("DELIVERY_ACK", GROUP, key_id="M2", fromMe=False, participant=BOB)
    assert desk.share() == (2, 0)
