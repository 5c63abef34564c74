"""The account of each instance: from whatever names it, and never from what only seems to."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from evolution_sdk import EvolutionClient, Jid
from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk.identity.identities import Identities
from evolution_sdk.identity.lids import LidMap, pairs_in
from evolution_sdk.identity.own_accounts import OwnAccounts
from evolution_sdk.models import InstanceInfo
from evolution_sdk.testing import FakeEvolution

FACTS = Path(__file__).parents[2] / "facts" / "versions"
ME, LID = Jid.parse("5511900000001@s.whatsapp.net"), Jid.parse("100000000000001@lid")
ANA, ANA_LID = Jid.parse("5511900000002@s.whatsapp.net"), Jid.parse("100000000000002@lid")
GROUP = "120363000000000009@g.us"


def envelope(event: str, data: Any, sender: Any = None, instance: Any = "loja") -> dict[str, Any]:
    return {"event": event, "instance": instance, "data": data, "sender": sender}


def own(**key: Any) -> dict[str, Any]:
    return {"key": {"remoteJid": GROUP, "fromMe": True, "id": "3A1"} | key}


@pytest.mark.parametrize(
    "told",
    [
        envelope("messages.upsert", {}, str(ME)),
        envelope("connection.update", {"state": "open", "wuid": "5511900000001:7@s.whatsapp.net"}),
        envelope("CONNECTION_UPDATE", [{"wuid": str(ME)}]),
        [{"name": "loja", "ownerJid": str(ME)}],
        [InstanceInfo.from_wire({"name": "loja", "ownerJid": str(ME)})],
    ],
)
def test_the_phone(told: Any) -> None:
    accounts = OwnAccounts()
    accounts.learn(told)
    assert accounts.of("loja").phone == ME
    assert accounts.of("other").phone is None
    assert "5511900000001" not in repr(accounts.of("loja"))


def test_the_hidden_id_of_own_messages() -> None:
    accounts = OwnAccounts()
    accounts.learn(envelope("messages.upsert", own(participant=str(LID)), str(ME)))
    assert accounts.of("loja").lids == (LID,)
    accounts.learn(envelope("MESSAGES_SET", [own(participant=str(ME), participantLid="5@lid")]))
    accounts.learn(envelope("send.message", {"key": {"fromMe": True, "senderLid": "6@lid"}}))
    assert accounts.of("loja").lids == (LID, Jid("5", "lid"), Jid("6", "lid"))
    accounts.learn(envelope("messages.upsert", {}, str(ANA)))
    assert accounts.of("loja").lids == (), "another number is another account"


@pytest.mark.parametrize(
    ("event", "data"),
    [
        # A contact's edit or revoke comes with fromMe true (facts/versions/baileys.md).
        ("messages.edited", own(participant=str(ANA_LID))),
        ("messages.update", own(participant=str(ANA_LID))),
        ("messages.delete", own(participant=str(ANA_LID))),
        # Where the key names the phone of somebody else, fromMe is wrong.
        ("messages.upsert", own(participant=str(ANA_LID), participantAlt=str(ANA))),
        # 2.2.3 says so of own messages in groups with hidden ids.
        (
            "messages.upsert",
            {"key": {"remoteJid": GROUP, "fromMe": False, "participant": str(LID)}},
        ),
        ("messages.upsert", {"key": {"fromMe": "true", "participant": str(LID)}}),
        ("messages.upsert", {"message": own(participant=str(ANA_LID))}),
    ],
)
def test_what_only_seems_to_be_own(event: str, data: Any) -> None:
    accounts = OwnAccounts()
    accounts.learn(envelope(event, data, str(ME)))
    assert accounts.of("loja").lids == ()
    assert accounts.of("loja").phone == ME


def test_unproven_events_change_nothing_that_is_proven() -> None:
    accounts = OwnAccounts()
    accounts.learn(envelope("messages.upsert", {}, str(ANA)), proven=False)
    assert accounts.of("loja").phone == ANA
    accounts.learn(envelope("messages.upsert", {}, str(ME)))
    forged = envelope("messages.upsert", own(participant=str(ANA_LID)), str(ANA))
    accounts.learn(forged, proven=False)
    known = accounts.of("loja")
    assert (known.phone, known.lids, known.proven) == (ME, (), True)


@pytest.mark.parametrize(
    "odd", [{"a": 1}, [1], 7, True, None, "", "x@y", "120363000000000009@g.us"]
)
def test_odd_types(odd: Any) -> None:
    accounts = OwnAccounts()
    for told in (
        odd,
        [odd],
        envelope("messages.upsert", odd, odd),
        envelope(odd, own(participant=odd), odd, odd),
        envelope("connection.update", {"wuid": odd}),
        envelope("messages.upsert", own(participant=odd, senderLid=odd)),
        [{"name": odd, "ownerJid": odd}],
    ):
        accounts.learn(told)
    assert accounts.of("loja").phone is None


def test_identities() -> None:
    known = Identities(LidMap())
    known.learn(envelope("groups.upsert", [{"owner": str(LID), "ownerPn": str(ME)}], str(ME)))
    account = known.account("loja", None)
    assert account.phone == ME
    assert account.lids == (LID,)
    assert all(known.is_account(who, account) for who in (LID, ME, Jid(LID.user, "lid", 7)))
    assert not any(known.is_account(who, account) for who in (None, ANA, ANA_LID, Jid.parse(GROUP)))
    other = known.account("loja", str(ANA))
    assert (other.phone, other.lids) == (ANA, ())
    assert not known.is_account(LID, other)
    nobody = known.account("unknown", None)
    assert not known.is_account(LID, nobody)


def test_fetch_instances_teaches_a_client() -> None:
    with FakeEvolution().serve() as fake:
        fake.create_instance("sales")
        with EvolutionClient(fake.url, "test-api-key", instance="sales") as client:
            (found,) = client.instances.fetch()
            accounts = client._pipeline.event_intake.identities.accounts
            assert found.owner_jid is not None
            assert accounts.of("sales").phone == Jid.parse(found.owner_jid)


@pytest.mark.parametrize(
    ("version", "lids"), [("2.2.3", ()), ("2.3.7", (LID,)), ("2.4-pre", (LID,))]
)
def test_recordings(version: str, lids: tuple[Jid, ...]) -> None:
    accounts = OwnAccounts()
    names = set[str]()
    for row in json.loads((FACTS / version / "baileys_webhooks.json").read_text("utf-8")):
        accounts.learn(row["json"])
        names.add(row["json"].get("instance") or "")
    known = [accounts.of(name) for name in names if name]
    assert {one.phone for one in known} == {ME}
    assert {lid for one in known for lid in one.lids} == {*lids}


def test_own_rows_make_no_pair_of_the_account_and_its_chat() -> None:
    # Rows come without an envelope: the client knows the account.
    row = {"key": {"remoteJid": str(ANA_LID), "remoteJidAlt": str(ME), "fromMe": True, "id": "3A"}}
    assert list(pairs_in([row])) == [(ANA_LID, ME)]
    assert list(pairs_in([row], str(ME))) == []


def test_threads_may_tell_at_once() -> None:
    """A thread that forgets what was told must not make another one's learning fail.

    Writing an entry is two steps, between which another thread may take it away: KeyError.
    """
    accounts = OwnAccounts()

    class Watched(BoundedDict[str, Any]):
        def __setitem__(self, key: str, value: Any) -> None:
            assert accounts._lock.locked()
            super().__setitem__(key, value)

        def pop(self, key: str, *default: Any) -> Any:
            assert accounts._lock.locked()
            return super().pop(key, *default)

    accounts._told = Watched(9)
    accounts._accounts = Watched(9)
    accounts.learn({"event": "messages.upsert", "instance": "i", "sender": str(ME), "data": {}})
    accounts.learn({"event": "connection.update", "instance": "i", "data": {"wuid": str(ANA)}})
    accounts.learn({"name": "i", "ownerJid": str(ME)})
    assert accounts.of("i").phone == ME


def test_a_name_of_absurd_length_is_not_remembered() -> None:
    accounts, name = OwnAccounts(), "x" * 10_000
    own = "5511900000001@s.whatsapp.net"
    accounts.learn({"event": "messages.upsert", "instance": name, "sender": own, "data": {}})
    accounts.learn({"event": "messages.upsert", "instance": "i", "sender": name, "data": {}})
    accounts.learn({"name": name, "ownerJid": own})
    assert accounts.of(name).phone is None
    kept = [text for key, value in accounts._told.items() for text in (key, value[0])]
    assert all(len(text) < 1_000 for text in kept)


def test_a_send_under_the_account_makes_no_pair_with_its_chat() -> None:
    """``send.message`` is evidence for lost sends: its key goes through the same rules."""
    client = EvolutionClient("http://fake", "key", instance="loja")
    key = {"id": "OUT", "remoteJid": str(ANA_LID), "remoteJidAlt": str(ME), "fromMe": True}
    event = {"event": "send.message", "instance": "loja", "data": {"key": key}}
    with client:
        client.feed({**event, "sender": str(ME)}, verified=True)
        assert client.lids.phone_of(ANA_LID) is None
        # An envelope without the account: it is known from others.
        client.feed(event, verified=True)
        client.feed({**event, "event": "messages.upsert"}, verified=True)
        assert client.lids.phone_of(ANA_LID) is None


def test_what_cannot_be_learned_reaches_those_who_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any, **__: Any) -> None:
        raise KeyError("i")

    monkeypatch.setattr(OwnAccounts, "learn", broken)
    heard: list[Any] = []
    with EvolutionClient("http://fake", "key", instance="loja") as client:
        client.observe_events(heard.append)
        client.feed({"event": "messages.upsert", "instance": "loja", "data": {}}, verified=True)
    assert len(heard) == 1
