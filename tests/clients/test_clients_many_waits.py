"""An event is offered to those whom it may concern, however many wait; counted, not timed."""

from __future__ import annotations

from typing import Any
from unittest.mock import MagicMock

import pytest

from evolution_sdk.events import Event, parse_event
from evolution_sdk.identity import Jid, LidMap
from evolution_sdk.models.message import SentMessage
from evolution_sdk.tracking import event_topics
from evolution_sdk.tracking.event_bus import EventBus
from evolution_sdk.tracking.event_topics import RememberedStatuses
from evolution_sdk.tracking.expectations import ReplyExpectation, StatusExpectation
from evolution_sdk.tracking.polls import PollTally

PHONE, LID = Jid("5511987654321", "s.whatsapp.net"), Jid("100000000000001", "lid")


def jid(number: int) -> str:
    return f"551197000{number:04}@s.whatsapp.net"


def sent(number: int, chat: str | None = None) -> SentMessage:
    key = {"id": f"3EB0{number:016X}", "remoteJid": chat or jid(number), "fromMe": True}
    return SentMessage.from_wire({"key": key, "messageTimestamp": 1_795_000_000})


def status(number: int, word: str = "READ", name: str = "keyId") -> Event:
    told = {name: f"3EB0{number:016X}", "remoteJid": jid(number), "fromMe": True, "status": word}
    return parse_event({"event": "messages.update", "instance": "sales", "data": told})


def said(chat: str, **alt: Any) -> Event:
    row = {
        "key": {"id": "AB12", "remoteJid": chat, "fromMe": False, **alt},
        "message": {"conversation": "oi"},
        "messageType": "conversation",
        "messageTimestamp": 1_795_000_001,
    }
    return parse_event({"event": "messages.upsert", "instance": "sales", "data": row})


class Listeners:
    """A bus with a thousand waits; notes which were offered an event."""

    def __init__(self) -> None:
        self.bus, self.lids = EventBus(), LidMap(100)
        self.bus.lids = self.lids
        self.offered: list[str] = []

    def add(self, name: str, waited: Any) -> Any:
        def take(event: Event) -> None:
            self.offered.append(name)
            waited.take(event)

        return self.bus.listen(take, topics=waited.topics)

    def reply(self, chat: str) -> ReplyExpectation:
        return ReplyExpectation(
            sent(1, chat), sender=None, quoted=False, where=None, instance="sales", lids=self.lids
        )


@pytest.mark.parametrize("name", ["keyId", "id"])
def test_a_status_is_offered_to_the_waits_for_its_message(name: str) -> None:
    stage = Listeners()
    waits = [StatusExpectation(sent(number), "READ", "sales") for number in range(1_000)]
    ends = [stage.add(str(number), each) for number, each in enumerate(waits)]
    stage.bus.listen(lambda _: stage.offered.append("all"))
    stage.bus.feed(status(7, name=name))
    assert stage.offered == ["7", "all"]
    assert waits[7].done
    for end in ends:
        end()
        end()
    assert stage.bus.listening == 1


def test_a_message_is_offered_to_the_waits_in_its_chat() -> None:
    stage = Listeners()
    waits = [stage.reply(jid(number)) for number in range(1_000)]
    for number, each in enumerate(waits):
        stage.add(str(number), each)
    stage.bus.feed(said(jid(7).replace("@", ":12@")))
    assert stage.offered == ["7"]
    assert waits[7].done


@pytest.mark.parametrize("waiting", [PHONE, LID])
@pytest.mark.parametrize("telling", [PHONE, LID])
@pytest.mark.parametrize("learned", ["before", "during"])
def test_the_other_id_of_a_person_is_offered_too(waiting: Jid, telling: Jid, learned: str) -> None:
    stage = Listeners()
    if learned == "before":
        stage.lids.add(LID, PHONE)
    waited = stage.reply(str(waiting))
    stage.add("it", waited)
    stage.add("another", stage.reply(jid(1)))
    if learned == "during":
        stage.lids.add(LID, PHONE)
    stage.bus.feed(said(str(telling)))
    assert stage.offered == ["it"]
    assert waited.done


def test_an_odd_event_is_offered_to_all() -> None:
    stage = Listeners()
    stage.add("it", stage.reply(str(PHONE)))
    stage.bus.feed(object())
    assert stage.offered == ["it"]


def test_remembered_statuses_are_looked_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    told_id = event_topics.told_id

    def counted(event: Event) -> str | None:
        asked.append(event)
        return told_id(event)

    monkeypatch.setattr(event_topics, "told_id", counted)
    kept = RememberedStatuses(100)
    for number in range(150):
        kept.add(status(number))
    assert (len(kept), len(asked)) == (100, 0)
    assert (len(kept.of(sent(149).id)), len(kept.of(sent(49).id))) == (1, 0)
    assert len(asked) == 100
    for word in ("DELIVERY_ACK", "READ"):
        kept.add(status(149, word))
    words = [one.data.status for one in kept.of(sent(149).id)]
    assert (words, len(kept), len(asked)) == (["READ", "DELIVERY_ACK", "READ"], 100, 102)
    for number in range(200, 300):
        kept.add(status(number))
    assert kept.of(sent(149).id) == ()


def test_a_new_wait_hears_the_remembered_statuses_of_its_message() -> None:
    stage = Listeners()
    for number in range(50):
        stage.bus.feed(status(number))
    waited = StatusExpectation(sent(3), "READ", "sales")
    stage.add("it", waited)
    assert (stage.offered, waited.done) == (["it"], True)


def vote(number: int, option: str, at: int = 0) -> Event:
    poll = {"id": sent(1).id, "remoteJid": PHONE.user, "fromMe": True}
    row = {
        "key": {
            "id": "AC12",
            "remoteJid": "120363000000000001@g.us",
            "fromMe": False,
            "participant": jid(number),
        },
        "messageType": "pollUpdateMessage",
        "message": {
            "pollUpdateMessage": {
                "pollCreationMessageKey": poll,
                "vote": {"selectedOptions": [option]},
            }
        },
        "messageTimestamp": 1_795_000_001 + number + at,
    }
    return parse_event({"event": "messages.upsert", "instance": "sales", "data": row})


def test_a_vote_is_compared_with_those_of_its_voter(monkeypatch: pytest.MonkeyPatch) -> None:
    tally = PollTally(sent(1, "120363000000000001@g.us"))
    compared = MagicMock(wraps=tally._is_same)
    monkeypatch.setattr(tally, "_is_same", compared)
    for number in range(300):
        assert tally.take(vote(number, "a"))
    assert compared.call_count == 0
    assert tally.take(vote(7, "b", 1))
    assert compared.call_count == 1
    assert tally.counts == {"a": 299, "b": 1}
    assert list(tally.votes)[-1] == jid(7)
