"""Every place where a server tells a pair of hidden id and phone, and those that only seem so.

Field names: Baileys 6.7.19 (``src/Types/Message.ts``: ``senderPn``, ``senderLid``,
``participantPn``, ``participantLid``; ``src/Socket/groups.ts``: ``ownerJid`` …) and 7.0.0-rc.2 to
rc.13 (``…Alt``, ``ownerPn`` …, ``authorPn``, ``callerPn``), server 2.3.1 to 2.4.0-rc2
(``whatsapp.baileys.service.ts``: ``previousRemoteJid``, ``remoteLid``, ``participantsData``).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import Jid
from evolution_sdk.events import parse_event
from evolution_sdk.identity import LidMap
from evolution_sdk.identity.lids import is_stripped_lid, pairs_in

FACTS = Path(__file__).parents[2] / "facts" / "versions"
LID, PHONE = "100000000000002@lid", "5511900000002@s.whatsapp.net"
OWN_LID, OWN = "100000000000001@lid", "5511900000001@s.whatsapp.net"
UPSERT, GROUPS, MEMBERS = "messages.upsert", "groups.upsert", "group-participants.update"
GROUP = "120363000000000009@g.us"


def learned(event: str, data: Any) -> dict[str, str]:
    envelope = {"event": event, "instance": "loja", "data": data, "sender": OWN}
    typed, raw = LidMap(), LidMap()
    typed.learn(parse_event(envelope))
    raw.learn(envelope)
    assert typed.to_dict() == raw.to_dict()
    return typed.to_dict()


def key(**fields: Any) -> dict[str, Any]:
    return {"key": {"id": "3A0001", "fromMe": False, **fields}}


TOLD = {
    "2.3.0 senderLid": (UPSERT, key(remoteJid=PHONE, senderLid=LID)),
    "2.3.0 senderPn": (UPSERT, key(remoteJid=LID, senderPn=PHONE)),
    "both of the sender": (UPSERT, key(remoteJid=GROUP, senderPn=PHONE, senderLid=LID)),
    "senderPn in a group": (
        UPSERT,
        key(remoteJid=GROUP, participant=LID, senderPn=PHONE),
    ),
    "participantPn": (
        UPSERT,
        key(remoteJid=GROUP, participant=LID, participantPn=PHONE),
    ),
    "participantLid": (
        UPSERT,
        key(remoteJid=GROUP, participant=PHONE, participantLid=LID),
    ),
    "participantAlt": (
        UPSERT,
        key(remoteJid=GROUP, participant=LID, participantAlt=PHONE, addressingMode="lid"),
    ),
    "2.3.2 previousRemoteJid": (
        UPSERT,
        key(remoteJid=PHONE, senderPn=PHONE, previousRemoteJid=LID),
    ),
    "2.3.6 alt": (UPSERT, key(remoteJid=LID, remoteJidAlt=PHONE, addressingMode="lid")),
    "2.4 alt": (UPSERT, key(remoteJid=PHONE, remoteJidAlt=LID, addressingMode="pn")),
    "of a device": (UPSERT, key(remoteJid=PHONE, remoteJidAlt="100000000000002:7@lid")),
    "own, to a person": (
        UPSERT,
        key(remoteJid=LID, fromMe=True, recipientPn=PHONE, senderPn=OWN),
    ),
    "own, peer_recipient_pn": (
        UPSERT,
        key(remoteJid=LID, fromMe=True, remoteJidAlt=PHONE),
    ),
    "bare key of messages.delete": (
        "messages.delete",
        {"id": "3A", "remoteJid": GROUP, "participant": LID, "participantAlt": PHONE},
    ),
    "history": ("messages.set", [key(remoteJid=LID), key(remoteJid=LID, remoteJidAlt=PHONE)]),
    "2.4 chats.set": ("chats.set", [{"remoteJid": PHONE, "remoteLid": LID, "name": "Ana"}]),
    "chat of Baileys": ("chats.upsert", [{"id": LID, "pnJid": PHONE}]),
    "contact": ("contacts.upsert", [{"id": LID, "phoneNumber": PHONE, "name": "Ana"}]),
    "contact by phone": ("contacts.update", {"id": PHONE, "lid": LID}),
    "contact, jid": ("contacts.upsert", [{"id": LID, "jid": PHONE}]),
    "contact of the server": ("contacts.upsert", [{"remoteJid": PHONE, "lid": LID}]),
    "member, jid": (GROUPS, [{"id": GROUP, "participants": [{"id": LID, "jid": PHONE}]}]),
    "member, lid": (
        GROUPS,
        [{"participants": [{"id": PHONE, "lid": LID, "admin": None}]}],
    ),
    "member, phoneNumber": (
        GROUPS,
        [{"participants": [{"id": LID, "phoneNumber": PHONE}]}],
    ),
    "ownerJid": (GROUPS, [{"id": GROUP, "owner": LID, "ownerJid": PHONE}]),
    "subjectOwnerJid": (GROUPS, [{"subjectOwner": LID, "subjectOwnerJid": PHONE}]),
    "descOwnerJid": (GROUPS, [{"descOwner": LID, "descOwnerJid": PHONE}]),
    "ownerPn": (GROUPS, [{"owner": LID, "ownerPn": PHONE}]),
    "subjectOwnerPn": (GROUPS, [{"subjectOwner": LID, "subjectOwnerPn": PHONE}]),
    "descOwnerPn": (GROUPS, [{"descOwner": LID, "descOwnerPn": PHONE}]),
    "authorPn": (MEMBERS, {"id": GROUP, "author": LID, "authorPn": PHONE}),
    "participantsData, strings": (
        MEMBERS,
        {"participants": [LID], "participantsData": [{"jid": LID, "phoneNumber": PHONE}]},
    ),
    "participantsData, bare number": (
        MEMBERS,
        {"participantsData": [{"jid": LID, "phoneNumber": "5511900000002"}]},
    ),
    "2.3.7 participants": (
        MEMBERS,
        {"participants": [{"id": LID, "phoneNumber": PHONE, "admin": None}]},
    ),
    "2.3.7 participantsData": (
        MEMBERS,
        {
            "participantsData": [
                {"jid": {"id": LID, "phoneNumber": PHONE}, "phoneNumber": "[object Object]"}
            ]
        },
    ),
    "join request": (
        "group.join-request",
        {"id": GROUP, "participant": LID, "participantPn": PHONE, "action": "created"},
    ),
    "call": ("call", {"from": LID, "callerPn": PHONE, "status": "offer", "isGroup": False}),
    "call that the server answered": (
        "call",
        {"chatId": LID, "from": PHONE, "callerPn": PHONE, "status": "offer", "isGroup": False},
    ),
    # github.com/evolution-foundation/evolution-api/issues/2541: the answer of updateParticipant.
    "answer to a change of members": (
        "none",
        {
            "updateParticipants": [
                {
                    "status": "200",
                    "jid": LID,
                    "content": {"tag": "participant", "attrs": {"jid": LID, "phone_number": PHONE}},
                }
            ]
        },
    ),
    "mapping": ("lid-mapping.update", {"lid": LID, "pn": PHONE}),
}


@pytest.mark.parametrize(("event", "data"), TOLD.values(), ids=TOLD)
def test_told(event: str, data: Any) -> None:
    assert learned(event, data) == {"100000000000002": "5511900000002"}


STRAY = "131100000000721"
NOT_TOLD = {
    "2.3.5 digits of the lid": (
        MEMBERS,
        {"participantsData": [{"jid": f"{STRAY}@lid", "phoneNumber": STRAY}]},
    ),
    "the same with a server": (
        MEMBERS,
        {"participants": [{"id": f"{STRAY}@lid", "phoneNumber": f"{STRAY}@s.whatsapp.net"}]},
    ),
    "digits of another lid": (
        MEMBERS,
        {"participantsData": [{"jid": LID, "phoneNumber": STRAY}]},
    ),
    "short digits of the lid": (
        MEMBERS,
        {"participantsData": [{"jid": "13110000721@lid", "phoneNumber": "13110000721"}]},
    ),
    "2.3.7 the word lid": ("contacts.update", {"remoteJid": PHONE, "lid": "lid"}),
    "2.3.7 phone twice": (
        UPSERT,
        key(remoteJid=PHONE, remoteJidAlt=PHONE, addressingMode="lid"),
    ),
    "2.4 device stripped": (
        "messages.update",
        {"remoteJid": "100000000000002", "participant": LID},
    ),
    "a group is nobody": (UPSERT, key(remoteJid=GROUP, senderLid=LID)),
    "own message, named by the account": (
        UPSERT,
        key(remoteJid=LID, remoteJidAlt=OWN, fromMe=True),
    ),
    "own message before 2.3.3": (
        UPSERT,
        key(remoteJid=OWN, previousRemoteJid=LID, senderPn=OWN, fromMe=True),
    ),
    "own message, own lid": (
        UPSERT,
        key(remoteJid=PHONE, senderLid=OWN_LID, fromMe=True),
    ),
    "call of a group": (
        "call",
        {"chatId": LID, "callerPn": PHONE, "status": "offer", "isGroup": True},
    ),
    "call that goes on": ("call", {"chatId": LID, "callerPn": PHONE, "status": "accept"}),
    "what a person wrote": (
        UPSERT,
        {
            **key(remoteJid=PHONE),
            "message": {"reactionMessage": {"key": {"remoteJid": LID, "remoteJidAlt": PHONE}}},
            "contextInfo": {"participant": LID, "participantPn": PHONE},
        },
    ),
}


@pytest.mark.parametrize(("event", "data"), NOT_TOLD.values(), ids=NOT_TOLD)
def test_a_fallback_is_no_pair(event: str, data: Any) -> None:
    assert learned(event, data) == {}
    # The archive writes pairs down without a map.
    told = {"event": event, "instance": "loja", "data": data, "sender": OWN}
    assert list(pairs_in(told)) == []


def test_number_checks() -> None:
    lids = LidMap()
    lids.learn([{"exists": True, "jid": PHONE, "number": "5511900000002", "lid": "lid"}])
    assert len(lids) == 0
    lids.learn([{"exists": True, "jid": PHONE, "number": "5511900000002", "lid": LID}])
    lids.learn([{"exists": True, "jid": "5511900000003@s.whatsapp.net", "number": "13@lid"}])
    lids.learn([{"exists": True, "jid": f"{STRAY}@lid", "number": STRAY}])
    assert lids.to_dict() == {"100000000000002": "5511900000002", "13": "5511900000003"}


def test_a_pair_of_equal_digits_is_none() -> None:
    lids = LidMap()
    assert not lids.add(Jid(STRAY, "lid"), Jid(STRAY, "s.whatsapp.net"))
    assert len(LidMap.from_dict({STRAY: STRAY})) == 0


def test_bare_digits_that_are_a_hidden_id() -> None:
    lids = LidMap()
    assert lids.phone_of(STRAY) is None, "15 digits: rather a hidden id"
    assert str(lids.phone_of("5511900000002")) == "+5511900000002"
    lids.add(Jid("13110000721", "lid"), Jid.parse(PHONE))
    assert str(lids.phone_of("13110000721")) == "+5511900000002", "known as a hidden id"
    assert lids.lid_of("13110000721") == Jid("13110000721", "lid")
    assert is_stripped_lid(STRAY)
    assert not any(map(is_stripped_lid, ("5511900000002", "120363000000000009", LID, None, 5)))


def test_an_update_from_a_stripped_hidden_id_names_no_chat() -> None:
    rows = json.loads((FACTS / "2.4-pre" / "baileys_webhooks.json").read_text("utf-8"))
    row = next(
        row["json"]
        for row in rows
        if row["name"] == "messages.update from a LID device jid"
        and row["json"]["event"] == "messages.update"
    )
    assert row["data"]["remoteJid"].isdecimal()
    event: Any = parse_event(row)
    assert event.chat is None
    assert event.message.chat is None
    assert event.raw["data"]["remoteJid"].isdecimal()


HOSTILE: list[Any] = [{"a": 1}, [LID], 7, True, None, "", "@lid", {"remoteJid": {"x": LID}}]


@pytest.mark.parametrize("odd", HOSTILE)
def test_odd_types_teach_nothing_and_raise_nothing(odd: Any) -> None:
    for name in ("remoteJidAlt", "senderPn", "participant", "callerPn", "phoneNumber", "jid"):
        for other in ("remoteJid", "from", "id", "fromMe", "participants", "number"):
            assert learned(UPSERT, {"key": {name: odd, other: LID}, "jid": odd}) == {}
            LidMap().learn({"exists": odd, name: odd, other: odd, "data": odd, "sender": odd})


@pytest.mark.parametrize("version", ["2.2.3", "2.3.7", "2.4-pre"])
def test_recorded_events_teach_true_pairs_only(version: str) -> None:
    lids = LidMap()
    for row in json.loads((FACTS / version / "baileys_webhooks.json").read_text("utf-8")):
        lids.learn(row["json"])
    # In the recordings a person has the same last digits under both ids.
    assert lids.to_dict()
    assert all(
        lid[-1] == phone[-1] or (lid[-2:], phone[-3:]) == ("13", "131")
        for lid, phone in lids.to_dict().items()
    )
    wanted = {"2.2.3": 2, "2.3.7": 3, "2.4-pre": 4}
    assert len(lids) == wanted[version]


def test_the_writer_of_an_own_message_is_never_its_chat() -> None:
    """Servers 2.3.0 to 2.3.2 put ``senderPn``, the account, in place of the hidden chat.

    Source: ``messages.upsert`` of their ``whatsapp.baileys.service.ts``. Rows of the store have no
    envelope that names the account.
    """
    row = key(remoteJid=OWN, previousRemoteJid=LID, senderPn=OWN, fromMe=True)
    assert list(pairs_in(row)) == []
    assert list(pairs_in([{**row, "id": "cuid"}])) == []
    theirs = key(remoteJid=PHONE, previousRemoteJid=LID, senderPn=PHONE, fromMe=False)
    assert [(str(a), str(b)) for a, b in pairs_in(theirs)][:1] == [(LID, PHONE)]


def test_an_envelope_that_names_no_account_keeps_the_one_that_is_known() -> None:
    data = key(remoteJid=LID, remoteJidAlt=OWN, fromMe=True)
    told = {"event": UPSERT, "instance": "loja", "data": data}
    assert list(pairs_in(told, OWN)) == []


def test_an_id_of_absurd_length_is_none() -> None:
    digits = "1" * 10_000
    for lid, phone in ((f"{digits}@lid", PHONE), (LID, f"{digits}@s.whatsapp.net")):
        assert list(pairs_in(key(remoteJid=lid, remoteJidAlt=phone))) == []
