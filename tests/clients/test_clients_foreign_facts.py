"""What is told of another chat says nothing about a message of ours, whatever id it names."""

from __future__ import annotations

from typing import Any

import pytest

from evolution_sdk import DeliveryFailedError, MessageStatus, WaitTimeoutError
from evolution_sdk.events import parse_event

from .conftest import Kit
from .test_clients_following import ID, JID, heard_while_waiting, inbound, page, sent_by

OTHER = "5521912345678@s.whatsapp.net"
LID, OTHER_LID = "100000000000002@lid", "100000000000003@lid"
GROUP = "120363000000000000@g.us"


def told(status: str, chat: str = JID, *, instance: str = "sales", **more: Any) -> Any:
    """As recorded ("messages.update status 3 (DELIVERY_ACK)", 2.3.7)."""
    data = {"keyId": ID, "remoteJid": chat, "fromMe": True, "status": status, **more}
    return parse_event({"event": "messages.update", "instance": instance, "data": data})


def pair(lid: str, phone: str) -> Any:
    """A message of somebody that tells both ids."""
    return inbound("hi", at=1, key={"remoteJid": lid, "remoteJidAlt": phone})


FOREIGN = {
    "another chat": told("READ", OTHER),
    "another chat, failed": told("ERROR", OTHER),
    "its device": told("READ", "5521912345678:12@s.whatsapp.net"),
    "its bare digits": told("READ", "5521912345678"),
    "a group": told("READ", GROUP),
    "somebody else's hidden id": told("READ", OTHER_LID),
    "the same, as 2.4 writes it": told("READ", "100000000000003"),
    "another instance": told("READ", instance="support"),
    "a message of the contact": told("READ", fromMe=False),
    # Recorded: "edit (protocolMessage MESSAGE_EDIT)"; the contact edits with our message's id.
    "an edit by the contact": told(
        "SERVER_ACK", fromMe=False, participant="",
        message={"editedMessage": {"message": {"conversation": "changed"}}},
    ),
    "an edit by us": told("SERVER_ACK", message={"editedMessage": {"message": {}}}),
    # Recorded: "messages.update pollUpdates (poll sent by the API)", 2.3.7 and 2.4.
    "votes": told("SERVER_ACK", pollUpdates=[{"name": "Azul", "voters": [JID]}]),
    "the word of 2.3.0 for whatever has no status": told("DELETED"),
}  # fmt: skip


@pytest.mark.parametrize("what", FOREIGN)
async def test_foreign_statuses_settle_no_wait(kit: Kit, what: str) -> None:
    client = kit.client()
    client.feed(pair(OTHER_LID, OTHER))
    client.feed(FOREIGN[what])
    sent = await sent_by(kit, client)
    kit.stub.default = (200, [])
    heard_while_waiting(kit, client, FOREIGN[what])
    with pytest.raises(WaitTimeoutError) as caught:
        await kit.run(sent.wait_until("SERVER_ACK", timeout_ms=1_000))
    assert caught.value.last_status == "PENDING"


OWN = {
    "device": told("READ", "5511987654321:12@s.whatsapp.net"),
    "the line's other form": told("READ", "551187654321@s.whatsapp.net"),
    "bare digits": told("READ", "5511987654321"),
    "c.us": told("READ", "5511987654321@c.us"),
    "hidden id": told("READ", LID),
    "hidden id, device": told("READ", "100000000000002:12@lid"),
    "hidden id, as 2.4 writes it": told("READ", "100000000000002"),
    "no chat": told("READ", ""),
    "no instance": told("READ", instance=""),
}


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("what", OWN)
async def test_every_spelling_of_the_own_chat_counts(kit: Kit, what: str, known: bool) -> None:
    """Also a hidden id of which nobody has told whose it is: most people are told by no pair."""
    client = kit.client()
    if known:
        client.feed(pair(LID, JID))
    sent = await sent_by(kit, client)
    client.feed(OWN[what])
    kit.stub.default = (500, {})
    assert await kit.run(sent.wait_until("READ")) is MessageStatus.READ


async def test_a_known_hidden_id_leaves_no_room_for_another(kit: Kit) -> None:
    client = kit.client()
    client.feed(pair(LID, JID))
    sent = await sent_by(kit, client)
    client.feed(told("READ", "100000000000007@lid"))
    kit.stub.default = (200, [])
    heard_while_waiting(kit, client)
    with pytest.raises(WaitTimeoutError):
        await kit.run(sent.wait_until("READ", timeout_ms=1_000))


async def test_on_business_own_messages_are_told_as_others(kit: Kit) -> None:
    """Recorded (`facts/webhooks.json`): fromMe is always false there, and participant the chat."""
    wamid = "wamid.ZmFrZS01NTExOTg3NjU0MzIxLTAwMDAwMDgz"
    client = kit.client()
    sent = await sent_by(kit, client, key={"id": wamid, "remoteJid": JID, "fromMe": True})
    client.feed(told("READ", OTHER, keyId=wamid, fromMe=False, participant=OTHER))
    client.feed(told("DELIVERED", keyId=wamid, fromMe=False, participant=JID))
    assert await kit.run(sent.wait_until("DELIVERED")) is MessageStatus.DELIVERED


async def test_in_a_group_the_readers_count(kit: Kit) -> None:
    client = kit.client()
    sent = await sent_by(kit, client, key={"id": ID, "remoteJid": GROUP, "fromMe": True})
    client.feed(told("READ", "120363000000000009@g.us", participant=OTHER))
    client.feed(told("DELIVERY_ACK", GROUP, participant=OTHER))
    assert await kit.run(sent.wait_until("DELIVERY_ACK")) is MessageStatus.DELIVERY_ACK


async def test_what_the_store_tells_of_another_chat_does_not_count(kit: Kit) -> None:
    """The server joins by the id, too (recorded: "findStatusMessage", 2.3.7)."""
    row = {"id": "cmwylcrf600464e7dzqml0294", "keyId": ID, "participant": None, "pollUpdates": None}
    client = kit.client()
    sent = await sent_by(kit, client)
    kit.stub.default = (
        200,
        [
            {**row, "remoteJid": OTHER, "fromMe": True, "status": "READ"},
            {**row, "remoteJid": OTHER, "fromMe": True, "status": "ERROR"},
            {**row, "remoteJid": JID, "fromMe": False, "status": "READ"},
            {**row, "remoteJid": JID, "fromMe": True, "status": "EDITED"},
            {**row, "remoteJid": JID, "fromMe": True, "status": "READ", "pollUpdates": [{}]},
            {**row, "keyId": "another", "remoteJid": JID, "fromMe": True, "status": "READ"},
        ],
    )
    with pytest.raises(WaitTimeoutError, match="PENDING"):
        await kit.run(sent.wait_until("READ", timeout_ms=1_000))
    kit.stub.default = (200, [{**row, "remoteJid": JID, "fromMe": True, "status": "ERROR"}])
    with pytest.raises(DeliveryFailedError):
        await kit.run(sent.wait_until("READ", timeout_ms=1_000))


QUOTE = {"stanzaId": ID, "quotedMessage": {"conversation": "Hello"}}


@pytest.mark.parametrize("quoted", [False, True])
async def test_answers_of_other_chats_and_instances_are_none(kit: Kit, quoted: bool) -> None:
    client = kit.client()
    client.feed(pair(OTHER_LID, OTHER))
    sent = await sent_by(kit, client)
    kit.stub.default = page()
    data = inbound("of another instance", contextInfo=QUOTE).raw["data"]
    heard_while_waiting(
        kit, client,
        inbound("from another chat", key={"remoteJid": OTHER}, contextInfo=QUOTE),
        inbound("hidden", key={"remoteJid": OTHER_LID}, contextInfo=QUOTE),
        inbound("in a group", key={"remoteJid": GROUP, "participant": JID}, contextInfo=QUOTE),
        parse_event({"event": "messages.upsert", "instance": "support", "data": data}),
        parse_event({"event": "messages.upsert", "instance": "", "data": data}),
    )  # fmt: skip
    with pytest.raises(WaitTimeoutError):
        await kit.run(client.messages.wait_for_reply(sent, timeout_ms=1_000, quoted=quoted))
    heard_while_waiting(kit, client, inbound("own", contextInfo=QUOTE))
    reply = await kit.run(client.messages.wait_for_reply(sent, timeout_ms=1_000, quoted=quoted))
    assert reply.text == "own"


async def test_one_of_a_group_is_known_by_both_ids(kit: Kit) -> None:
    client = kit.client()
    client.feed(pair(OTHER_LID, OTHER))
    sent = await sent_by(kit, client, key={"id": ID, "remoteJid": GROUP, "fromMe": True})
    kit.stub.default = page()
    ann = inbound("Ann", key={"remoteJid": GROUP, "participant": LID})
    bob = inbound("Bob", key={"remoteJid": GROUP, "participant": OTHER_LID})
    heard_while_waiting(kit, client, ann, bob)
    reply = await kit.run(
        client.messages.wait_for_reply(sent, timeout_ms=1_000, sender="5521912345678")
    )
    assert reply.text == "Bob"


async def test_a_sent_message_is_followed_by_its_alternative_chat(kit: Kit) -> None:
    key = {"id": ID, "remoteJid": LID, "remoteJidAlt": JID, "fromMe": True}
    client = kit.client()
    sent = await sent_by(kit, client, key=key)
    client.feed(told("READ", OTHER_LID))
    client.feed(told("DELIVERY_ACK", JID))
    assert await kit.run(sent.wait_until("DELIVERY_ACK")) is MessageStatus.DELIVERY_ACK
