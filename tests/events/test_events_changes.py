"""Updates that say something new, and edits and revocations as one change each.

Recorded ones are of `facts/versions/baileys.md`; case 4, 99 and 100 are of `shared/cases/`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

import pytest

from evolution_sdk import events as ev
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.models import MessageStatus
from facts import read

NEWER, VERSIONS = ("2.3.7", "2.4-pre"), ("2.2.3", "2.3.7", "2.4-pre")
ACCOUNT, ADA = "5511900000001@s.whatsapp.net", "5511900000002@s.whatsapp.net"
GROUP, BIA, CAI = "120363000000000001@g.us", "100000000000003@lid", "100000000000002@lid"
EDIT = "edit, key as the phone of the contact writes it (remoteJid = us, fromMe true)"
REVOKE = "revoke, key as the phone of the contact writes it"
GROUP_EDIT = "group edit by its author (fromMe true, no participant in key)"
GROUP_REVOKE = "group revoke by its author (fromMe true)"
ADMIN_REVOKE = "revoke in group by an admin"
OWN_EDIT, OWN_REVOKE = "own edit sent from the phone", "own revoke sent from the phone"


@cache
def recorded(version: str) -> list[tuple[str, dict[str, Any]]]:
    rows = read(f"versions/{version}/baileys_webhooks.json")
    return [(str(row["name"]), row["json"]) for row in rows]


def told(version: str, name: str) -> list[ev.Event]:
    return [ev.parse_event(body) for each, body in recorded(version) if each == name]


def of_type(version: str, name: str, kind: type[Any]) -> Any:
    return next(each for each in told(version, name) if isinstance(each, kind))


def update(source: Any = None, **data: Any) -> ev.MessagesUpdate:
    made = {"keyId": "A1", "remoteJid": ADA, "fromMe": True, "status": "SERVER_ACK", **data}
    body = {"event": "messages.update", "instance": "shop", "data": made, "sender": ACCOUNT}
    event = ev.parse_event(body, source=source)
    assert isinstance(event, ev.MessagesUpdate)
    return event


def new_text(text: str) -> dict[str, Any]:
    return {"editedMessage": {"message": {"conversation": text}}}


def votes(*voters: str) -> list[dict[str, Any]]:
    return [{"name": "Sim", "voters": list(voters)}, {"name": "Não", "voters": []}]


# --- what is a copy ---


def test_an_update_is_a_copy_only_when_it_says_nothing_new() -> None:
    ack = update()
    news = [
        update(message=new_text("preço: 30")),
        update(message=new_text("preço: 31")),
        update(pollUpdates=votes("a@lid")),
        update(pollUpdates=votes("a@lid", "b@lid")),
        update(starred=True),
        update(starred=False),
        update(status="READ"),
        update(status=None),
        update(participant=BIA),
    ]
    keys = {each.dedupe_key for each in (ack, *news)}
    assert len(keys) == len(news) + 1
    for raw in ({"participant": ""}, {"participant": ADA}, {"messageId": "cm1"}, {"message": None}):
        assert update(**raw).delivery_key == ack.delivery_key
    assert {each.dedupe_key for each in news} == {
        ev.parse_event(dict(reversed(list(each.raw.items())))).dedupe_key for each in news
    }


def test_a_change_back_is_news_and_a_retry_is_none() -> None:
    """A vote that is taken back and given again comes in the same words, later."""
    for data in ({"message": new_text("30")}, {"pollUpdates": votes("a@lid")}):
        raw = dict(update(**data).raw)
        once = ev.parse_event({**raw, "date_time": "2026-09-01T10:00:00.000Z"})
        retry = ev.parse_event({**raw, "date_time": "2026-09-01T10:00:00.000Z", "apikey": "x"})
        again = ev.parse_event({**raw, "date_time": "2026-09-01T10:05:00.000Z"})
        assert once.delivery_key == retry.delivery_key != again.delivery_key
        assert once.dedupe_key == again.dedupe_key
    raw = dict(update(status="READ").raw)
    first, second = (ev.parse_event({**raw, "date_time": each}) for each in "ab")
    assert first.delivery_key == second.delivery_key


def test_a_timer_that_is_set_again_is_no_copy() -> None:
    raw = {"event": "messages.edited", "instance": "shop", "data": {"type": "EPHEMERAL_SETTING"}}
    first, second = (ev.parse_event({**raw, "date_time": each}) for each in "ab")
    assert first.delivery_key != second.delivery_key


@pytest.mark.parametrize("version", VERSIONS)
def test_the_same_message_twice_is_a_copy(version: str) -> None:
    upserts = [e for e in told(version, "same id twice") if isinstance(e, ev.MessagesUpsert)]
    assert len({each.delivery_key for each in upserts}) == 1


def test_an_edit_under_the_id_of_its_message_is_no_copy() -> None:
    """The wrapper of 2.2.3, by its source (`whatsapp.baileys.service.ts` `editedMessage`)."""
    key = {"remoteJid": ADA, "fromMe": False, "id": "M1"}

    def upsert(content: dict[str, Any], kind: str) -> ev.Event:
        data = {"key": key, "message": content, "messageType": kind}
        return ev.parse_event({"event": "messages.upsert", "instance": "shop", "data": data})

    plain = upsert({"conversation": "um"}, "conversation")
    one, two = (upsert(wrapped(key, text), "editedMessage") for text in ("dois", "três"))
    assert len({plain.dedupe_key, one.dedupe_key, two.dedupe_key}) == 3


# --- what an update tells ---


def test_the_new_content_of_an_update() -> None:
    """Case 4."""
    event = update(message=new_text("preço novo: 30"), fromMe=False, participant=ADA)
    assert (event.id, event.text, event.message.text) == ("A1", "preço novo: 30", "preço novo: 30")
    assert (event.kind, event.is_edit) == (ev.MessageKind.EDITED, True)
    assert event.status is MessageStatus.SERVER_ACK
    assert not event.tells_status
    assert (str(event.chat), str(event.sender)) == (ADA, ADA)
    assert event.target is not None
    assert (event.target.id, event.target.remote_jid, event.target.from_me) == ("A1", ADA, False)


@pytest.mark.parametrize("version", NEWER)
def test_an_edited_caption(version: str) -> None:
    event = of_type(version, "edit of an image caption", ev.MessagesUpdate)
    assert (event.text, event.is_edit) == ("legenda nova", True)
    assert event.message.media is not None


def test_an_edit_as_its_phone_wrote_it() -> None:
    notice = {"key": {"id": "A1"}, "type": 14, "editedMessage": {"conversation": "novo"}}
    event = update(message={"protocolMessage": notice})
    assert (event.text, event.is_edit) == ("novo", True)


@pytest.mark.parametrize(
    ("data", "status", "kind"),
    [
        # The fallback of 2.3.0 to 2.3.6 (`status[update.status] ?? 'DELETED'`).
        ({"status": "DELETED", "message": new_text("x")}, MessageStatus.EDITED, "edited"),
        ({"status": "DELETED"}, None, "unknown"),
        ({"status": "DELETED", "pollUpdates": votes("a@lid")}, None, "poll_vote"),
        ({"status": None, "pollUpdates": votes("a@lid")}, None, "poll_vote"),
        ({"pollUpdates": votes("a@lid")}, MessageStatus.SERVER_ACK, "poll_vote"),
        # Meta's own word.
        ({"status": "DELETED", "keyId": "wamid.A"}, MessageStatus.DELETED, "unknown"),
    ],
)
def test_a_status_that_the_server_made_up(data: Any, status: Any, kind: str) -> None:
    event = update(**data)
    assert (event.status, str(event.kind), event.tells_status) == (status, kind, False)
    assert event.data.raw["status"] == data.get("status", "SERVER_ACK")


def test_a_backfill_has_the_word_from_rows_that_are_deleted() -> None:
    assert update("backfill", status="DELETED").status is MessageStatus.DELETED


@pytest.mark.parametrize("status", ["ERROR", "PENDING", "SERVER_ACK", "DELIVERY_ACK", "READ"])
def test_a_status_alone_is_told(status: str) -> None:
    event = update(status=status, participant="")
    assert (event.status, event.tells_status, event.text) == (status, True, None)
    assert str(event.sender) == ACCOUNT


@pytest.mark.parametrize("version", VERSIONS)
def test_a_receipt_from_a_device(version: str) -> None:
    event = of_type(version, "messages.update from a LID device jid", ev.MessagesUpdate)
    chat = None if version == "2.4-pre" else "100000000000002@lid"
    assert event.chat == (None if chat is None else update(remoteJid=chat).chat)
    # An answer must not go to a phone made of the digits of a hidden id.
    assert event.message.remote_jid == (chat or "")
    assert event.participant is None


def test_who_received_in_a_group_is_not_who_wrote() -> None:
    receipt = update(remoteJid=GROUP, participant=BIA, status="READ")
    edit = update(remoteJid=GROUP, participant=BIA, fromMe=False, message=new_text("x"))
    assert (str(receipt.participant), receipt.message.sender) == (BIA, None)
    assert (str(edit.sender), str(edit.message.sender)) == (BIA, BIA)


@pytest.mark.parametrize("odd", [{}, [], "x", 7, True, {"editedMessage": 1}, {"x": [[]]}])
@pytest.mark.parametrize("field", ["message", "pollUpdates", "participant", "remoteJid", "status"])
def test_odd_values_raise_nothing(field: str, odd: Any) -> None:
    event = update(**{field: odd})
    for name in ("chat", "sender", "participant", "status", "kind", "text", "target", "message"):
        getattr(event, name)
    assert event.delivery_key
    for kind in ("messages.edited", "messages.delete", "send.message.update"):
        key = {"id": "A1", "remoteJid": odd, "participant": odd, "fromMe": odd}
        for data in (key, {"key": key, "type": odd, "editedMessage": odd}):
            changed = ev.parse_event({"event": kind, "data": data, "sender": odd})
            for name in ("chat", "sender", "from_me", "target", "text", "kind", "delivery_key"):
                getattr(changed, name)
            for version in VERSIONS:
                ev.ChangeJoiner(version).take(changed)


# --- who changed it ---


@pytest.mark.parametrize("version", VERSIONS)
def test_the_words_of_a_phone_claim_nothing(version: str) -> None:
    names = {EDIT: None, GROUP_EDIT: GROUP, OWN_EDIT: ADA}
    for name, chat in names.items():
        event = of_type(version, name, ev.MessagesEdited)
        assert (event.from_me, event.sender, event.author_known) == (False, None, False)
        assert event.message.from_me is False
        assert event.chat == (None if chat is None else update(remoteJid=chat).chat)
        assert event.message.remote_jid == (chat or "")
        assert event.target is not None
        assert event.target.id == event.id == event.data.key.id != ""
        assert event.data.key.from_me is True  # as it came


def test_the_account_is_known_by_its_hidden_id_to_a_router_that_saw_it() -> None:
    """A contact's phone writes us as its chat, since LIDs by our hidden id."""
    mine, body = "100000000000001@lid", {"instance": "shop", "sender": ACCOUNT}
    key = {"id": "A1", "remoteJid": mine, "fromMe": True}
    edit = {"key": key, "type": "MESSAGE_EDIT", "editedMessage": {"conversation": "x"}}
    seen: list[Any] = []
    router = ev.EventRouter()
    router.add(seen.append, ev.MessagesEdited)
    pair = {"key": {"remoteJid": GROUP, "fromMe": True, "id": "G", "participant": mine}}
    router.learn(ev.parse_event({**body, "event": "messages.upsert", "data": pair}))
    claim = ev.parse_event({**body, "event": "messages.edited", "data": edit})
    assert isinstance(claim, ev.MessagesEdited)
    assert str(claim.chat) == mine, "nobody told whose it is"
    router.dispatch_sync(ev.parse_event(dict(claim.raw)))
    assert (seen[0].chat, seen[0].message.remote_jid) == (None, "")


@pytest.mark.parametrize("version", VERSIONS)
def test_an_admin_who_deletes_is_not_the_writer(version: str) -> None:
    event = of_type(version, ADMIN_REVOKE, ev.MessagesDelete)
    assert str(event.deleted_by) == str(event.sender) == CAI
    assert event.from_me is False
    assert event.message.sender is None
    assert event.target is not None
    assert (event.target.remote_jid, event.target.participant) == (GROUP, None)
    own = of_type(version, OWN_REVOKE, ev.MessagesDelete)
    assert (str(own.deleted_by), own.from_me, str(own.chat)) == (ACCOUNT, True, ADA)
    api = of_type(version, "API deleteMessageForEveryone", ev.MessagesDelete)
    assert (str(api.deleted_by), api.from_me, api.message.text) == (ACCOUNT, True, "ack lid")


def test_a_deletion_from_a_device_of_a_hidden_id_makes_no_phone() -> None:
    """2.4 cuts the device off, and what follows (its `messages.update`, 2.4.0-rc2 l. 1744-1749)."""
    for chat, who in (("100000000000002", None), (GROUP, "100000000000002")):
        key = {"id": "A1", "remoteJid": chat, "participant": who, "fromMe": False}
        body = {"event": "messages.delete", "data": {**key, "status": "DELETED"}}
        event = ev.parse_event(body)
        assert isinstance(event, ev.MessagesDelete)
        assert (event.deleted_by, event.sender, event.id) == (None, None, "A1")
        assert event.message.remote_jid == (chat if chat == GROUP else "")
        assert event.data.key.remote_jid == chat


# --- one change ---


def changes(version: str, *names: str, joiner: ev.ChangeJoiner | None = None) -> list[Any]:
    joiner = joiner or ev.ChangeJoiner(version.replace("-pre", "").replace("2.4", "2.4.0"))
    events = [ev.parse_event(body) for name, body in recorded(version) if name in names]
    return [change for change in map(joiner.take, events) if change is not None]


@pytest.mark.parametrize("version", NEWER)
@pytest.mark.parametrize(
    ("name", "chat", "sender", "from_me", "text"),
    [
        (EDIT, ADA, ADA, False, "editado"),
        (GROUP_EDIT, GROUP, BIA, False, "editado no grupo"),
        (OWN_EDIT, ADA, ACCOUNT, True, "meu texto editado"),
    ],
)
def test_an_edit_is_one_change(
    version: str, name: str, chat: str, sender: str, from_me: bool, text: str
) -> None:
    (change,) = changes(version, name)
    assert (str(change.chat), str(change.sender), change.from_me) == (chat, sender, from_me)
    assert (change.text, change.kind, change.proven) == (text, ev.MessageKind.EDITED, True)
    claim = of_type(version, name, ev.MessagesEdited)
    assert change.id == claim.id
    # The time is in the phone's words alone.
    assert change.at == claim.timestamp != datetime(1970, 1, 1, tzinfo=UTC)
    assert isinstance(change.event, ev.MessagesUpdate)
    assert text not in repr(change)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(
    ("name", "chat", "sender", "from_me"),
    [
        (GROUP_REVOKE, GROUP, BIA, False),
        (ADMIN_REVOKE, GROUP, CAI, False),
        (OWN_REVOKE, ADA, ACCOUNT, True),
    ],
)
def test_a_revocation_is_one_change(
    version: str, name: str, chat: str, sender: str, from_me: bool
) -> None:
    (change,) = changes(version, name)
    assert (str(change.chat), str(change.sender), change.from_me) == (chat, sender, from_me)
    assert (change.text, change.kind, change.proven) == (None, ev.MessageKind.REVOKED, True)


@pytest.mark.parametrize("seen", [True, False])
@pytest.mark.parametrize(("name", "chat"), [(EDIT, None), (GROUP_EDIT, GROUP), (OWN_EDIT, ADA)])
def test_an_edit_of_2_2_3_is_as_good_as_what_was_seen(
    seen: bool, name: str, chat: str | None
) -> None:
    joiner = ev.ChangeJoiner("2.2.3")
    claim = of_type("2.2.3", name, ev.MessagesEdited)
    original: dict[str, Any] | None = None
    if seen:
        group = {"participant": BIA} if chat == GROUP else {}
        key = {"id": claim.id, "remoteJid": chat or ADA, "fromMe": name == OWN_EDIT, **group}
        original = {**claim.raw, "event": "messages.upsert", "data": {"key": key}}
    if original is not None:
        assert joiner.take(ev.parse_event(original)) is None
    (change,) = changes("2.2.3", name, joiner=joiner)
    assert (change.text, change.proven) == (claim.text, False)
    assert change.at == claim.timestamp
    if original is None:
        assert (change.sender, change.from_me) == (None, None)
        assert change.chat == (None if chat is None else update(remoteJid=chat).chat)
    else:
        writer = ev.parse_event(original)
        assert isinstance(writer, ev.MessagesUpsert)
        known = (writer.chat, writer.sender, writer.from_me)
        assert (change.chat, change.sender, change.from_me) == known
        assert str(change.chat) == (chat or ADA)


def test_an_id_that_two_messages_bear_names_no_writer() -> None:
    joiner = ev.ChangeJoiner("2.3.6")
    claim = of_type("2.2.3", OWN_EDIT, ev.MessagesEdited)
    for chat in (ADA, "5511900000009@s.whatsapp.net"):
        key = {"id": claim.id, "remoteJid": chat, "fromMe": False}
        body = {**claim.raw, "event": "messages.upsert", "data": {"key": key}}
        joiner.take(ev.parse_event(body))
    change = joiner.take(claim)
    assert change is not None
    assert (change.chat, change.sender, change.from_me) == (None, None, None)


def test_copies_and_other_events_are_no_change() -> None:
    joiner = ev.ChangeJoiner("2.3.7")
    edit = update(message=new_text("x"))
    assert joiner.take(edit) is not None
    assert joiner.take(edit) is None
    assert joiner.take(of_type("2.3.7", EDIT, ev.MessagesEdited)) is None
    for event in (update(), update(pollUpdates=votes()), update(status="DELETED")):
        assert joiner.take(event) is None
    names = {name for name, body in recorded("2.3.7") if not name.startswith(("edit", "own edit"))}
    for change in changes("2.3.7", *names):
        assert change.kind is ev.MessageKind.REVOKED or "edit" in _name_of(change)


def _name_of(change: Any) -> str:
    return next(name for name, body in recorded("2.3.7") if body == dict(change.event.raw))


def wrapped(key: dict[str, Any], text: str) -> dict[str, Any]:
    notice = {"key": key, "type": 14, "editedMessage": {"conversation": text}}
    return {"editedMessage": {"message": {"protocolMessage": notice}}}


def test_an_edit_in_its_wrapper_is_told_once() -> None:
    """2.2.3 tells it as messages.edited, and passes it on as a message (by its source)."""
    key = {"remoteJid": ADA, "fromMe": False, "id": "M1"}
    body = {"event": "messages.upsert", "instance": "shop", "sender": ACCOUNT}
    data = {"key": {**key, "id": "M2"}, "message": wrapped(key, "novo")}
    upsert = ev.parse_event({**body, "data": {**data, "messageType": "editedMessage"}})
    assert isinstance(upsert, ev.MessagesUpsert)
    assert (upsert.text, upsert.kind) == ("novo", ev.MessageKind.EDITED)
    notice = data["message"]["editedMessage"]["message"]["protocolMessage"]
    claim = ev.parse_event({**body, "event": "messages.edited", "data": notice})
    joiner = ev.ChangeJoiner("2.2.3")
    assert [each is None for each in map(joiner.take, (claim, upsert))] == [False, True]
    alone = ev.ChangeJoiner("2.2.3").take(upsert)
    assert alone is not None
    assert (alone.id, str(alone.sender), alone.text, alone.proven) == ("M1", ADA, "novo", True)


@pytest.mark.parametrize("version", NEWER)
def test_an_encrypted_edit_is_a_change_that_nobody_can_read(version: str) -> None:
    (change,) = changes(version, "secret encrypted edit")
    assert (change.id, change.text, change.message) == ("3ASIM00000000000501", None, None)
    assert (str(change.sender), change.from_me, change.proven) == (ADA, False, True)


@pytest.mark.parametrize(
    ("version", "rule"), [("newest", "is no version"), ("2.3.7", "max_remembered")]
)
def test_a_joiner_is_checked(version: str, rule: str) -> None:
    with pytest.raises(ConfigurationError, match=rule):
        ev.ChangeJoiner(version, max_remembered=0)


def test_an_own_deletion_that_2_2_3_gives_to_others_is_ours() -> None:
    """`facts/versions/baileys.md`, group: ``fromMe`` false for own messages under a hidden id."""
    told = {"id": "A1", "remoteJid": "120363000000000001@g.us", "fromMe": False}
    for who, ours in ((f"{ACCOUNT.partition('@')[0]}:3@s.whatsapp.net", True), (CAI, False)):
        event = ev.parse_event({"event": "messages.delete", "instance": "i", "sender": ACCOUNT,
                                "data": {**told, "participant": who}})  # fmt: skip
        assert isinstance(event, ev.MessagesDelete)
        assert event.from_me is ours
