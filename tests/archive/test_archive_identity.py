"""An id is not enough: changes count for their own chat, the others stand beside."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import permutations
from typing import Any

import pytest
from archive_stage import (
    ACCOUNT,
    ANA,
    ANA_LID,
    BOB,
    BOB_LID,
    GROUP,
    T0,
    Clock,
    claimed,
    delete,
    edit,
    edited,
    event,
    in_group,
    only,
    record,
    status,
    untouched,
    upsert,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from databases import KINDS, fresh_place
from effort import examples
from evolution_sdk.archive import Archive
from evolution_sdk.archive import _settling as settling
from evolution_sdk.events import Event
from evolution_sdk.models import SentMessage


@pytest.fixture
def archive(place: str) -> Iterator[Archive]:
    with Archive(place, clock=Clock()) as made:
        yield made


STRANGER: dict[str, list[Event[Any]]] = {
    "edit": [claimed("changed", {"remoteJid": BOB, "fromMe": False})],
    "edit of ours": [claimed("changed", {"remoteJid": BOB, "fromMe": True})],
    "edit as the server tells it": [edited(BOB, "changed")],
    "revoke": [event("messages.delete", {"id": "M1", "remoteJid": BOB, "fromMe": False})],
    "revoke of ours": [event("messages.delete", {"id": "M1", "remoteJid": BOB, "fromMe": True})],
    "revoke as the phone tells it": [
        event("messages.edited", {"key": {"id": "M1", "remoteJid": BOB}, "type": "REVOKE"})
    ],
    "API revoke": [event("messages.delete", record(1, key={"remoteJid": BOB, "deleted": True}))],
    "API edit": [
        event(
            "send.message.update",
            {
                "key": {"id": "M1", "remoteJid": BOB, "fromMe": True}, "type": 14,
                "editedMessage": {"conversation": "changed"}, "timestampMs": T0 * 1_000,
            },
        )
    ],
}  # fmt: skip


@pytest.mark.parametrize("from_me", [False, True])
@pytest.mark.parametrize("what", STRANGER)
@pytest.mark.parametrize("first", [True, False])
def test_what_another_chat_does_with_the_id_changes_nothing(
    archive: Archive, what: str, from_me: bool, first: bool
) -> None:
    events = [upsert(1, key={"fromMe": from_me}), *STRANGER[what]]
    for each in events if first else reversed(events):
        archive.record(each)
    kinds = tuple("edit" if "edit" in what else "delete" for _ in STRANGER[what])
    untouched(archive, kinds)


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_what_the_server_says_outweighs_what_was_claimed(place: str, order: Any) -> None:
    """A stranger's phone names us as the chat, as a contact's does; the server names the chat."""
    events = [
        upsert(), claimed("changed", {"remoteJid": ACCOUNT, "fromMe": True}), edited(BOB, "changed")
    ]  # fmt: skip
    with Archive(place, clock=Clock()) as archive:
        for index in order:
            archive.record(events[index])
        untouched(archive, ("edit", "edit"))


def test_a_claim_about_one_of_several_messages_is_not_applied(archive: Archive) -> None:
    archive.record(upsert())
    archive.record(upsert(1, key={"remoteJid": BOB}))
    archive.record(claimed("changed", {"remoteJid": ACCOUNT, "fromMe": True}))
    assert {each.text for each in archive.messages()} == {"Olá, coração!"}
    archive.record(edited(ANA, "changed"))
    assert [each.from_me for each in archive.updates("M1", chat=ANA)] == [False, True]
    assert [each.from_me for each in archive.updates("M1", chat=ACCOUNT)] == [True]
    assert archive.updates("M1", chat=BOB) == []
    assert {each.chat: each.text for each in archive.messages()} == {
        ANA: "changed", BOB: "Olá, coração!",
    }  # fmt: skip


def test_an_id_that_is_used_again_hides_nothing(archive: Archive) -> None:
    archive.record(upsert(1, "of Ana"))
    archive.record(upsert(1, "of Bob", key={"remoteJid": BOB}, messageTimestamp=T0 + 50))
    archive.record(upsert(1, "ours", key={"fromMe": True}, messageTimestamp=T0 + 40))
    archive.record(in_group(BOB, message={"conversation": "Bob's in the group"}))
    archive.record(in_group(ANA, message={"conversation": "Ana's in the group"}))
    assert len(archive.messages()) == 5
    newest = archive.get("M1")
    assert newest is not None
    assert newest.text == "of Bob"
    found = archive.get("M1", chat=ANA)
    assert found is not None
    assert found.text == "ours"
    assert archive.get("M1", chat="5521000000000") is None
    assert archive.get("M1", chat="+55 21 91234-5678") == newest
    archive.record(delete())
    gone = [each.text for each in archive.messages() if each.deleted_at is not None]
    assert gone == ["of Ana"]
    assert [each.text for each in archive.search("group")] == [
        "Ana's in the group", "Bob's in the group",
    ]  # fmt: skip


def test_other_instances_are_other_worlds(archive: Archive) -> None:
    archive.record(upsert())
    archive.record(event("messages.delete", delete().raw["data"], instance="support"))
    untouched(archive, ("delete",))


STATUSES = {
    ANA: True,
    "5511987654321:12@s.whatsapp.net": True,
    "551187654321@s.whatsapp.net": True,
    "5511987654321": True,
    "": True,
    "100000000000002:12@lid": True,  # nobody told whose it is
    "100000000000002": True,  # the same, as 2.4 writes it
    BOB_LID: False,
    BOB: False,
    "5521912345678": False,
    GROUP: False,
}


@pytest.mark.parametrize("chat", STATUSES)
@pytest.mark.parametrize("first", [True, False])
def test_a_status_counts_in_its_own_chat(archive: Archive, chat: str, first: bool) -> None:
    archive.record(upsert(9, key={"remoteJid": BOB, "remoteJidAlt": BOB_LID}))
    read = event("messages.update", status("READ").raw["data"] | {"remoteJid": chat})
    for each in (upsert(), read) if first else (read, upsert()):
        archive.record(each)
    found = archive.get("M1")
    assert found is not None
    assert (str(found.status) == "READ") == STATUSES[chat]
    assert archive.updates("M1")[0].applied == STATUSES[chat]


def test_of_one_chat_a_status_counts_for_whose_it_is(archive: Archive) -> None:
    archive.record(upsert(1))
    archive.record(upsert(1, key={"fromMe": True}))
    archive.record(status("READ"))
    assert {each.from_me for each in archive.messages() if each.status is not None} == {True}


def test_what_is_learned_later_applies_what_stood_beside(archive: Archive) -> None:
    archive.record(upsert())
    archive.record(edited(ANA_LID, "changed"))
    archive.record(event("messages.delete", {"id": "M1", "remoteJid": ANA_LID, "fromMe": False}))
    untouched(archive, ("edit", "delete"))
    archive.record(upsert(2, key={"remoteJid": ANA_LID, "remoteJidAlt": ANA}))
    found = archive.get("M1", chat=ANA_LID)
    assert found is not None
    assert (found.text, found.deleted_at is None) == ("changed", False)
    assert all(each.applied for each in archive.updates("M1"))
    assert [each.id for each in archive.search("changed")] == ["M1"]


def test_what_is_learned_later_undoes_what_was_believed(archive: Archive) -> None:
    """The claim was believed while nobody knew whose the hidden id of the proof was."""
    archive.record(upsert())
    archive.record(claimed("changed", {"remoteJid": ACCOUNT, "fromMe": True}))
    archive.record(edited(BOB_LID, "changed"))
    assert only(archive).text == "changed"
    archive.record(
        event("group-participants.update", {
            "id": GROUP, "action": "add", "participants": [{"id": BOB_LID, "phoneNumber": BOB}],
        })
    )  # fmt: skip
    untouched(archive, ("edit", "edit"))


def test_one_message_under_both_ids_becomes_one(archive: Archive) -> None:
    archive.record(upsert(1, "twice", key={"remoteJid": ANA_LID}, pushName=None))
    archive.record(upsert(1, "twice", status="READ"))
    archive.record(edited(ANA, "changed"))
    assert len(archive.messages()) == 2
    archive.record(upsert(2, key={"remoteJid": ANA_LID, "remoteJidAlt": ANA}))
    (found,) = archive.search("changed")
    assert (found.push_name, str(found.status)) == ("Ana", "READ")
    assert len(archive.messages()) == 2
    assert archive.search("twice") == []


def test_a_strangers_words_teach_no_hidden_id(archive: Archive) -> None:
    archive.record(upsert())
    key = {"remoteJid": BOB_LID, "remoteJidAlt": ANA, "fromMe": False}
    archive.record(claimed("changed", key))
    archive.record(event("messages.delete", {"id": "M1", "remoteJid": BOB_LID, "fromMe": False}))
    untouched(archive, ("delete", "edit"))


def test_an_own_send_and_its_events_are_one_message(archive: Archive) -> None:
    own = record(key={"fromMe": True, "remoteJid": "5511987654321"})
    archive.record_sent(SentMessage.from_wire(own), "sales")
    archive.record(event("send.message", record(key={"fromMe": True})))
    archive.record(event("send.message", record(key={"fromMe": True, "remoteJid": ANA_LID,
                                                     "remoteJidAlt": ANA})))  # fmt: skip
    assert len(archive.messages()) == 1


def test_two_edits_told_alike_but_for_their_text_are_two() -> None:
    """Their chat, id and status are the same; a receiver would drop the second as a copy."""
    first, second = edited(ANA, "one"), edited(ANA, "two")
    assert first.dedupe_key != second.dedupe_key
    assert first.dedupe_key == edited(ANA, "one").dedupe_key
    assert first.delivery_key != second.delivery_key


def test_a_flood_of_foreign_changes_is_kept_and_not_weighed_each_time(
    archive: Archive, monkeypatch: pytest.MonkeyPatch
) -> None:
    weighed: list[int] = []
    judge = settling.judge

    def counting(message: Any, others: int, changes: list[Any], lids: Any) -> Any:
        weighed.append(len(changes))
        return judge(message, others, changes, lids)

    monkeypatch.setattr(settling, "judge", counting)
    archive.record(upsert())
    for number in range(100):
        archive.record(edited(BOB, f"changed {number}"))
        archive.record(claimed(f"changed {number}", {"remoteJid": BOB, "fromMe": True}))
    assert weighed == []
    archive.record(edited(ANA, "mine"))
    assert weighed == [201], "weighed once, when one counts"
    assert only(archive).text == "mine"
    assert len(archive.updates("M1")) == 201


STORY: list[Event[Any]] = [
    upsert(),
    upsert(1, "of Bob", key={"remoteJid": BOB, "remoteJidAlt": BOB_LID}),
    upsert(1, "ours", key={"fromMe": True}),
    edit("Tchau"),
    edited(ANA, "Tchau"),
    edited(BOB_LID, "hidden"),
    edited(ANA, "ours changed", from_me=True),
    claimed("ours changed", {"remoteJid": ANA, "fromMe": True}),
    claimed("Tchau", {"remoteJid": ACCOUNT, "fromMe": True}),
    event("messages.delete", {"id": "M1", "remoteJid": BOB_LID, "fromMe": False}),
    event("messages.update", status("READ").raw["data"] | {"remoteJid": BOB, "fromMe": False}),
]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=examples(40))
@given(order=st.permutations(range(len(STORY))))
def test_the_order_of_what_is_told_changes_nothing(
    tmp_path_factory: pytest.TempPathFactory, kind: str, order: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("order")
    with fresh_place(kind, folder) as place, Archive(place, clock=Clock()) as archive:
        for index in order:
            assert archive.record(STORY[index])
        found = {(each.chat, each.from_me): each for each in archive.messages()}
        assert len(found) == 3
        assert {key: each.text for key, each in found.items()} == {
            (ANA, False): "Tchau", (BOB, False): "hidden", (ANA, True): "ours changed",
        }  # fmt: skip
        gone = {key for key, each in found.items() if each.deleted_at is not None}
        assert gone == {(BOB, False)}
        assert {key for key, each in found.items() if each.status is not None} == {(BOB, False)}
        assert all(each.applied for each in archive.updates("M1"))
