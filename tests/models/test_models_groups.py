"""What is read out of answers about groups, labels, templates, catalogues, files and keys."""

from __future__ import annotations

from datetime import UTC, datetime

from evolution_sdk import OPERATIONS
from evolution_sdk.models import (
    AuthState,
    Catalog,
    Group,
    GroupParticipant,
    GroupRole,
    Label,
    MessageTemplate,
    ParticipantUpdates,
    ProductCollections,
    Proxy,
    StoredMedia,
    StoredMediaUrl,
    StoredTemplate,
    TemplateCategory,
    TemplateStatus,
)
from evolution_sdk.models.group import AddressingMode

METADATA = {
    "id": "120363000000000001@g.us",
    "addressingMode": "lid",
    "subject": "Test group",
    "subjectTime": 1700000000,
    "size": 2,
    "creation": 1690000000,
    "descTime": {"low": 1700000001, "high": 0, "unsigned": False},
    "ephemeralDuration": 86400,
    "participants": [
        {
            "id": "111222333444555@lid",
            "phoneNumber": "5511900000099@s.whatsapp.net",
            "admin": "superadmin",
        },
        {"id": "999888777666555@lid", "admin": None},
    ],
}


def test_a_group_has_real_types() -> None:
    group = Group.from_wire(METADATA)
    assert group.drift == ()
    assert group.addressing_mode is AddressingMode.LID
    assert group.creation == datetime(2023, 7, 22, 4, 26, 40, tzinfo=UTC)
    assert group.desc_time == datetime(2023, 11, 14, 22, 13, 21, tzinfo=UTC)
    assert group.ephemeral_duration == 86_400
    assert group.participants is not None
    owner, other = group.participants
    assert owner.admin is GroupRole.SUPERADMIN
    assert other.admin is None
    assert "Test group" not in repr(group)


def test_participants_that_were_not_asked_for_are_not_an_empty_group() -> None:
    assert Group.from_wire({"id": "1@g.us"}).participants is None


def test_a_role_of_a_newer_server_survives() -> None:
    one = GroupParticipant.from_wire({"id": "1@lid", "admin": "owner"})
    assert one.drift == ()
    assert one.admin == "owner"
    assert one.admin is not None
    assert not one.admin.is_known


def test_an_odd_participant_does_not_cost_the_others() -> None:
    group = Group.from_wire({**METADATA, "participants": [{"id": "1@lid"}, "odd", {"id": 7}]})
    assert group.drift == ("participants[]", "participants[].id")
    assert group.participants is not None
    assert [p.id for p in group.participants] == ["1@lid", ""]


def test_who_was_not_added_is_told() -> None:
    updates = ParticipantUpdates.from_wire(
        {"updateParticipants": [{"status": "200", "jid": "1@lid"}, {"status": "403"}]}
    )
    assert [update.ok for update in updates.update_participants] == [True, False]
    assert [update.status for update in updates.failed] == ["403"]


def test_a_label_has_a_number_as_colour() -> None:
    label = Label.from_wire({"id": "1", "name": "New", "color": "7", "predefinedId": None})
    assert (label.drift, label.color) == ((), 7)


def test_metas_names_with_underscores_are_read() -> None:
    template = MessageTemplate.from_wire(
        {
            "id": "1",
            "name": "hello_world",
            "parameter_format": "POSITIONAL",
            "status": "PAUSED",
            "category": "UTILITY",
            "components": [{"type": "BODY", "text": "Hi"}],
        }
    )
    assert template.drift == ()
    assert template.parameter_format == "POSITIONAL"
    assert template.category is TemplateCategory.UTILITY
    assert template.status == "PAUSED"
    assert template.components[0]["text"] == "Hi"
    assert "Hi" not in repr(template)


def test_a_new_template_carries_metas_first_answer() -> None:
    row = {"id": "cm", "templateId": "15", "name": "n", "template": {"status": "PENDING"}}
    stored = StoredTemplate.from_wire(row)
    assert stored.template is not None
    assert stored.template.status is TemplateStatus.PENDING


def test_a_hidden_failure_of_a_look_up_is_told() -> None:
    """Recorded nowhere, but by source: `facts/observed.md` "2xx that are not successes" 5."""
    nothing = {"wuid": "5511@s.whatsapp.net", "name": None, "isBusiness": False}
    for model in (Catalog, ProductCollections):
        found = model.from_wire(nothing)
        assert found.degraded
        assert found.drift == ()
        assert not model.from_wire({**nothing, "numberExists": True}).degraded
    assert Catalog.from_wire(nothing).catalog == ()


def test_a_price_may_have_a_fraction() -> None:
    found = Catalog.from_wire({"wuid": "1", "catalog": [{"id": "p", "price": 9.5}]})
    assert (found.drift, found.catalog[0].price) == ((), 9.5)


def test_a_stored_file_comes_with_its_message() -> None:
    """The select of the server's own query: `s3.service.ts`."""
    row = {
        "id": "cm1",
        "fileName": "evolution-api/x/y.jpg",
        "type": "image",
        "mimetype": "image/jpeg",
        "createdAt": "2026-11-23T15:31:25.140Z",
        "Message": {"id": "cm0", "key": {"id": "3EB0", "remoteJid": "1@lid", "fromMe": False}},
    }
    media = StoredMedia.from_wire(row)
    assert media.drift == ()
    assert media.message is not None
    assert media.message.id == "3EB0"
    assert media.created_at == datetime(2026, 11, 23, 15, 31, 25, 140_000, tzinfo=UTC)
    dumped = media.model_dump(by_alias=True, exclude_unset=True, mode="json")
    assert dumped["Message"]["id"] == "cm0"
    assert dumped["createdAt"] == row["createdAt"]


def test_what_opens_doors_is_never_shown() -> None:
    me = {"id": "5511900000099:12@s.whatsapp.net", "name": "Sim Owner"}
    state = AuthState.from_wire({"me": me, "account": {"details": "s3cr3t"}})
    assert repr(state) == "AuthState()"
    assert state.me == me
    url = StoredMediaUrl.from_wire({"id": "1", "fileName": "f", "mediaUrl": "https://s3/?sig=x"})
    assert "sig" not in repr(url)
    proxy = Proxy.from_wire({"enabled": True, "host": "h", "username": "us3r", "password": "s3cr"})
    assert "h" in repr(proxy)
    assert "s3" not in repr(proxy)
    code = OPERATIONS["group.fetch_invite_code"].parse(200, b'{"inviteCode": "F1EX5QZx"}')
    assert "F1EX5QZx" not in repr(code)
