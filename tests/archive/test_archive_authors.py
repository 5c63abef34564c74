"""Changes count for their own author, as far as the server tells who did it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from archive_stage import (
    ACCOUNT,
    ANA,
    ANA_LID,
    BOB,
    BOB_LID,
    GROUP,
    Clock,
    claimed,
    edited,
    event,
    in_group,
    like,
    only,
    revoked,
    told,
    untouched,
)

from evolution_sdk.archive import Archive
from evolution_sdk.events import Event
from evolution_sdk.models import Group

VERSIONS = ("2.2.3", "2.3.7", "2.4-pre")
KNOWS_WHO_EDITS = VERSIONS[1:]


@pytest.fixture
def archive(place: str) -> Iterator[Archive]:
    with Archive(place, clock=Clock()) as made:
        yield made


@pytest.mark.parametrize("version", KNOWS_WHO_EDITS)
def test_the_other_side_rewrites_and_deletes_nothing_of_ours(
    archive: Archive, version: str
) -> None:
    """Recorded events about what the contact does, with the id of a message of ours."""
    own = like(told(version, "text to be edited", "messages.upsert")[0], fromMe=True)
    archive.record(own)
    for each in told(version, "edit (protocolMessage"):
        archive.record(each)
    archive.record(event("messages.delete", own.raw["data"]["key"] | {"fromMe": False}))
    message = only(archive)
    assert (message.text, message.edited_at, message.deleted_at) == ("erado", None, None)
    assert not any(each.applied for each in archive.updates(own.raw["data"]["key"]["id"]))


@pytest.mark.parametrize("version", VERSIONS)
def test_what_the_contact_does_with_their_message_counts(archive: Archive, version: str) -> None:
    """Recorded: the phone of the contact names us as the chat, and itself as "me"."""
    original = told(version, "text to be edited", "messages.upsert")[0]
    changes = told(version, "edit, key as the phone of the contact")
    archive.record(like(original, id="3ASIM00000000000501"))
    for each in changes:
        archive.record(each)
    assert only(archive).text == "editado"
    assert all(each.applied for each in archive.updates("3ASIM00000000000501"))


@pytest.mark.parametrize("version", VERSIONS)
def test_what_we_do_on_our_phone_counts_once_the_server_says_so(
    archive: Archive, version: str
) -> None:
    original = told(version, "text to be edited", "messages.upsert")[0]
    archive.record(like(original, id="3ASIM00000000000507", fromMe=True))
    for each in told(version, "own edit sent from the phone"):
        archive.record(each)
    expected = "meu texto editado" if version in KNOWS_WHO_EDITS else "erado"
    assert only(archive).text == expected, "2.2.3 does not tell who edited: it stands beside"
    assert archive.updates("3ASIM00000000000507")[0].text == "meu texto editado"
    for each in told(version, "own revoke sent from the phone"):
        archive.record(each)
    assert only(archive).deleted_at is not None


@pytest.mark.parametrize("version", VERSIONS)
def test_what_an_author_does_in_a_group_counts(archive: Archive, version: str) -> None:
    for each in told(version, "group text (extra)", "messages.upsert"):
        archive.record(each)
    for each in told(version, "group edit by its author"):
        archive.record(each)
    expected = "editado no grupo" if version in KNOWS_WHO_EDITS else "editar no grupo"
    assert only(archive).text == expected
    for each in told(version, "group revoke by its author"):
        archive.record(each)
    assert only(archive).deleted_at is not None


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("known", [False, True])
def test_a_revoke_by_an_admin_counts_where_the_admin_is_known(
    archive: Archive, version: str, known: bool
) -> None:
    for each in told(version, "group text to be revoked", "messages.upsert"):
        archive.record(each)
    if known:
        for each in told(version, "groups.upsert"):
            archive.record(each)
    for each in told(version, "revoke in group by an admin"):
        archive.record(each)
    assert (only(archive).deleted_at is not None) == known
    assert {each.applied for each in archive.updates(only(archive).id)} == {known}


def test_who_administers_is_learned_and_forgotten(archive: Archive) -> None:
    def rights(action: str, who: str = BOB) -> Event[Any]:
        # Recorded: "group-participants.update strings phone".
        data = {"id": GROUP, "author": ANA, "participants": [who], "action": action}
        return event("group-participants.update", data)

    archive.record(in_group())
    for each in (rights("promote"), rights("demote"), revoked(BOB)):
        archive.record(each)
    untouched(archive, ("delete",))
    archive.record(rights("promote", ACCOUNT))
    archive.record(rights("add", ACCOUNT))
    archive.record(revoked(ACCOUNT))
    assert only(archive).deleted_at is None
    people = [
        {"id": BOB_LID, "phoneNumber": BOB, "admin": "superadmin"}, {"id": ANA_LID, "admin": None},
    ]  # fmt: skip
    group = Group.from_wire({"id": GROUP, "participants": people})

    class Fact:
        result, instance = (group,), "sales"

    archive.observe(Fact())
    archive.record(revoked(None))
    archive.record(revoked(BOB, chat="120363000000000002@g.us"))
    assert only(archive).deleted_at is None
    archive.record(revoked(BOB))
    assert only(archive).deleted_at is None, "a copy of what was told when nobody knew"
    archive.record(revoked(BOB_LID))
    assert only(archive).deleted_at is not None


def test_a_forged_revoke_does_not_swallow_the_authors() -> None:
    """Chat and id are the same; a receiver would drop the second as a copy."""
    assert revoked(BOB).dedupe_key != revoked(ANA).dedupe_key
    assert revoked("").dedupe_key == revoked(None).dedupe_key


def test_in_a_group_only_its_author_edits(archive: Archive) -> None:
    archive.record(in_group())
    archive.record(edited(GROUP, "changed"))
    archive.record(claimed("changed", {"remoteJid": GROUP, "fromMe": True}))
    archive.record(claimed("changed", {"remoteJid": GROUP, "fromMe": False, "participant": ANA}))
    archive.record(event("messages.update", edited(GROUP, "x").raw["data"] | {"participant": BOB}))
    untouched(archive, ("edit",) * 4)
    archive.record(
        event("messages.update", edited(GROUP, "mine").raw["data"] | {"participant": ANA})
    )
    assert only(archive).text == "mine"


def test_the_accounts_own_hidden_id_is_the_account(archive: Archive) -> None:
    """2.2.3 says of own messages of groups with hidden ids that they are others'."""
    archive.record(in_group(ACCOUNT, key={"fromMe": True}))
    key = {"remoteJid": GROUP, "fromMe": False, "id": "M1", "participant": ACCOUNT}
    archive.record(event("messages.delete", key, sender=ACCOUNT))
    assert only(archive).deleted_at is not None


@pytest.mark.parametrize("version", VERSIONS)
def test_own_sends_of_the_api_progress_and_are_deleted(archive: Archive, version: str) -> None:
    """Recorded: by phone, by hidden id, from devices of either; deleted through the API."""
    for each in told(version, "API sendText (lid ack)", "send.message"):
        archive.record(each)
    for each in told(version, "messages.update READ with key in LID form"):
        archive.record(each)
    assert str(only(archive).status) == "READ"
    for each in told(version, "API deleteMessageForEveryone"):
        archive.record(each)
    assert only(archive).deleted_at is not None
    assert only(archive).text == "ack lid"
    for each in told(version, "API sendText (receipt with device)", "send.message"):
        archive.record(each)
    for each in told(version, "messages.update from a LID device jid"):
        archive.record(each)
    assert [str(each.status) for each in archive.messages()] == ["READ", "READ"]
    assert not [each for each in archive.messages() if each.edited_at is not None]
