"""Votes in a poll: waiting for one, and the tally, on the recordings of every version."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from evolution_sdk import RequestValidationError, WaitTimeoutError
from evolution_sdk.events import Event, MessagesUpdate, parse_event
from evolution_sdk.identity import LidMap
from evolution_sdk.models import SentMessage
from evolution_sdk.tracking.polls import PollTally
from facts import read

from .conftest import Kit, record
from .test_clients_following import heard_while_waiting, inbound, page

PHONE, LID = "5511900000002@s.whatsapp.net", "100000000000002@lid"
GROUP = "120363000000000001@g.us"
ONE, TWO = "poll vote single choice, key as the phone writes it", "poll vote two options"
OLD = "poll vote on received v1 group poll"
NEWER = pytest.mark.parametrize("version", ["2.3.7", "2.4-pre"])


def recorded(version: str, name: str) -> dict[str, Any]:
    """The vote as a server of this version posted it."""
    found = read(f"versions/{version}/baileys_webhooks.json")
    wanted = "messages.update" if version == "2.2.3" else "messages.upsert"
    told = (one["json"] for one in found if one["name"] == name)
    body: dict[str, Any] = copy.deepcopy(next(b for b in told if b["event"] == wanted))
    return {**body, "instance": "sales"}


def poll_of(body: dict[str, Any]) -> dict[str, Any]:
    """The key of the poll that a vote is in."""
    data = body["data"]
    if "keyId" in data:
        return {"id": data["keyId"], "remoteJid": data["remoteJid"], "fromMe": data["fromMe"]}
    key: dict[str, Any] = data["message"]["pollUpdateMessage"]["pollCreationMessageKey"]
    return {**key, "remoteJid": data["key"]["remoteJid"]}


def chosen(body: dict[str, Any], *options: str, voter: str | None = None, at: int = 0) -> Any:
    """The same vote with other choices, later by some seconds, or of another member."""
    made = copy.deepcopy(body)
    data = made["data"]
    vote = data["message"]["pollUpdateMessage"]["vote"]
    vote["selectedOptions"] = list(options)
    vote["encPayload"] = {str(n): 1 for n in range(16 + 34 * len(options))}
    told = data["key"].get("participant") or data["key"]["remoteJid"]
    for option in data.get("pollUpdates", ()):
        option["voters"] = [voter or told] if option["name"] in options else []
    if voter is not None:
        data["key"]["participant"] = voter
        data["key"].pop("participantAlt", None)
    data["messageTimestamp"] += at
    data["message"]["pollUpdateMessage"].pop("senderTimestampMs", None)
    data["key"]["id"] += str(at)
    return parse_event(made)


def sent(body: dict[str, Any]) -> SentMessage:
    """The poll as its send was answered."""
    return SentMessage.from_wire(record(key=poll_of(body), messageTimestamp=1_700_000_000))


async def polled(kit: Kit, client: Any, body: dict[str, Any]) -> Any:
    answer = record(key=poll_of(body), messageTimestamp=1_700_000_000, status="PENDING")
    kit.stub.answer((201, answer))
    made = await kit.run(client.messages.send_poll(PHONE, "Which?", ["Sim", "Não"]))
    kit.stub.default = page()
    return made


@NEWER
@pytest.mark.parametrize("name", [ONE, TWO, OLD])
async def test_a_vote_is_waited_for(kit: Kit, version: str, name: str) -> None:
    client = kit.client()
    body = recorded(version, name)
    vote = parse_event(body)
    poll = await polled(kit, client, body)
    client.feed(vote)
    told = await kit.run(poll.wait_for_vote())
    assert told.poll_vote.options == vote.poll_vote.options  # type: ignore[attr-defined]
    assert told.poll_vote.options
    assert told.is_bound
    # Case 85: the vote is the answer to its poll, whichever way it is waited for.
    reply = await kit.run(poll.wait_for_reply(quoted=True))
    assert (str(reply.kind), reply.poll_vote.options) == ("poll_vote", told.poll_vote.options)


async def test_the_tally_of_2_2_3_is_waited_for(kit: Kit) -> None:
    client = kit.client()
    body = recorded("2.2.3", OLD)
    poll = await polled(kit, client, body)
    heard_while_waiting(kit, client, parse_event(body))
    client.feed({"event": "connection.update", "instance": "sales", "data": {}})
    told = await kit.run(poll.wait_for_vote(voter=LID, option="Sim"))
    assert isinstance(told, MessagesUpdate)
    assert told.is_bound
    assert told.poll_vote is not None
    assert told.poll_vote.options == ("Sim",)


@NEWER
async def test_only_a_vote_in_this_poll_of_this_person_for_this_option_counts(
    kit: Kit, version: str
) -> None:
    client = kit.client()
    body = recorded(version, ONE)
    poll = await polled(kit, client, body)
    (own,) = parse_event(body).poll_vote.options  # type: ignore[attr-defined]
    elsewhere = copy.deepcopy(body)
    elsewhere["data"]["message"]["pollUpdateMessage"]["pollCreationMessageKey"]["id"] = "OTHER"
    stranger = copy.deepcopy(body)
    stranger["data"]["key"] |= {"remoteJid": "5511777777777@s.whatsapp.net", "remoteJidAlt": None}
    for event in (
        parse_event(elsewhere),
        parse_event(stranger),
        parse_event({**body, "instance": "another"}),
        chosen(body),  # taken back
        chosen(body, "something else"),
        inbound("sure", key={"remoteJid": PHONE}),
    ):
        client.feed(event)
    with pytest.raises(WaitTimeoutError, match="a vote in poll"):
        await kit.run(poll.wait_for_vote(timeout_ms=1_000, option=own))
    client.feed(parse_event(body))
    with pytest.raises(WaitTimeoutError):
        await kit.run(poll.wait_for_vote(timeout_ms=1_000, voter="5511777777777"))
    found = await kit.run(poll.wait_for_vote(timeout_ms=1_000, voter=PHONE, option=own))
    assert found.poll_vote.options == (own,)
    assert await kit.run(poll.wait_for_vote(timeout_ms=1_000, voter=LID)) is not None


async def test_a_vote_in_another_poll_is_no_reply(kit: Kit) -> None:
    client = kit.client()
    body = recorded("2.3.7", ONE)
    poll = await polled(kit, client, body)
    other = copy.deepcopy(body)
    other["data"]["message"]["pollUpdateMessage"]["pollCreationMessageKey"]["id"] = "OTHER"
    client.feed(parse_event(other))
    client.feed(chosen(body))
    with pytest.raises(WaitTimeoutError):
        await kit.run(poll.wait_for_reply(timeout_ms=1_000))


async def test_a_vote_is_found_in_the_store(kit: Kit) -> None:
    client = kit.client()
    body = recorded("2.3.7", ONE)
    poll = await polled(kit, client, body)
    kit.stub.answer(page({**body["data"], "id": "row9"}))
    assert (await kit.run(poll.wait_for_vote())).source == "backfill"


@NEWER
def test_of_each_voter_the_newest_vote_counts(version: str) -> None:
    body = recorded(version, OLD)
    ann, bob = "100000000000007@lid", "100000000000008@lid"
    tally = PollTally(sent(body))
    assert tally.take(parse_event(body))
    assert dict(tally.counts) == {"Sim": 1}
    # Late and out of order: the older vote of the same person changes nothing.
    assert tally.take(chosen(body, "Não", voter=ann, at=50))
    assert not tally.take(chosen(body, "Sim", voter=ann, at=40))
    assert tally.take(chosen(body, "Sim", "Não", voter=bob, at=5))
    assert dict(tally.counts) == {"Sim": 2, "Não": 2}
    assert tally.take(chosen(body, voter=bob, at=60)), "taken back"
    assert dict(tally.counts) == {"Sim": 1, "Não": 1}
    assert dict(tally.votes) == {PHONE: ("Sim",), ann: ("Não",)}
    assert "Sim" not in repr(tally)


@NEWER
def test_what_cannot_be_read_is_told_apart(version: str) -> None:
    body = recorded(version, OLD)
    unread = copy.deepcopy(body)
    unread["data"].pop("pollUpdates", None)
    unread["data"]["message"]["pollUpdateMessage"]["vote"].pop("selectedOptions", None)
    tally = PollTally(sent(body))
    assert tally.take(parse_event(unread))
    assert (tally.unreadable, dict(tally.counts), dict(tally.votes)) == (1, {}, {})
    assert tally.take(chosen(body, "Sim", at=5))
    assert (tally.unreadable, dict(tally.counts)) == (0, {"Sim": 1})


def test_one_person_under_two_ids_is_one_voter() -> None:
    body = recorded("2.3.7", OLD)
    lids = LidMap()
    hidden, phone = "100000000000007@lid", "5511977777777@s.whatsapp.net"
    tally = PollTally(sent(body), lids=lids)
    tally.take(chosen(body, "Sim", voter=hidden, at=1))
    tally.take(chosen(body, "Não", voter=phone, at=2))
    assert dict(tally.counts) == {"Sim": 1, "Não": 1}
    lids.learn({"lid": hidden, "id": phone})
    tally.take(chosen(body, "Não", voter=hidden, at=3))
    assert dict(tally.counts) == {"Não": 1}
    assert dict(tally.votes) == {phone: ("Não",)}


def test_the_tally_of_2_2_3_is_counted_by_voter() -> None:
    body = recorded("2.2.3", OLD)
    tally = PollTally(sent(body))
    assert tally.take(parse_event(body))
    assert (dict(tally.counts), dict(tally.votes)) == ({"Sim": 1}, {LID: ("Sim",)})
    body["data"]["pollUpdates"][0]["voters"] = []
    body["data"]["pollUpdates"][1]["voters"] = [LID]
    assert tally.take(parse_event(body))
    assert dict(tally.counts) == {"Sim": 0, "Não": 1} or dict(tally.counts) == {"Não": 1}
    body["data"]["remoteJid"] = "120363000000000009@g.us"
    assert not tally.take(parse_event(body)), "of another chat"


def test_choices_nobody_took_are_counted_as_none() -> None:
    body = recorded("2.3.7", ONE)
    options = [{"optionName": "Sim"}, {"optionName": "Não"}]
    poll = SentMessage.from_wire(
        record(
            key=poll_of(body),
            message={"pollCreationMessageV3": {"name": "Q", "options": options}},
            messageType="pollCreationMessageV3",
        )
    )
    assert dict(PollTally(poll).counts) == {"Sim": 0, "Não": 0}


@pytest.mark.parametrize("data", [None, [], "x", {}, {"keyId": {}, "pollUpdates": {"a": 1}}])
def test_odd_events_are_no_votes(data: Any) -> None:
    body = recorded("2.3.7", ONE)
    tally = PollTally(sent(body))
    for name in ("messages.upsert", "messages.update", "call"):
        event: Event[Any] = parse_event({"event": name, "instance": "sales", "data": data})
        assert not tally.take(event)
    with pytest.raises(RequestValidationError):
        PollTally(SentMessage.from_wire({}))
