"""What handlers ask of a message, on every channel, in every wrapper."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import event_corpus as corpus
import pytest

from evolution_sdk import Jid, MessageStatus, PhoneNumber
from evolution_sdk import events as ev
from evolution_sdk.events import MessageKind as Kind
from evolution_sdk.events import filters
from evolution_sdk.events.messages import merge_status

ADA = Jid.parse("5511987654321@s.whatsapp.net")
ADA_LID = Jid.parse("999888777666555@lid")
GROUP = Jid.parse("120363000000000001@g.us")
WORDS = [status.value for status in MessageStatus]


def upsert(body: Any) -> ev.MessagesUpsert:
    event = ev.parse_event(body)
    assert isinstance(event, ev.MessagesUpsert)
    return event


def recorded(message_id: str) -> ev.MessagesUpsert:
    return upsert(corpus.message_body(message_id))


def told(message: dict[str, Any], kind: str, **more: Any) -> ev.MessagesUpsert:
    """A recorded text with its content exchanged, in the shapes that the facts list."""
    body = corpus.message_body("3A000000000000000001")
    body["data"] |= {"message": message, "messageType": kind, **more}
    return upsert(body)


@pytest.mark.parametrize(
    ("message_id", "kind", "text"),
    [
        ("3A000000000000000001", Kind.TEXT, "hi"),
        ("3A000000000000000003", Kind.IMAGE, "pic"),
        ("3A000000000000000004", Kind.VOICE, None),
        ("3A000000000000000016", Kind.DOCUMENT, "doc"),
        ("3A000000000000000018", Kind.LOCATION, "SP"),
        ("3A000000000000000019", Kind.CONTACT, "Bob"),
        ("3A000000000000000020", Kind.REACTION, "👍"),
        ("3A000000000000000021", Kind.POLL, "Q?"),
        ("3A000000000000000023", Kind.BUTTON_REPLY, "Yes"),
        ("3A000000000000000024", Kind.LIST_REPLY, "R1"),
        ("3A000000000000000025", Kind.TEMPLATE_REPLY, "A"),
        ("wamid.A1", Kind.VOICE, None),
        ("wamid.B2", Kind.INTERACTIVE_REPLY, "Row 1"),
        ("wamid.B3", Kind.BUTTON_REPLY, "Stop"),
        ("wamid.C1", Kind.CONTACT, "Bob"),
        ("wamid.D1", Kind.DOCUMENT, None),
        ("wamid.L1", Kind.LOCATION, "SP"),
        ("wamid.R1", Kind.REACTION, "👍"),
        ("wamid.S1", Kind.STICKER, None),
        ("IN3", Kind.IMAGE, "pic"),
    ],
)
def test_kind_and_text_of_the_recorded(message_id: str, kind: Kind, text: str | None) -> None:
    event = recorded(message_id)
    assert (event.kind, event.text) == (kind, text)
    assert (event.media is not None) == kind.is_media
    assert (event.message.id, event.message.kind) == (message_id, kind)


IMAGE = {"imageMessage": {"mimetype": "image/png", "caption": "c", "width": 2, "fileLength": "9"}}


@pytest.mark.parametrize("wrapper", ["ephemeralMessage", "viewOnceMessage", "viewOnceMessageV2"])
def test_wrappers_are_looked_through(wrapper: str) -> None:
    event = told({wrapper: {"message": IMAGE}}, wrapper)
    assert (event.kind, event.text) == (Kind.IMAGE, "c")
    assert event.media is not None
    assert (event.media.mimetype, event.media.width, event.media.size_bytes) == ("image/png", 2, 9)
    assert event.message.is_view_once == wrapper.startswith("view")
    nested = told({"ephemeralMessage": {"message": {wrapper: {"message": IMAGE}}}}, wrapper)
    assert nested.kind is Kind.IMAGE


def test_a_wrapped_document_and_a_wrapped_text() -> None:
    document = {"documentMessage": {"fileName": "a.pdf", "caption": "see"}}
    event = told({"documentWithCaptionMessage": {"message": document}}, "documentMessage")
    assert (event.kind, event.text) == (Kind.DOCUMENT, "see")
    assert event.media is not None
    assert event.media.file_name == "a.pdf"
    inner = {"extendedTextMessage": {"text": "long", "contextInfo": {"stanzaId": "Q"}}}
    event = told({"ephemeralMessage": {"message": inner}}, "ephemeralMessage", contextInfo=None)
    assert (event.kind, event.text) == (Kind.TEXT, "long")
    assert event.quoted == ev.Quoted("Q")


def test_types_beyond_the_known_keep_their_name() -> None:
    event = told({"futureMessage": {"text": "new"}}, "futureMessage")
    assert (event.kind, event.message.content_type) == (Kind.UNKNOWN, "futureMessage")
    assert event.text == "new"
    assert filters.kind("futureMessage").check(event)
    assert not filters.kind("otherMessage").check(event)
    assert told({}, "unknown").kind is Kind.UNKNOWN
    assert told({}, "").kind is Kind.UNKNOWN


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("REVOKE", Kind.REVOKED),
        (0, Kind.REVOKED),
        ("MESSAGE_EDIT", Kind.EDITED),
        (14, Kind.EDITED),
        ("EPHEMERAL_SETTING", Kind.PROTOCOL),
        (3, Kind.PROTOCOL),
        (False, Kind.PROTOCOL),
    ],
)
def test_protocol_messages(code: Any, kind: Kind) -> None:
    assert told({"protocolMessage": {"type": code}}, "protocolMessage").kind is kind


def test_edits_and_revocations() -> None:
    edited, revoked = (
        ev.parse_event(row.body) for row in list(corpus.of_kind("messages.edited"))[:2]
    )
    assert isinstance(edited, ev.MessagesEdited)
    assert isinstance(revoked, ev.MessagesEdited)
    if revoked.is_edit:
        edited, revoked = revoked, edited
    assert (edited.is_edit, edited.text, edited.kind) == (True, "hello edited", Kind.EDITED)
    assert edited.timestamp == datetime.fromtimestamp(1_700_000_000, UTC)
    assert (revoked.is_revoke, revoked.text, revoked.id) == (True, None, "3A000000000000000001")
    own = ev.parse_event(next(corpus.of_kind("send.message.update")).body)
    assert isinstance(own, ev.SendMessageUpdate)
    assert (own.kind, own.text, own.data.type) == (Kind.EDITED, "edited by api", 14)


def test_deletions_have_the_whatsapp_id_in_both_shapes() -> None:
    ids = set()
    for row in corpus.of_kind("messages.delete"):
        event = ev.parse_event(row.body)
        assert isinstance(event, ev.MessagesDelete)
        assert (event.kind, event.chat) == (Kind.REVOKED, ADA)
        ids.add((event.id, event.text))
    assert ids == {("3A000000000000000001", None), ("3EB0E74C5BC0A259ADF7C5", "edited by api")}


def test_who_and_where_in_a_chat_a_group_and_a_story() -> None:
    plain = recorded("3A000000000000000001")
    assert (plain.sender, plain.chat, plain.is_group, plain.from_me) == (ADA, ADA, False, False)
    assert (plain.push_name, plain.status) == ("Ada", MessageStatus.DELIVERY_ACK)
    group = recorded("3A000000000000000012")
    assert (group.sender, group.chat, group.is_group) == (ADA_LID, GROUP, True)
    assert group.message.sender_alt == ADA
    hidden = recorded("3A000000000000000011")
    assert (hidden.sender, hidden.message.sender_alt) == (ADA_LID, ADA)
    assert hidden.sender is not None
    assert hidden.sender.phone is None, "the digits of a @lid are no phone number"
    story = recorded("3A000000000000000013")
    assert (story.sender, story.message.is_status, story.is_group) == (ADA, True, False)
    own = recorded("3A000000000000000010")
    assert own.from_me
    assert str(own.sender) == own.account == "5511900000099@s.whatsapp.net"
    assert own.chat == ADA


def test_media_of_each_channel() -> None:
    voice = recorded("3A000000000000000004").media
    assert voice is not None
    assert (voice.seconds, voice.size_bytes, voice.has_base64) == (1, 8586, True)
    image = recorded("3A000000000000000003").media
    assert image is not None
    assert image.thumbnail is not None
    assert image.thumbnail.startswith(b"\xff\xd8")
    assert image.whatsapp_url is not None
    assert image.url is None, "WhatsApp's own address is encrypted"
    meta = recorded("wamid.D1").media
    assert meta is not None
    assert (meta.mimetype, meta.file_name, meta.meta_id) == ("application/pdf", "f.pdf", "779")
    public = recorded("IN3").media
    assert public is not None
    assert public.url == "http://127.0.0.1:8086/media/x.png"
    assert public.caption == "pic"


def test_bytes_of_both_encodings_are_the_same() -> None:
    thumbnails: dict[str, set[bytes | None]] = {}
    for row in corpus.EVERYTHING:
        event = ev.parse_event(row.body)
        if isinstance(event, ev.MessagesUpsert | ev.SendMessage) and event.media is not None:
            thumbnails.setdefault(event.id, set()).add(event.media.thumbnail)
    assert {len(found) for found in thumbnails.values()} == {1}
    assert sum(None not in found for found in thumbnails.values()) >= 2


def test_parts() -> None:
    place = recorded("wamid.L1").location
    assert place == ev.Location(-23.5, -46.6, "SP", "Street")
    live = told({"liveLocationMessage": {"degreesLatitude": 1}}, "liveLocationMessage").location
    assert live == ev.Location(1.0, None, is_live=True)
    (bob,) = recorded("3A000000000000000019").contacts
    assert bob.name == "Bob"
    reaction = recorded("3A000000000000000020").reaction
    assert reaction is not None
    assert (reaction.emoji, reaction.removed) == ("👍", False)
    assert reaction.target.id == "3EB0E74C5BC0A259ADF7C5"
    poll = recorded("3A000000000000000021").poll
    assert poll == ev.Poll("Q?", ("A", "B"), 1)
    assert recorded("wamid.T3").quoted is not None
    chosen = {i: recorded(f"3A0000000000000000{i}").selected for i in (23, 24, 25)}
    assert [(s.id, s.title) for s in chosen.values() if s] == [
        ("yes", "Yes"),
        ("r1", "R1"),
        ("a", "A"),
    ]
    assert recorded("wamid.B3").selected == ev.Selection(None, "Stop")
    removed = told(
        {"reactionMessage": {"key": {"id": "A"}, "text": ""}}, "reactionMessage"
    ).reaction
    assert removed is not None
    assert removed.removed
    nothing = recorded("3A000000000000000001")
    parts = (nothing.location, nothing.reaction, nothing.poll, nothing.selected, nothing.quoted)
    assert parts == (None,) * 5
    assert (nothing.contacts, nothing.mentions) == ((), ())


def test_numbers_of_a_contact_card() -> None:
    card = "BEGIN:VCARD\nFN:B\nitem1.TEL;waid=5511912345678:+55 11 91234-5678\nEND:VCARD"
    assert ev.SharedContact("B", card).phones == (PhoneNumber("5511912345678"),)
    plain = "BEGIN:VCARD\nTEL;type=CELL:+55 (11) 91234-5678\nTEL:nonsense\nEND:VCARD"
    assert ev.SharedContact("B", plain).phones == (PhoneNumber("5511912345678"),)


def test_context_beside_the_content_or_inside_it() -> None:
    context = {
        "stanzaId": "Q",
        "participant": str(ADA),
        "quotedMessage": {"imageMessage": {"caption": "old"}},
        "mentionedJid": [str(ADA_LID), "not a jid"],
        "isForwarded": True,
    }
    outside = told({"conversation": "x"}, "conversation", contextInfo=context)
    inside = told({"imageMessage": {"contextInfo": context}}, "imageMessage")
    for event in (outside, inside):
        quoted = event.quoted
        assert quoted is not None
        assert (quoted.id, quoted.sender, quoted.text, quoted.kind) == ("Q", ADA, "old", Kind.IMAGE)
        assert quoted.media is not None
        assert event.mentions == (ADA_LID,)
        assert event.message.is_forwarded


@pytest.mark.parametrize("known", [None, *WORDS])
@pytest.mark.parametrize("told_", [None, *WORDS])
def test_a_status_never_goes_back(known: str | None, told_: str | None) -> None:
    before = None if known is None else MessageStatus(known)
    after = merge_status(before, None if told_ is None else MessageStatus(told_))
    if before is not None:
        assert after is not None
        failed = after.rank == 0 and before.rank < MessageStatus.DELIVERY_ACK.rank
        assert after.rank >= before.rank or failed
    assert merge_status(after, None if told_ is None else MessageStatus(told_)) == after


def test_a_failure_counts_until_the_delivery() -> None:
    merge, status = merge_status, MessageStatus
    assert merge(status.SERVER_ACK, status.ERROR) is status.ERROR
    assert merge(status.READ, status.FAILED) is status.READ
    assert merge(status.ERROR, status.SERVER_ACK) is status.ERROR
    assert merge(status.ERROR, status.DELIVERY_ACK) is status.DELIVERY_ACK
    assert merge(status.SENT, status.DELIVERED) is status.DELIVERED
    assert merge(status.READ, status.EDITED) is status.READ
