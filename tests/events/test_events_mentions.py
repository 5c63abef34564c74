"""Who is meant: mentions of the account, answers to it, and texts with names, by phone and lid."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import EvolutionClient, Jid
from evolution_sdk.events import EventRouter, MessageEvent, MessagesUpsert, filters, parse_event
from evolution_sdk.identity import LidMap
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.webhooks import WebhookReceiver

FACTS = Path(__file__).parents[2] / "facts" / "versions"
GROUP = "120363000000000009@g.us"
ME, MY_LID = "5511900000001@s.whatsapp.net", "100000000000001@lid"
ANA, ANA_LID = "5511900000002@s.whatsapp.net", "100000000000002@lid"
BIA_LID = "131100000000721@lid"


def envelope(event: str, data: Any, sender: str | None = ME) -> dict[str, Any]:
    return {"event": event, "instance": "loja", "data": data, "sender": sender}


def message(
    text: str, context: Any = None, key: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    told = {"remoteJid": GROUP, "fromMe": False, "id": "3AC3", "participant": ANA_LID}
    data = {"key": told if key is None else key, "message": {"conversation": text}}
    about = {} if context is None else {"contextInfo": context}
    return envelope("messages.upsert", {**data, **about, "messageType": "conversation", **more})


# As case 43 of tests/data/cases/cases.json: a group of 2.3.0, with both ids of its members.
GROUPS = envelope(
    "groups.upsert",
    [
        {
            "id": GROUP,
            "owner": ANA_LID,
            "ownerJid": ANA,
            "participants": [{"id": ANA_LID, "jid": ANA}, {"id": MY_LID, "jid": ME}],
        }
    ],
)
MENTION = message("@100000000000001 me ajuda", {"mentionedJid": [MY_LID]})
OWN_IN_GROUP = envelope(
    "messages.upsert",
    {
        "key": {"remoteJid": GROUP, "fromMe": True, "id": "3A9", "participant": MY_LID},
        "message": {"conversation": "oi"},
    },
)


def after(*before: dict[str, Any], event: dict[str, Any]) -> Any:
    router = EventRouter()
    for one in before:
        router.dispatch_sync(parse_event(one))
    typed = parse_event(event)
    router.dispatch_sync(typed)
    return typed


@pytest.mark.parametrize("told", [GROUPS, OWN_IN_GROUP])
def test_a_group_mentions_the_account_by_its_hidden_id(told: dict[str, Any]) -> None:
    assert not after(event=MENTION).mentions_me, "nobody told whose id it is"
    event = after(told, event=MENTION)
    assert event.mentions_me
    assert filters.mentions_me.find(event) is not None
    assert filters.addressed_to_me.find(event) is not None
    other = after(told, event=message("@131100000000721", {"mentionedJid": [BIA_LID]}))
    assert not other.mentions_me
    assert filters.addressed_to_me.find(other) is None


def test_the_router_hears_of_ids_also_where_nobody_handles_the_event() -> None:
    lids, seen = LidMap(), list[str]()
    router = EventRouter(lids=lids)

    @router.on(MessagesUpsert, filters.mentions_me)
    def mentioned(_: MessagesUpsert) -> None:
        seen.append("mention")

    receiver = WebhookReceiver(router)
    assert receiver.handle("POST", "/", {}, json.dumps(GROUPS).encode())[0] == 200
    assert receiver.handle("POST", "/", {}, json.dumps(MENTION).encode())[0] == 200
    assert receiver.drain()
    receiver.close()
    assert seen == ["mention"]
    assert lids.phone_of(MY_LID) is not None


def test_a_client_knows_what_it_was_fed_with() -> None:
    with FakeEvolution().serve() as fake, EvolutionClient(fake.url, "key") as client:
        event = parse_event(MENTION).bind(client)
        assert isinstance(event, MessageEvent)
        assert not event.mentions_me
        client.feed(GROUPS, verified=True)
        assert event.mentions_me
        # A router that saw more than the client helps, too.
        other = message("@131100000000721", {"mentionedJid": [BIA_LID]})
        bound: Any = parse_event(other).bind(client)
        router = EventRouter()
        pair = {"id": BIA_LID, "phoneNumber": "5511900000003@s.whatsapp.net"}
        router.dispatch_sync(parse_event(envelope("contacts.upsert", [pair])))
        assert bound.readable_text() == "@131100000000721"
        router.dispatch_sync(bound)
        assert bound.readable_text() == "@+5511900000003"


def test_what_an_event_may_ask_is_no_part_of_it() -> None:
    plain, knowing = parse_event(MENTION), after(GROUPS, event=MENTION)
    assert plain == knowing
    assert hash(plain) == hash(knowing)
    assert not pickle.loads(pickle.dumps(knowing)).mentions_me
    assert plain.raw == MENTION
    assert repr(plain) == repr(knowing)


def private(**more: Any) -> dict[str, Any]:
    return {"remoteJid": ANA, "fromMe": False, "id": "3AC3", **more}


def quoting(sender: Any, **more: Any) -> dict[str, Any]:
    return {"stanzaId": "3EB0", "participant": sender, "quotedMessage": {}, **more}


@pytest.mark.parametrize(
    ("event", "me"),
    [
        (message("sim", quoting(ME)), True),
        (message("sim", quoting(MY_LID)), True),
        (message("sim", quoting(ANA_LID)), False),
        (message("sim", quoting(BIA_LID)), False),
        (message("sim", None), False),
        (message("sim", quoting(None)), False),
        # In a chat of two, whoever is not the other one is the account.
        (message("sim", quoting("777777777777777@lid"), private(remoteJidAlt=ANA_LID)), True),
        (message("sim", quoting(ANA_LID), private(remoteJidAlt=ANA_LID)), False),
        (message("sim", quoting("777777777777777@lid"), private()), False),
        (message("sim", quoting("5511900000009@s.whatsapp.net"), private()), True),
        (
            message(
                "sim",
                quoting("5511900000009@s.whatsapp.net", remoteJid="120363000000000001@g.us"),
                private(),
            ),
            False,
        ),
    ],
)
def test_replies(event: dict[str, Any], me: bool) -> None:
    typed = after(GROUPS, event=event)
    assert typed.replies_to_me is me
    assert (filters.replies_to_me.find(typed) is not None) is me


def addressed(event: dict[str, Any]) -> bool:
    return filters.addressed_to_me.find(after(GROUPS, event=event)) is not None


def test_addressed_to_me() -> None:
    assert addressed(message("oi", key=private()))
    assert addressed(message("oi", key={"remoteJid": ANA_LID, "id": "3A", "fromMe": False}))
    assert addressed(message("sim", quoting(MY_LID)))
    assert not addressed(message("oi"))
    assert not addressed(message("oi", key={**private(), "fromMe": True}))
    story = {"remoteJid": "status@broadcast", "fromMe": False, "participant": ANA, "id": "3A"}
    assert not addressed(message("oi", key=story))
    # 2.2.3 reports own messages in groups with hidden ids as those of others.
    mine = {"remoteJid": GROUP, "fromMe": False, "id": "3A", "participant": MY_LID}
    assert not addressed(message("@100000000000001", {"mentionedJid": [MY_LID]}, mine))
    for body in (GROUPS, envelope("messages.update", {"keyId": "3A", "status": "READ"}), {}):
        assert filters.addressed_to_me.find(parse_event(body)) is None  # type: ignore[arg-type]


def test_people_are_found_under_their_other_id() -> None:
    event = after(GROUPS, event=MENTION)
    assert filters.sender(ANA).find(event) is not None
    assert filters.mentions(ME).find(event) is not None
    assert filters.sender("5511900000003").find(event) is None


def phones_are_ana(jid: Jid) -> str | None:
    return "Ana" if jid.is_phone else None


def last_digits(jid: Jid) -> str:
    return jid.user[-3:]


TWO = message(
    "@131100000000721, @100000000000002 e @1311000000007219 com a@b.c @todos",
    {"mentionedJid": [BIA_LID, ANA_LID], "nonJidMentions": 1},
)


@pytest.mark.parametrize(
    ("names", "text"),
    [
        (None, "@131100000000721, @+5511900000002"),
        ({BIA_LID: "Bia"}, "@Bia, @+5511900000002"),
        ({Jid.parse(ANA): "Ana"}, "@131100000000721, @Ana"),
        ({ANA_LID: "Ana", ANA: "other"}, "@131100000000721, @Ana"),
        ({"5511900000002": "@131100000000721"}, "@131100000000721, @@131100000000721"),
        ({"+5511900000002": "Ana", BIA_LID: ""}, "@131100000000721, @Ana"),
        (phones_are_ana, "@131100000000721, @Ana"),
        (last_digits, "@721, @002"),
    ],
)
def test_readable_text(names: Any, text: str) -> None:
    event = after(GROUPS, event=TWO)
    assert event.readable_text(names) == f"{text} e @1311000000007219 com a@b.c @todos"
    assert event.text == TWO["data"]["message"]["conversation"]


def test_readable_text_of_captions_and_of_nothing() -> None:
    by_phone = message("oi @5511900000002", {"mentionedJid": [ANA_LID]})
    assert after(GROUPS, event=by_phone).readable_text({ANA_LID: "Ana"}) == "oi @Ana"
    assert after(event=by_phone).readable_text({ANA_LID: "Ana"}) == "oi @5511900000002"
    image = {"caption": "@100000000000002", "contextInfo": {"mentionedJid": [ANA_LID]}}
    data = message("")["data"] | {"message": {"imageMessage": image}, "messageType": "imageMessage"}
    assert after(GROUPS, event=envelope("messages.upsert", data)).readable_text() == (
        "@+5511900000002"
    )
    bare = parse_event(envelope("messages.upsert", {"key": {"id": "3A"}}))
    assert isinstance(bare, MessageEvent)
    assert bare.readable_text({}) is None
    # The account's own hidden id leads to its own phone, though no pair was told.
    assert after(OWN_IN_GROUP, event=MENTION).readable_text() == "@+5511900000001 me ajuda"


# Server 2.4 drops the context of plain texts (facts/versions/baileys.md): the text is what is left.
def test_a_lost_context_is_told_and_the_text_counts() -> None:
    lost = message("@100000000000001 e @100000000000002")
    lost["data"]["contextInfo"] = None
    event = after(GROUPS, event=lost)
    assert event.message.context_known is not True
    assert event.mentions == ()
    assert event.mentions_me
    assert event.readable_text({ME: "Bot"}) == "@Bot e @+5511900000002"
    lost["data"]["message"]["conversation"] = "@131100000000721 e @5511900000009 e @100000000000002"
    event = after(GROUPS, event=lost)
    assert not event.mentions_me
    assert event.readable_text({"5511900000009": "Eva"}) == (
        "@131100000000721 e @Eva e @+5511900000002"
    ), "digits alone are no phone number"
    known = after(GROUPS, event=message("@100000000000001 e @100000000000002"))
    assert known.message.context_known
    assert not known.mentions_me, "digits that somebody typed"
    assert known.readable_text({ME: "Bot"}) == "@100000000000001 e @100000000000002"


def recorded(version: str, name: str, pick: Callable[[Any], bool]) -> Any:
    rows = json.loads((FACTS / version / "baileys_webhooks.json").read_text("utf-8"))
    return next(parse_event(r["json"]) for r in rows if r["name"] == name and pick(r["json"]))


def test_recorded() -> None:
    def is_message(body: Any) -> bool:
        return bool(body["event"] == "messages.upsert")

    name = "status reply (quoted remoteJid status@broadcast)"
    assert [recorded(v, name, is_message).replies_to_me for v in ("2.2.3", "2.3.7")] == [True, True]
    lost = recorded("2.4-pre", name, is_message)
    assert not lost.replies_to_me
    assert lost.message.context_known is not True
    link = "extendedText with link preview"
    for version in ("2.2.3", "2.3.7"):
        assert recorded(version, link, is_message).message.context_known is True
    assert recorded("2.4-pre", link, is_message).message.context_known is False


def test_an_own_message_that_2_2_3_gives_to_others_is_known_once_the_hidden_id_is() -> None:
    """`facts/versions/baileys.md`, group: own message under a LID, ``fromMe`` false on 2.2.3."""
    key = {"remoteJid": GROUP, "fromMe": False, "id": "3AA", "participant": MY_LID}
    router, seen = EventRouter(runs="all"), list[bool]()

    def note(event: MessagesUpsert) -> None:
        seen.append(filters.from_me.check(event))

    router.add(note, MessagesUpsert)
    for body in (message("eco", key=key), OWN_IN_GROUP, message("eco", key={**key, "id": "3AB"})):
        router.dispatch_sync(parse_event(body))
    router.dispatch_sync(parse_event(message("oi")))
    assert seen == [False, True, True, False]
