"""Cost of an event, and of a new wait, while many waits are under way; and of a vote in a poll."""

from __future__ import annotations

from collections.abc import Iterable

from rows import Row, cpu_us

from evolution_sdk.events import Event, parse_event
from evolution_sdk.identity import LidMap
from evolution_sdk.models.message import SentMessage
from evolution_sdk.tracking.consumption import Hold
from evolution_sdk.tracking.event_bus import EventBus
from evolution_sdk.tracking.expectations import ReplyExpectation, StatusExpectation
from evolution_sdk.tracking.polls import PollTally

_MOST_GROWTH = 3.0
_REMEMBERED = 1_000


def _sent(number: int) -> SentMessage:
    key = {"id": f"3EB0{number:016X}", "remoteJid": _jid(number), "fromMe": True}
    row = {"key": key, "messageTimestamp": 1_795_000_000, "message": {"conversation": "oi"}}
    return SentMessage.from_wire({**row, "status": "PENDING"})


def _jid(number: int) -> str:
    return f"55119{number:08}@s.whatsapp.net"


def _status(number: int) -> Event:
    told = {"keyId": f"3EB0{number:016X}", "remoteJid": _jid(number), "fromMe": True}
    data = {**told, "status": "SERVER_ACK"}
    return parse_event({"event": "messages.update", "instance": "s", "data": data})


def _message(number: int, message: object, kind: str) -> Event:
    key = {"id": f"AB{number:016X}", "remoteJid": _jid(number), "fromMe": False}
    row = {"key": key, "messageTimestamp": 1_795_000_001 + number, "message": message}
    data = {**row, "messageType": kind}
    return parse_event({"event": "messages.upsert", "instance": "s", "data": data})


def _bus(lids: LidMap) -> EventBus:
    bus = EventBus()
    bus.lids = lids
    return bus


def measure(quick: bool) -> Iterable[Row]:
    """Measure with a few, hundreds and thousands under way."""
    sizes = (10, 100, 1_000) if quick else (10, 1_000, 10_000)
    lids = LidMap(100)
    found: dict[str, list[tuple[int, float]]] = {}
    for size in sizes:
        bus = _bus(lids)
        for number in range(size):
            reached = StatusExpectation(_sent(number), "READ", "s", lids)
            bus.listen(Hold(reached, None).take, topics=reached.topics)
        told = _status(5)
        found.setdefault("waits for a status: one event", []).append(
            (size, cpu_us(lambda bus=bus, told=told: bus.feed(told), 100))  # type: ignore[misc]
        )
        bus = _bus(lids)
        for number in range(size):
            answer = ReplyExpectation(
                _sent(number), sender=None, quoted=False, where=None, instance="s", lids=lids
            )
            bus.listen(Hold(answer, None).take, topics=answer.topics)
        said = _message(10**6, {"conversation": "oi"}, "conversation")
        found.setdefault("waits for a reply: one event", []).append(
            (size, cpu_us(lambda bus=bus, said=said: bus.feed(said), 100))  # type: ignore[misc]
        )
        tally = PollTally(_sent(0))
        votes = [_vote(number) for number in range(size)]
        for vote in votes:
            tally.take(vote)
        found.setdefault("a poll's tally: one vote", []).append(
            (size, cpu_us(lambda tally=tally, vote=votes[5]: tally.take(vote), 20))  # type: ignore[misc]
        )
    bus = _bus(lids)
    for remembered in (1, 100, _REMEMBERED):
        for number in range(remembered):
            bus.feed(_status(number))
        found.setdefault("a new wait, by statuses remembered", []).append(
            (remembered, cpu_us(lambda: _begin(bus, lids), 20))
        )
    for name, figures in found.items():
        least = max(figures[0][1], 20.0)  # below, the noise outweighs the work
        for size, value in figures:
            yield Row(name, size, value, "µs", least * _MOST_GROWTH)


def _vote(number: int) -> Event:
    poll = {"id": _sent(0).id, "remoteJid": _jid(0), "fromMe": True}
    vote = {"pollCreationMessageKey": poll, "vote": {"selectedOptions": ["a"]}}
    key = {"id": f"AC{number:016X}", "remoteJid": _jid(0), "fromMe": False}
    row = {"key": {**key, "participant": _jid(number)}, "messageTimestamp": 1_795_000_001 + number}
    data = {**row, "messageType": "pollUpdateMessage", "message": {"pollUpdateMessage": vote}}
    return parse_event({"event": "messages.upsert", "instance": "s", "data": data})


def _begin(bus: EventBus, lids: LidMap) -> None:
    reached = StatusExpectation(_sent(1), "READ", "s", lids)
    bus.listen(Hold(reached, None).take, topics=reached.topics)()
