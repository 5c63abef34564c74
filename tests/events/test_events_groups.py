"""Groups, members, calls, presences, labels, contacts and chats, as each version tells them."""

from __future__ import annotations

import json
from typing import Any

import event_corpus as corpus
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from version_deliveries import VERSIONS, bodies, told

from effort import examples
from evolution_sdk import events as ev
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models import Group, Member

GROUP = Jid("120363000000000001", "g.us")
BIA_LID, BIA = Jid("100000000000003", "lid"), PhoneNumber("5511900000003")
ADA_LID, ADA = Jid("100000000000002", "lid"), PhoneNumber("5511900000002")
OBJECTS = {
    "add": "group participants add (stub 27, as Baileys 7 decodes it)",
    "promote": "group participants promote (stub 29, as Baileys 7 decodes it)",
    "demote": "group participants demote (stub 30, as Baileys 7 decodes it)",
}
MEMBERS = "group-participants.update"


def event(name: str, data: Any, **envelope: Any) -> Any:
    return ev.parse_event({"event": name, "instance": "sales", "data": data, **envelope})


# Members of groups


@pytest.mark.parametrize("version", ["2.3.7", "2.4-pre"])
@pytest.mark.parametrize(
    ("action", "is_admin"), [("add", False), ("promote", True), ("demote", False)]
)
def test_members_as_objects(version: str, action: str, is_admin: bool) -> None:
    change = told(version, OBJECTS[action], MEMBERS)
    assert isinstance(change, ev.GroupParticipantsUpdate)
    assert (change.chat, change.action) == (GROUP, action)
    assert (change.author, change.author_phone) == (ADA_LID, ADA)
    assert change.members == (Member(BIA_LID, BIA_LID, BIA, is_admin=is_admin),)
    (details,) = change.data.participants_data
    assert (details.jid, details.phone_number) == (str(BIA_LID), str(BIA.jid))
    assert change.data.drift == ()


@pytest.mark.parametrize("version", VERSIONS)
def test_members_as_texts(version: str) -> None:
    """Names and pictures since 2.3.5; before, nothing says whose the hidden id is."""
    change = told(version, "group-participants.update strings LID", MEMBERS)
    (member,) = change.members
    assert (member.jid, member.lid, member.is_admin) == (BIA_LID, BIA_LID, False)
    later = version != "2.2.3"
    assert (member.phone, member.name) == ((BIA, "Bia") if later else (None, None))
    assert (member.picture_url or "").startswith("https://") is later
    assert (change.author, change.author_phone) == (ADA_LID, None)

    change = told(version, "group-participants.update strings phone", MEMBERS)
    assert change.members == (Member(BIA.jid, None, BIA),)
    assert (change.action, change.author_phone) == ("remove", ADA)
    change = told(version, "group-participants.update unknown group", MEMBERS)
    assert change.members == (Member(BIA_LID, BIA_LID),)


def test_the_digits_of_a_hidden_id_are_no_phone() -> None:
    """Case 46: the server repeats them where it cannot resolve the id (source of 2.3.5 to 2.4)."""
    lid = "131100000000721@lid"
    for phone in ("131100000000721", "131100000000721@s.whatsapp.net", "[object Object]", ""):
        data = {
            "id": str(GROUP),
            "author": str(ADA_LID),
            "participants": [lid],
            "action": "add",
            "participantsData": [{"jid": lid, "phoneNumber": phone}],
        }
        change = event(MEMBERS, data)
        (member,) = change.members
        assert (str(member.jid), member.phone) == (lid, None)
        assert change.data.participants[0].id == lid
        assert change.data.participants_data[0].phone_number is None
        assert change.raw["data"] == data


def test_details_without_participants_and_participants_without_details() -> None:
    data = {
        "id": str(GROUP),
        "action": "modify",
        "participants": [{"id": str(ADA.jid), "lid": str(ADA_LID), "admin": "superadmin"}],
        "participantsData": [{"jid": str(ADA_LID), "name": "Ada"}, str(BIA_LID)],
    }
    change = event(MEMBERS, data)
    assert [member.jid for member in change.members] == [ADA.jid, BIA_LID]
    ada = change.members[0]
    assert (ada.lid, ada.phone, ada.is_admin, ada.role) == (ADA_LID, ADA, True, "superadmin")


def test_members_that_name_nobody() -> None:
    broken = "[object Object]"
    details = [{"jid": {"id": str(BIA_LID), "phoneNumber": str(BIA.jid)}, "phoneNumber": broken}]
    data = {"participants": [broken, {}, None], "participantsData": [*details, broken, 7]}
    change = event(MEMBERS, {"id": str(GROUP), "action": "add", **data})
    assert change.members == (Member(BIA_LID, BIA_LID, BIA, is_admin=False),)


def test_an_action_that_is_new_keeps_its_word() -> None:
    change = event(MEMBERS, {"id": str(GROUP), "participants": [str(BIA_LID)], "action": "mute"})
    assert (change.action, change.action.is_known) == ("mute", False)
    assert change.members[0].is_admin is None
    assert "mute" in repr(change)


def test_content_is_in_no_repr() -> None:
    change = told("2.3.7", "group-participants.update strings LID", MEMBERS)
    assert "Bia" not in repr(change) + repr(change.members) + repr(change.data)
    assert BIA.digits not in repr(change.members)


# Groups


@pytest.mark.parametrize("version", VERSIONS)
def test_a_group_that_was_joined(version: str) -> None:
    (group,) = told(version, "groups.upsert", "groups.upsert").groups
    assert isinstance(group, Group)
    assert group.drift == ()
    assert (group.jid, group.subject, group.community) == (GROUP, "Equipe Exemplo", None)
    assert (group.owner_phone, group.author_phone) == (ADA, ADA)
    assert (group.is_community, group.member_add_mode, group.announce) == (False, True, False)
    assert [(one.phone, one.is_admin) for one in group.members] == [(ADA, True), (BIA, False)]


def test_a_group_that_changed_tells_what_changed() -> None:
    """The fields are those of Baileys (``src/Utils/process-message.ts`` emitGroupUpdate)."""
    by = {"author": str(ADA_LID), "authorPn": str(ADA.jid)}
    for wire, name, value in [
        ("announce", "announce", True),
        ("restrict", "restrict", False),
        ("subject", "subject", "Equipe"),
        ("desc", "desc", "d"),
        ("memberAddMode", "member_add_mode", True),
        ("joinApprovalMode", "join_approval_mode", True),
        ("inviteCode", "invite_code", "AbCdEf"),
    ]:
        (group,) = event("groups.update", [{"id": str(GROUP), wire: value, **by}]).groups
        assert group.told == {name}
        assert getattr(group, name) == value
        assert group.author_phone == ADA
        assert "AbCdEf" not in repr(group)


def test_a_group_of_a_community() -> None:
    parent = "120363000000000077@g.us"
    (group,) = event(
        "groups.upsert",
        [{"id": str(GROUP), "linkedParent": parent, "isCommunityAnnounce": True}],
    ).groups
    assert str(group.community) == parent
    assert (group.is_community_announce, group.members) == (True, ())


def test_a_request_to_join() -> None:
    """The shape is that of Baileys (``src/Types/Events.ts``); no version up to 2.4 passes it on."""
    data = {
        "id": str(GROUP),
        "author": str(BIA_LID),
        "authorPn": str(BIA.jid),
        "participant": str(BIA_LID),
        "participantPn": str(BIA.jid),
        "action": "created",
        "method": "invite_link",
    }
    for name in ("group.join-request", "GROUP_JOIN_REQUEST"):
        request = event(name, data)
        assert isinstance(request, ev.GroupJoinRequest)
        assert request.member == Member(BIA_LID, BIA_LID, BIA)
        assert (request.author, request.author_phone) == (BIA_LID, BIA)
        assert (request.chat, request.action, request.method) == (GROUP, "created", "invite_link")
    assert not ev.GroupJoinRequest.subscribable()
    assert type(event("newsletter.reaction", {"id": "1"})) is ev.UnknownEvent


def test_a_handler_of_requests_to_join() -> None:
    router = ev.EventRouter()
    heard: list[ev.Event] = []

    @router.on(ev.GroupJoinRequest)
    def asked(request: ev.GroupJoinRequest) -> None:
        heard.append(request)

    router.dispatch_sync(event("group.join-request", {"id": str(GROUP)}))
    assert len(heard) == 1
    assert router.used_events() == []


# Calls


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["call offer", "call timeout"])
def test_a_call_from_a_phone(version: str, name: str) -> None:
    call = told(version, name, "call")
    assert (call.caller, call.caller_phone, call.data.caller_alt) == (ADA.jid, ADA, None)
    assert (call.chat, call.status) == (ADA.jid, name.removeprefix("call "))
    assert (call.data.is_video, call.data.is_group, call.data.offline) == (False, False, False)
    assert call.data.drift == ()
    assert len(call.calls) == 1


def test_a_call_from_a_hidden_id() -> None:
    """Case 48; ``callerPn`` comes as Baileys tells it (`facts/versions/baileys.md`, call)."""
    data = {
        "chatId": str(ADA_LID),
        "from": str(ADA_LID),
        "callerPn": str(ADA.jid),
        "id": "CALL1",
        "date": "2026-09-01T10:00:00.000Z",
        "status": "offer",
        "latencyMs": 12,
    }
    call = event("call", data)
    assert (call.caller, call.data.caller_alt, call.caller_phone) == (ADA_LID, ADA.jid, ADA)
    assert (call.data.caller_pn, call.data.latency_ms) == (str(ADA.jid), 12)
    assert event("call", {**data, "callerPn": None}).caller_phone is None
    assert event("call", {**data, "callerPn": ADA_LID.user}).caller_phone is None
    several = event("call", [data, {**data, "id": "CALL2", "status": "preaccept"}])
    assert [one.id for one in several.calls] == ["CALL1", "CALL2"]
    assert several.calls[1].status is ev.CallStatus.PREACCEPT
    assert event("call", {**data, "status": "waved"}).status == "waved"


def test_the_automatic_answer_to_calls_puts_the_phone_in_place_of_the_hidden_id() -> None:
    data = {"chatId": str(ADA_LID), "from": f"{ADA.digits}:0@s.whatsapp.net", "id": "CALL1"}
    call = event("call", {**data, "status": "offer"})
    assert (call.caller, call.data.caller_alt, call.caller_phone) == (ADA.jid, ADA_LID, ADA)
    # A later state may come from any device, a group's chat is nobody's.
    assert event("call", {**data, "status": "accept"}).data.caller_alt is None
    group = event("call", {**data, "status": "offer", "isGroup": True, "groupJid": str(GROUP)})
    assert (group.data.caller_alt, group.data.group) == (None, GROUP)


# Presences


@pytest.mark.parametrize("version", VERSIONS)
def test_presences_by_person(version: str) -> None:
    typing = told(version, "presence composing", "presence.update")
    assert (typing.chat, typing.typing, typing.recording) == (ADA.jid, (ADA.jid,), ())
    assert typing.online == (ADA.jid,)
    there = told(version, "presence LID available", "presence.update")
    assert (there.typing, there.online) == ((), (ADA_LID,))
    assert there.presences[ADA_LID].last_seen is None


def test_presences_in_a_group_and_what_is_none() -> None:
    (seen,) = (
        ev.parse_event(row.body)
        for row in corpus.of_kind("presence.update")
        if "lastSeen" in row.text and row.transport == "webhook"
    )
    assert isinstance(seen, ev.PresenceUpdate)
    (one,) = seen.presences.values()
    assert (one.is_online, str(one.last_seen)) == (False, "2023-11-14 22:13:20+00:00")
    presences = {
        str(BIA_LID): {"lastKnownPresence": "recording"},
        f"{ADA.digits}:3@s.whatsapp.net": {"lastKnownPresence": "paused"},
        "nobody": {"lastKnownPresence": "composing"},
        "1@lid": {"lastKnownPresence": {"a": 1}},
        "2@lid": {"lastKnownPresence": "dancing", "groupOnlineCount": 7},
    }
    group = event("presence.update", {"id": str(GROUP), "presences": presences})
    assert (group.recording, group.typing) == ((BIA_LID,), ())
    assert group.online == (BIA_LID, ADA.jid)
    assert group.presences[Jid("2", "lid")].group_online_count == 7
    assert group.presences[Jid("2", "lid")].last_known_presence == "dancing"


# Labels


@pytest.mark.parametrize("version", VERSIONS)
def test_labels(version: str) -> None:
    edit = told(version, "labels.edit", "labels.edit")
    label = edit.label
    assert (label.id, label.color, label.predefined_id, edit.is_deleted) == ("1", 0, "1", False)
    assert told(version, "labels.edit deleted", "labels.edit").is_deleted
    if version != "2.2.3":  # where the statement fails before the event
        link = told(version, "labels.association add message", "labels.association")
        assert (link.chat, link.label_id, link.action) == (ADA.jid, "2", ev.LabelAction.ADD)
        assert link.data.message_id is None
        gone = told(version, "labels.association remove", "labels.association")
        assert gone.action is ev.LabelAction.REMOVE


# Contacts and chats


@pytest.mark.parametrize("version", VERSIONS)
def test_contacts_of_each_version(version: str) -> None:
    ada, bia = told(version, "contacts.upsert", "contacts.upsert").contacts
    assert (ada.jid, ada.phone, ada.lid, ada.name) == (ADA.jid, ADA, None, "Ada Exemplo")
    assert (bia.jid, bia.phone, bia.lid, bia.name) == (BIA_LID, None, BIA_LID, "Bia")
    (changed,) = told(version, "contacts.update", "contacts.update").contacts
    assert changed.picture_url.startswith("https://")
    assert (changed.name, changed.verified_name) == (None, None)
    # An "" stands for an own message, and a group for the chat of a message.
    for body in bodies(version, "contacts.upsert", "contacts.update"):
        for contact in ev.parse_event(body).contacts:  # type: ignore[attr-defined]
            assert contact.jid is not None
            assert contact.phone is None or contact.jid == contact.phone.jid
            assert contact.name != ""


def test_a_contact_without_a_name_has_the_digits_of_its_id() -> None:
    """Baileys: ``pushName: name || verifiedName || id.split('@')[0]`` (the server's source)."""
    for jid in (str(BIA_LID), str(ADA.jid)):
        data = {"remoteJid": jid, "pushName": jid.partition("@")[0]}
        (contact,) = event("contacts.upsert", [data]).contacts
        assert (contact.push_name, contact.name) == (data["pushName"], None)
        # The server's findParticipants takes that name for the members of a group.
        details = [{"jid": jid, "phoneNumber": str(BIA.jid), "name": data["pushName"]}]
        change = {"id": str(GROUP), "participants": [jid], "participantsData": details}
        (member,) = event(MEMBERS, change).members
        assert member.name is None


def test_contacts_of_business_and_of_later_servers() -> None:
    """Business takes ``profile.phone``, which Meta does not send, for the id (2.3.7's source)."""
    (contact,) = event("contacts.update", {"pushName": "Ada", "instanceId": "x"}).contacts
    assert (contact.jid, contact.phone, contact.name) == (None, None, "Ada")
    (contact,) = event("contacts.update", {"remoteJid": ADA.digits}).contacts
    assert (contact.jid, contact.phone) == (ADA.jid, ADA)
    later = {"id": str(ADA_LID), "phoneNumber": str(ADA.jid), "verifiedName": "Ada Ltda"}
    (contact,) = event("contacts.upsert", [later]).contacts
    assert (contact.jid, contact.lid, contact.phone) == (ADA_LID, ADA_LID, ADA)
    assert contact.verified_name == "Ada Ltda"


def test_chats_of_each_version() -> None:
    for version in VERSIONS:
        first, second = told(version, "messaging-history.set without progress", "chats.set").chats
        assert (first.name, first.lid) == ("Hist", None)
        new = version == "2.4-pre"
        assert str(second.lid) == "100000000000013@lid"
        assert (second.phone is not None) is new
        assert second.remote_lid == ("100000000000013@lid" if new else None)
        chats = told(version, "chats.upsert", "chats.upsert").chats
        assert [chat.unread_messages for chat in chats] == [2, 0, 0]
        assert chats[2].jid == GROUP
    (renamed,) = event("chats.upsert", [{"id": "cm0000000000000000000000a", "name": "Ada"}]).chats
    assert (renamed.jid, renamed.is_rename, renamed.name) == (None, True, "Ada")
    assert not chats[0].is_rename


# Whatever arrives

OURS = (
    *(MEMBERS, "groups.upsert", "call", "presence.update", "labels.edit", "labels.association"),
    *("chats.set", "chats.upsert", "contacts.upsert", "messages.set"),
)
SAMPLES = [body for version in VERSIONS for body in bodies(version, *OURS)]
ODD = st.sampled_from(
    [None, True, 0, -1, 2**70, 1.5, "", "1@lid", "1@g.us", "[object Object]", "9" * 5000, "\ud800",
     [], {}, [[]], {"a": {}}, ["x"], {"id": "1@lid"}, {"id": {"id": None}}]
)  # fmt: skip


def _places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else ()
    steps = enumerate(value) if isinstance(value, list) else inner
    return [path, *(each for step, part in steps for each in _places(part, (*path, step)))]


def _look(thing: Any, depth: int = 0) -> None:
    """Ask every property of an event, of its records and of theirs."""
    for name in dir(type(thing)):
        if isinstance(getattr(type(thing), name, None), property) and name[0] != "_":
            found = getattr(thing, name)
            if depth < 2 and name not in ("raw", "model_extra"):
                for part in found if isinstance(found, tuple) else (found,):
                    if type(part).__module__.startswith("evolution_sdk"):
                        _look(part, depth + 1)


@given(st.data())
@settings(max_examples=examples(300), deadline=None)
def test_no_odd_part_breaks_anything(data: st.DataObject) -> None:
    body = json.loads(json.dumps(data.draw(st.sampled_from(SAMPLES))))
    for _ in range(data.draw(st.integers(1, 3))):
        path = data.draw(st.sampled_from(_places(body["data"])))
        odd = data.draw(ODD)
        holder = body
        for step in ("data", *path)[:-1]:
            holder = holder[step]
        holder[("data", *path)[-1]] = json.loads(json.dumps(odd))
    before = json.dumps(body)
    parsed = ev.parse_event(body)
    _look(parsed)
    ev.HistoryProgress().update(parsed)
    assert (repr(parsed), json.dumps(parsed.raw)) == (repr(ev.parse_event(body)), before)
    _look(event("group.join-request", body["data"]))
