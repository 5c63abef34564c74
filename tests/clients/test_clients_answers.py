"""Answers of every kind against the server's double of every version: what is sent, what quoted."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from evolution_sdk import Button, ContactCard, ListRow, ListSection
from evolution_sdk.errors import (
    BadRequestError,
    ConfigurationError,
    RequestValidationError,
    UnsupportedByServerError,
)
from evolution_sdk.events import parse_event
from evolution_sdk.models.requests_message import CarouselCard
from facts import read

from .fake_stage import JID, NUMBER, Stage

LID = "100000000000002@lid"
GROUP = "120363000000000001@g.us"
OGG = b"OggS\x00\x02............OpusHead"
PNG = b"\x89PNG\r\n\x1a\n...."
VERSIONS = pytest.mark.parametrize("version", ["2.2.3", "2.3.7", "2.4-pre"])
PROFILES = {"2.4-pre": "2.4.0"}


def play(stage: Stage, version: str) -> Any:
    """Let the stage play a version; returns a client that knows it."""
    stage.new_fake(version=version)
    stage.open_instance()
    return stage.client(server_version=PROFILES.get(version, version))


def arrive(stage: Stage, client: Any, **message: Any) -> Any:
    """Let a message arrive; returns its event as this version posts it, with the client."""
    told: list[Any] = []
    stop = stage.fake.on_event(told.append)
    message.setdefault("message", {"conversation": "oi"})
    message.setdefault("kind", "conversation")
    stage.fake.receive("sales", **message)
    stop()
    (body,) = (one for one in told if one["event"] == "messages.upsert")
    return parse_event(body).bind(client)


def recorded(version: str, name: str) -> Any:
    """The messages.upsert that a server of this version posted."""
    found = read(f"versions/{version}/baileys_webhooks.json")
    told = (one["json"] for one in found if one["name"] == name)
    return parse_event(next(body for body in told if body["event"] == "messages.upsert"))


@pytest.mark.parametrize("version", ["2.2.3", "2.3.6", "2.3.7", "2.4-pre"])
async def test_a_quotation_names_the_chat_that_the_answer_goes_to(
    stage: Stage, version: str
) -> None:
    """The row says the hidden id; a quotation that does so, too, seems to be of another chat."""
    client = play(stage, version)
    stage.fake.set_lid(NUMBER, LID)
    event = arrive(stage, client, from_=LID)
    await stage.kit.run(event.reply_text("ola"))
    body = stage.last.json
    quoted = body["quoted"]
    assert quoted["message"] == {"conversation": "oi"}
    assert quoted["key"] == {"id": event.id, "remoteJid": body["number"], "fromMe": False}
    if version != "2.2.3":  # which tells no phone
        assert body["number"] == JID


async def test_a_proven_pair_chooses_the_recipient_and_an_unproven_one_does_not(
    stage: Stage,
) -> None:
    """A pair that a stranger posts would lead the answer to his phone."""
    client = play(stage, "2.2.3")
    hidden = arrive(stage, client, from_=LID)
    key = {"remoteJid": LID, "remoteJidAlt": JID, "id": "P1", "fromMe": False}
    body = {"event": "messages.upsert", "instance": "sales", "data": {"key": key, "message": {}}}
    for verified, number in ((False, LID), (True, JID)):
        client.feed(body, verified=verified)
        await stage.kit.run(hidden.reply_text("ola"))
        assert stage.last.json["number"] == number


@VERSIONS
async def test_in_a_group_the_writer_is_quoted(stage: Stage, version: str) -> None:
    client = play(stage, version)
    stage.fake.groups.add(GROUP, participants=[JID])
    event = arrive(stage, client, from_=GROUP, participant=JID)
    await stage.kit.run(event.reply_text("ola"))
    body = stage.last.json
    assert body["number"] == GROUP
    assert body["quoted"]["key"]["remoteJid"] == GROUP
    assert body["quoted"]["key"]["participant"] == event.message.key.participant


@VERSIONS
async def test_a_story_is_answered_to_its_writer_and_quoted_as_one(
    stage: Stage, version: str
) -> None:
    client = play(stage, version)
    data = {
        "key": {
            "id": "ST1",
            "remoteJid": "status@broadcast",
            "fromMe": False,
            "participant": LID,
            "participantAlt": JID,
        },
        "message": {"conversation": "my story"},
        "messageType": "conversation",
    }
    event: Any = parse_event({"event": "messages.upsert", "instance": "sales", "data": data})
    await stage.kit.run(event.bind(client).reply_text("nice"))
    body = stage.last.json
    assert body["number"] == JID
    assert body["quoted"]["key"] == {
        "id": "ST1", "remoteJid": "status@broadcast", "fromMe": False, "participant": LID,
    }  # fmt: skip


@VERSIONS
@pytest.mark.parametrize(
    ("name", "field", "shown"),
    [
        ("document", "documentMessage", ("mimetype", "fileName")),
        ("audio ptt", "audioMessage", ("mimetype", "ptt")),
        ("location", "locationMessage", ("degreesLatitude", "name")),
        ("image with caption quoting a text", "imageMessage", ("mimetype", "caption")),
        ("poll creation v3", "pollCreationMessage", ("name", "options")),
    ],
)
async def test_a_recorded_message_is_quoted_with_what_its_quotation_shows(
    stage: Stage, version: str, name: str, field: str, shown: tuple[str, ...]
) -> None:
    """It need not be stored, and no key of its file travels back."""
    client = play(stage, version)
    event = recorded(version, name).bind(client.instance("sales"))
    await stage.kit.run(event.reply_text("ola"))
    quoted = stage.last.json["quoted"]
    assert set(shown) <= set(quoted["message"][field])
    assert "mediaKey" not in str(quoted)
    assert quoted["key"]["remoteJid"] == stage.last.json["number"]


@VERSIONS
@pytest.mark.parametrize("name", ["view once V2 image", "list reply", "contacts array"])
async def test_what_cannot_be_shown_is_quoted_by_its_key_alone(
    stage: Stage, version: str, name: str
) -> None:
    client = play(stage, version)
    event = recorded(version, name).bind(client.instance("sales"))
    await stage.kit.run(event.reply_text("ola"))
    assert "message" not in stage.last.json["quoted"]
    assert stage.last.json["quoted"]["key"]["id"] == event.id


KINDS: dict[str, tuple[Callable[[Any], Any], str]] = {
    "audio": (lambda e: e.reply_audio(b"OggS....", delay_ms=5), "sendWhatsAppAudio"),
    "sticker": (lambda e: e.reply_sticker(PNG), "sendSticker"),
    "ptv": (lambda e: e.reply_ptv(b"\x00\x00\x00\x18ftypmp42", prefer="base64"), "sendPtv"),
    "location": (lambda e: e.reply_location(1, 2, name="a", address="b"), "sendLocation"),
    "contact": (
        lambda e: e.reply_contact(ContactCard(full_name="Ana", phone_number="5511888888888")),
        "sendContact",
    ),
    "poll": (lambda e: e.reply_poll("Which?", ["a", "b"]), "sendPoll"),
}
QUOTING = {"audio", "sticker", "ptv", "location", "poll"}


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_answers_in_the_chat_and_quotes_where_it_can(
    stage: Stage, kind: str
) -> None:
    event = arrive(stage, play(stage, "2.3.7"), from_=NUMBER)
    call, route = KINDS[kind]
    sent = await stage.kit.run(call(event))
    assert stage.last.path == f"/message/{route}/sales"
    assert stage.last.json["number"] == JID
    assert ("quoted" in stage.last.json) is (kind in QUOTING)
    assert hasattr(sent, "wait_for_reply")


async def test_a_voice_note_as_a_file_quotes_by_id(stage: Stage) -> None:
    event = arrive(stage, play(stage, "2.4-pre"), from_=NUMBER)
    await stage.kit.run(event.reply_audio(OGG))
    fields, _ = stage.last.form
    assert fields["quoted"] == {"key": {"id": event.id}}


async def test_a_carousel_needs_server_2_4(stage: Stage) -> None:
    cards = [CarouselCard(body="card", buttons=(Button(display_text="Yes", id="yes"),))]
    event = arrive(stage, play(stage, "2.4-pre"), from_=NUMBER)
    await stage.kit.run(event.reply_carousel(body="Offers", cards=cards))
    assert stage.last.path == "/message/sendCarousel/sales"
    event = arrive(stage, play(stage, "2.3.7"), from_=NUMBER)
    with pytest.raises(UnsupportedByServerError):
        await stage.kit.run(event.reply_carousel(body="Offers", cards=cards))


BUTTONS = (Button(display_text="Yes", id="y"), Button(display_text="No", id="n"))
SECTIONS = (
    ListSection(title="Lunch", rows=(ListRow(title="Rice", row_id="1", description="hot"),)),
    ListSection(title="Drinks", rows=(ListRow(title="Water", row_id="2"),)),
)


@pytest.mark.parametrize(
    ("version", "fallback", "route"),
    [
        ("2.3.7", None, "sendButtons"),
        ("2.3.7", "text", "sendText"),
        ("2.3.7", "poll", "sendPoll"),
        ("2.2.3", "text", "sendText"),
        ("2.4-pre", "text", "sendButtons"),
        ("2.4-pre", "poll", "sendButtons"),
    ],
)
async def test_buttons_fall_back_before_anything_is_sent(
    stage: Stage, version: str, fallback: Any, route: str
) -> None:
    event = arrive(stage, play(stage, version), from_=NUMBER)
    await stage.kit.run(
        event.reply_buttons(
            title="Sure?", description="Think.", footer="Bye", buttons=BUTTONS, fallback=fallback
        )
    )
    (sent,) = stage.sends()
    assert sent.path == f"/message/{route}/sales"
    if route == "sendText":
        assert sent.json["text"] == "*Sure?*\n\nThink.\n\n1. Yes\n2. No\n\nBye"
    if route == "sendPoll":
        assert (sent.json["name"], sent.json["values"]) == ("Sure?\n\nThink.", ["Yes", "No"])


@pytest.mark.parametrize(
    ("version", "fallback", "route"),
    [
        ("2.3.7", None, "sendList"),
        ("2.3.7", "text", "sendText"),
        ("2.3.7", "poll", "sendPoll"),
        ("2.4-pre", "text", "sendList"),
    ],
)
async def test_a_list_falls_back_before_anything_is_sent(
    stage: Stage, version: str, fallback: Any, route: str
) -> None:
    event = arrive(stage, play(stage, version), from_=NUMBER)
    menu = {"title": "Menu", "button_text": "Open", "footer_text": "BRL", "sections": SECTIONS}
    await stage.kit.run(event.reply_list(**menu, fallback=fallback))
    (sent,) = stage.sends()
    assert sent.path == f"/message/{route}/sales"
    if route == "sendText":
        text = "*Menu*\n\n_Lunch_\n1. Rice - hot\n\n_Drinks_\n2. Water\n\nBRL"
        assert sent.json["text"] == text


async def test_a_failed_form_is_never_followed_by_another(stage: Stage) -> None:
    event = arrive(stage, play(stage, "2.4-pre"), from_=NUMBER)
    stage.fake.faults.add("message.send_buttons", "status", status=400, body={}, count=1)
    with pytest.raises(BadRequestError):
        await stage.kit.run(event.reply_buttons(title="Sure?", buttons=BUTTONS, fallback="text"))
    assert [sent.path for sent in stage.sends()] == ["/message/sendButtons/sales"]


@pytest.mark.parametrize(
    ("buttons", "fallback"),
    [
        ([Button(type="url", display_text="Site", url="https://a.example")], "poll"),
        ([Button(display_text="Yes", id="y")], "poll"),
        ([Button(display_text="Yes", id="y"), Button(display_text="Yes", id="z")], "poll"),
        (
            [Button(type="pix", currency="BRL", name="a", key_type="email", key="a@b.example")],
            "text",
        ),
    ],
)
@pytest.mark.parametrize("version", ["2.3.7", "2.4-pre"])
async def test_a_form_that_cannot_be_is_refused_on_every_version(
    stage: Stage, version: str, buttons: Any, fallback: Any
) -> None:
    event = arrive(stage, play(stage, version), from_=NUMBER)
    with pytest.raises(RequestValidationError, match="fallback"):
        await stage.kit.run(event.reply_buttons(title="x", buttons=buttons, fallback=fallback))
    assert stage.sends() == []


async def test_links_keep_their_address_as_text(stage: Stage) -> None:
    event = arrive(stage, play(stage, "2.3.7"), from_=NUMBER)
    buttons = [
        Button(type="url", display_text="Site", url="https://a.example"),
        Button(type="call", display_text="Call", phone_number="+5511"),
    ]
    await stage.kit.run(event.reply_buttons(title="x", buttons=buttons, fallback="text"))
    assert stage.last.json["text"] == "*x*\n\n1. Site: https://a.example\n2. Call: +5511"


OTHER = "5511888888888"
POLL = {
    "name": "Q",
    "options": [{"optionName": "a"}, {"optionName": "b"}],
    "selectableOptionsCount": 1,
}


@pytest.mark.parametrize(
    ("message", "kind", "route", "fields"),
    [
        ({"conversation": "oi"}, "conversation", "sendText", {"text": "oi"}),
        (
            {"locationMessage": {"degreesLatitude": -23.5, "degreesLongitude": -46.6}},
            "locationMessage",
            "sendLocation",
            {"latitude": -23.5, "longitude": -46.6, "name": "-23.5, -46.6"},
        ),
        (
            {"pollCreationMessageV3": POLL},
            "pollCreationMessageV3",
            "sendPoll",
            {"name": "Q", "values": ["a", "b"], "selectableCount": 1},
        ),
    ],
)  # fmt: skip
async def test_content_is_sent_on(
    stage: Stage, message: Any, kind: str, route: str, fields: dict[str, Any]
) -> None:
    event = arrive(stage, play(stage, "2.3.7"), from_=NUMBER, message=message, kind=kind)
    await stage.kit.run(event.forward(OTHER))
    assert stage.last.path == f"/message/{route}/sales"
    assert stage.last.json.items() >= {**fields, "number": OTHER}.items()
    assert "quoted" not in stage.last.json


async def test_a_contact_is_sent_on_by_its_number(stage: Stage) -> None:
    event = recorded("2.3.7", "contacts array").bind(play(stage, "2.3.7").instance("sales"))
    await stage.kit.run(event.forward(OTHER))
    cards = stage.last.json["contact"]
    assert [card["phoneNumber"] for card in cards] == [
        contact.phones[0].digits for contact in event.contacts
    ]


@pytest.mark.parametrize(
    ("kind", "part", "content", "route"),
    [
        ("imageMessage", {"mimetype": "image/png", "caption": "look"}, PNG, "sendMedia"),
        ("stickerMessage", {"mimetype": "image/webp"}, PNG, "sendSticker"),
        ("audioMessage", {"mimetype": "audio/ogg", "ptt": True}, OGG, "sendWhatsAppAudio"),
    ],
)
async def test_a_file_is_downloaded_and_sent_anew(
    stage: Stage, kind: str, part: dict[str, Any], content: bytes, route: str
) -> None:
    client = play(stage, "2.3.7")
    event = arrive(stage, client, from_=NUMBER, message={kind: part}, kind=kind, content=content)
    await stage.kit.run(event.forward(OTHER))
    sent = stage.last
    assert sent.path == f"/message/{route}/sales"
    if not sent.is_multipart:
        assert base64.b64decode(sent.json.get("media") or sent.json["sticker"]) == PNG
        assert sent.json.get("caption") == part.get("caption")


async def test_by_url_the_server_fetches_the_file(stage: Stage) -> None:
    client = play(stage, "2.3.7")
    url = "https://s3.example/a.png"
    part = {"imageMessage": {"mimetype": "image/png"}, "mediaUrl": url}
    event = arrive(stage, client, from_=NUMBER, message=part, kind="imageMessage")
    asked = len(stage.arrived)
    await stage.kit.run(event.forward(OTHER, by="url"))
    assert stage.last.json["media"] == url
    assert len(stage.arrived) == asked + 1
    private = arrive(stage, client, from_=NUMBER, message={"imageMessage": {}}, kind="imageMessage")
    with pytest.raises(RequestValidationError, match="public address"):
        await stage.kit.run(private.forward(OTHER, by="url"))


@pytest.mark.parametrize("name", ["view once V2 image", "album", "list reply"])
async def test_what_cannot_be_sent_on_is_refused(stage: Stage, name: str) -> None:
    event = recorded("2.3.7", name).bind(play(stage, "2.3.7").instance("sales"))
    with pytest.raises(RequestValidationError):
        await stage.kit.run(event.forward(OTHER))
    assert stage.arrived == []


def own(client: Any, sent: Any, chat: str = JID) -> Any:
    """The event of an own message, as an event names the chat."""
    key = {"id": sent.id, "remoteJid": chat, "fromMe": True}
    data = {"key": key, "message": {"conversation": "x"}, "messageType": "conversation"}
    told: Any = parse_event({"event": "send.message", "instance": "sales", "data": data})
    return told.bind(client)


async def test_own_messages_are_edited_and_deleted(stage: Stage) -> None:
    client = play(stage, "2.3.7")
    sent = await stage.kit.run(client.messages.send_text(NUMBER, "x"))
    event = own(client, sent)
    await stage.kit.run(event.edit("y"))
    assert stage.last.path == "/chat/updateMessage/sales"
    assert (stage.last.json["text"], stage.last.json["key"]["id"]) == ("y", sent.id)
    await stage.kit.run(event.delete())
    assert (stage.last.method, stage.last.json["id"]) == ("DELETE", sent.id)
    other = arrive(stage, client, from_=NUMBER)
    asked = len(stage.arrived)
    for refused in (lambda: other.edit("z"), other.delete):
        with pytest.raises(RequestValidationError):
            await stage.kit.run(refused())
    assert len(stage.arrived) == asked


async def test_an_own_message_in_a_hidden_chat_is_edited_under_the_name_of_its_row(
    stage: Stage,
) -> None:
    """The event names the phone; the server compares the chat with the row's, before it sends."""
    client = play(stage, "2.3.7")
    key = {"remoteJid": LID, "remoteJidAlt": JID, "id": "P1", "fromMe": False}
    told = {"event": "messages.upsert", "instance": "sales", "data": {"key": key, "message": {}}}
    sent = await stage.kit.run(client.messages.send_text(LID, "x"))
    assert sent.remote_jid == LID
    event = own(client, sent, chat=JID)
    with pytest.raises(BadRequestError):
        await stage.kit.run(event.edit("y"))
    client.feed(told, verified=True)
    await stage.kit.run(event.edit("y"))
    assert stage.last.json["number"] == LID


async def test_a_message_is_marked_as_played_from_2_4_on(stage: Stage) -> None:
    event = arrive(stage, play(stage, "2.4-pre"), from_=NUMBER)
    await stage.kit.run(event.mark_played())
    assert stage.last.path == "/chat/markMessageAsPlayed/sales"
    event = arrive(stage, play(stage, "2.3.7"), from_=NUMBER)
    with pytest.raises(UnsupportedByServerError):
        await stage.kit.run(event.mark_played())


def test_without_a_client_actions_on_content_say_what_is_missing() -> None:
    data = {"key": {"id": "1", "remoteJid": JID}, "message": {}}
    told: Any = parse_event({"event": "messages.upsert", "instance": "sales", "data": data})
    with pytest.raises(ConfigurationError, match="bind"):
        told.forward(OTHER)
    status: Any = parse_event({"event": "messages.update", "instance": "sales", "data": data})
    with pytest.raises(AttributeError):
        status.forward(OTHER)
