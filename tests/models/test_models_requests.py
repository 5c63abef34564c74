"""What we send: every rule refuses by name, and nothing travels that was not given."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from request_checks import (
    SEEN,
    a_broken_rule_is_named_without_the_value,
    compare_with_the_table,
    good_values_pass_and_only_they_travel,
)

from evolution_sdk import OPERATIONS
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models import Button, ContactCard, ListRow, ListSection, RequestModel
from evolution_sdk.models import requests_chat as chat
from evolution_sdk.models import requests_instance as instance
from evolution_sdk.models import requests_message as message
from evolution_sdk.models.event_names import EVENT_NAMES
from evolution_sdk.models.settings import SettingsRequest
from evolution_sdk.models.webhook import SetWebhook, WebhookRequest

BODIES: dict[str, type[RequestModel]] = {
    "message.send_text": message.TextRequest,
    "message.send_media": message.MediaRequest,
    "message.send_ptv": message.PtvRequest,
    "message.send_whatsapp_audio": message.AudioRequest,
    "message.send_status": message.StatusRequest,
    "message.send_sticker": message.StickerRequest,
    "message.send_location": message.LocationRequest,
    "message.send_contact": message.ContactRequest,
    "message.send_reaction": message.ReactionRequest,
    "message.send_poll": message.PollRequest,
    "message.send_list": message.ListRequest,
    "message.send_buttons": message.ButtonsRequest,
    "message.send_template": message.TemplateRequest,
    "message.send_carousel": message.CarouselRequest,
    "chat.check_whatsapp_numbers": chat.WhatsappNumbersRequest,
    "chat.mark_message_as_read": chat.ReadMessagesRequest,
    "chat.mark_message_as_played": chat.PlayedMessagesRequest,
    "chat.get_poll_vote": chat.PollVotesRequest,
    "chat.find_channels": chat.FindChannelsRequest,
    "chat.archive_chat": chat.ArchiveChatRequest,
    "chat.mark_chat_unread": chat.MarkUnreadRequest,
    "chat.delete_message_for_everyone": chat.KeyRef,
    "chat.fetch_profile_picture_url": chat.NumberRequest,
    "chat.get_base64_from_media_message": chat.MediaBase64Request,
    "chat.update_message": chat.UpdateMessageRequest,
    "chat.send_presence": chat.SendPresenceRequest,
    "chat.update_block_status": chat.BlockRequest,
    "chat.find_contacts": chat.FindContactsRequest,
    "chat.find_messages": chat.FindMessagesRequest,
    "chat.find_status_message": chat.FindStatusRequest,
    "chat.find_chats": chat.FindChatsRequest,
    "chat.fetch_business_profile": chat.OptionalNumberRequest,
    "chat.fetch_profile": chat.OptionalNumberRequest,
    "chat.update_profile_name": chat.ProfileNameRequest,
    "chat.update_profile_status": chat.ProfileStatusRequest,
    "chat.update_profile_picture": chat.ProfilePictureRequest,
    "chat.update_privacy_settings": chat.PrivacyRequest,
    "instance.create_instance": instance.CreateInstanceRequest,
    "instance.set_presence": chat.PresenceRequest,
    "settings.set_settings": SettingsRequest,
    "webhook.set_webhook": SetWebhook,
}
# The route table names what the schemas check; these are read all the same, or do no harm.
BEYOND_THE_TABLE = {
    "quoted.key.participant",  # Baileys' own key, which quoting in groups needs
    "quoted.key",
    "quoted.key.id",
    "quoted.key.remoteJid",
    "quoted.key.fromMe",
    "quoted.message",
    # A card has the buttons that messages have, of which it refuses one kind by itself.
    *(f"cards[].buttons[].{name}" for name in ("currency", "name", "keyType", "key")),
    "readMessages[].participant",
    "playedMessages[].participant",
    "lastMessage.key.participant",
    "key.participant",
    "webhook.enabled",
    "message.key",
    # On BUSINESS the whole message, as a note of the table says.
    "message.message",
    "message.messageType",
    "where.key",
    "where.messageTimestamp",
}
# Later versions know them as well (`facts/versions/versions.json` "gifPlayback, gifAttribution").
LATER = {name for operation in OPERATIONS.values() for name in operation.fields_since}


def test_every_field_we_can_send_is_one_the_server_knows() -> None:
    groups = ("message", "chat", "instance", "settings", "webhook")
    compare_with_the_table(groups, BODIES, BEYOND_THE_TABLE | LATER)


NUMBER = "5511999999999"
KEY = {"id": "3EB0", "remote_jid": f"{NUMBER}@s.whatsapp.net", "from_me": True}
ROW = {"title": "r", "row_id": "1"}
LIST: dict[str, Any] = {
    "number": NUMBER,
    "title": "t",
    "button_text": "b",
    "footer_text": "f",
    "sections": ({"title": "s", "rows": (ROW,)},),
}
BUTTONS = {"number": NUMBER, "title": "t"}
REPLY = {"type": "reply", "display_text": "yes", "id": "1"}
CAROUSEL_CARD = {"text": "c", "buttons": (REPLY,), "image_url": "https://a.example/a.png"}
PIX = {"type": "pix", "currency": "BRL", "name": "n", "key_type": "random", "key": "k"}
STATUS = {"type": "text", "content": "x", "background_color": "#fff", "font": 1}
PRIVACY = dict.fromkeys(("profile", "status", "last", "groupadd"), "all") | {
    "readreceipts": "all",
    "online": "all",
}
CREATE = {"instance_name": "sales"}
CARD = {"full_name": "Jo", "phone_number": "5511999999999"}
SIX = dict.fromkeys(
    ("reject_call", "groups_ignore", "always_online", "read_messages", "read_status",
     "sync_full_history"), False,
)  # fmt: skip
NOW = datetime(2026, 1, 1, tzinfo=UTC)

GOOD: list[tuple[type[RequestModel], dict[str, Any]]] = [
    (message.TextRequest, {"number": NUMBER, "text": "x", "delay": 0}),
    (message.MediaRequest, {"number": NUMBER, "mediatype": "image"}),
    (message.PtvRequest, {"number": NUMBER}),
    (message.AudioRequest, {"number": NUMBER, "encoding": True}),
    (message.StickerRequest, {"number": NUMBER}),
    (message.StatusRequest, {**STATUS, "all_contacts": True}),
    (message.StatusRequest, {"type": "image", "status_jid_list": (f"{NUMBER}@s.whatsapp.net",)}),
    (message.LocationRequest,
     {"number": NUMBER, "latitude": -90, "longitude": 180, "name": "n", "address": "a"}),
    (message.ContactRequest, {"number": NUMBER, "contact": (CARD,)}),
    (message.ReactionRequest, {"key": KEY, "reaction": ""}),
    (message.ReactionRequest, {"key": KEY, "reaction": "👍🏽"}),
    (message.PollRequest, {"number": NUMBER, "name": "?", "values": ("a", "b")}),
    (message.ListRequest, LIST),
    (message.ButtonsRequest, {**BUTTONS, "buttons": (REPLY,)}),
    (message.ButtonsRequest, {**BUTTONS, "buttons": (PIX,)}),
    (message.TemplateRequest, {"number": NUMBER, "name": "n", "language": "pt_BR"}),
    (message.CarouselRequest, {"number": NUMBER, "text": "b", "cards": (CAROUSEL_CARD,)}),
    (chat.WhatsappNumbersRequest, {"numbers": (NUMBER,)}),
    (chat.ReadMessagesRequest, {"read_messages": (KEY,)}),
    (chat.PlayedMessagesRequest, {"played_messages": (KEY,)}),
    (chat.PollVotesRequest, {"message": {"key": {"id": "3EB0"}}, "remote_jid": "1@lid"}),
    (chat.FindChannelsRequest, {"page": 1, "limit": 1}),
    (chat.ArchiveChatRequest,
     {"archive": True, "last_message": {"key": KEY, "message_timestamp": 1}}),
    (chat.UpdateMessageRequest, {"number": NUMBER, "text": "x", "key": KEY}),
    (chat.SendPresenceRequest, {"number": NUMBER, "delay": 0, "presence": "composing"}),
    (chat.PrivacyRequest, PRIVACY),
    (chat.FindMessagesRequest,
     {"where": {"key": {"from_me": True}, "message_timestamp": {"gte": NOW, "lte": NOW}}}),
    (chat.FindContactsRequest, {"offset": 1, "page": 1}),
    (chat.FindChatsRequest, {"take": 1, "skip": 0}),
    (instance.CreateInstanceRequest, {**CREATE, "qrcode": True, "websocket": {"events": []}}),
    (SettingsRequest, {**SIX, "msg_call": "x" * 100}),
    (SetWebhook, {"webhook": {"url": "https://x", "events": EVENT_NAMES}}),
]  # fmt: skip


@pytest.mark.parametrize(("model", "values"), GOOD, ids=[model.__name__ for model, _ in GOOD])
def test_good_values_pass_and_only_they_travel(
    model: type[RequestModel], values: dict[str, Any]
) -> None:
    good_values_pass_and_only_they_travel(model, values)


BAD: list[tuple[type[RequestModel], dict[str, Any], str, str]] = [
    # model, values, the field named, a part of the rule
    (message.TextRequest, {"number": SEEN, "text": "x"}, "number", "letters"),
    (message.TextRequest, {"number": "x@newsletter", "text": "x"}, "number", "digits before"),
    (message.TextRequest, {"number": "", "text": "x"}, "number", ""),
    (message.TextRequest, {"number": NUMBER, "text": " \n"}, "text", "blank"),
    (message.TextRequest, {"number": NUMBER}, "text", "required"),
    (message.TextRequest, {"number": NUMBER, "text": "x", "delay": -7}, "delay_ms", "greater"),
    (message.TextRequest, {"number": NUMBER, "text": "x", "delay": 12.5}, "delay_ms", "integer"),
    (message.TextRequest, {"number": NUMBER, "text": "x", "delay": "1200"}, "delay_ms", "integer"),
    (message.TextRequest, {"number": NUMBER, "text": "x", "mentioned": ()}, "mentioned", "1 item"),
    (message.TextRequest, {"number": NUMBER, "text": "x", "mentioned": ("1", "+1")}, "mentioned",
     "once"),
    (message.TextRequest, {"number": NUMBER, "text": "x", "mentioned": (SEEN,)}, "mentioned[0]",
     "pattern"),
    (message.TextRequest, {"number": NUMBER, "text": "x", "mentions_every_one": False},
     "mentions_every_one", "True"),
    (message.TextRequest, {"number": NUMBER, "text": "x", "quoted": {"key": {"id": ""}}},
     "quoted.key.id", "1 character"),
    (message.TextRequest, {"number": NUMBER, "text": "x", "txet": SEEN}, "txet", "not permitted"),
    (message.MediaRequest, {"number": NUMBER, "mediatype": SEEN}, "mediatype", "'image'"),
    (message.StatusRequest, STATUS, "status_jid_list", "status_jid_list"),
    (message.StatusRequest, {**STATUS, "all_contacts": True, "font": 6}, "font", "less than"),
    (message.StatusRequest, {"type": "text", "content": SEEN, "all_contacts": True},
     "background_color", "background_color"),
    (message.StatusRequest, {**STATUS, "status_jid_list": (NUMBER,)}, "status_jid_list", "JIDs"),
    (message.StatusRequest, {**STATUS, "status_jid_list": ("1@lid", "1@lid")}, "status_jid_list",
     "once"),
    (message.LocationRequest,
     {"number": NUMBER, "latitude": 91, "longitude": 0, "name": "n", "address": "a"}, "latitude",
     "90"),
    (message.LocationRequest, {"number": NUMBER, "latitude": 1, "longitude": 0, "name": "n"},
     "address", "required"),
    (message.ContactRequest, {"number": NUMBER, "contact": ()}, "contacts", "1 item"),
    (message.ContactRequest, {"number": NUMBER, "contact": ({**CARD, "phone_number": "1" * 9},)},
     "contacts[0].phone_number", "10 characters"),
    (message.ReactionRequest, {"key": KEY, "reaction": SEEN}, "reaction", "emoji"),
    (message.ReactionRequest, {"key": {**KEY, "id": ""}, "reaction": "👍"},
     "message.id", "character"),
    (message.PollRequest, {"number": NUMBER, "name": "?", "values": ("a",)}, "values", "2 items"),
    (message.PollRequest, {"number": NUMBER, "name": "?", "values": (SEEN,) * 2}, "values", "once"),
    (message.PollRequest, {"number": NUMBER, "name": "?", "values": ("a", "b"),
     "selectable_count": 11}, "selectable_count", "less than"),
    (message.ListRequest, {**LIST, "sections": ()}, "sections", "1 item"),
    (message.ListRequest, {**LIST, "sections": LIST["sections"] * 2}, "sections", "differ"),
    (message.ListRequest, {**LIST, "sections": ({"title": "s", "rows": ({**ROW, "row_id": ""},)},)},
     "sections[0].rows[0].row_id", "character"),
    (message.ButtonsRequest, {**BUTTONS, "buttons": ()}, "buttons", "1 item"),
    (message.ButtonsRequest, {**BUTTONS, "title": "", "buttons": (REPLY,)}, "title", "character"),
    (message.ButtonsRequest, {**BUTTONS, "buttons": (REPLY, PIX)}, "buttons", "mixed"),
    (message.ButtonsRequest, {**BUTTONS, "buttons": (PIX, PIX)}, "buttons", "only one"),
    (message.ButtonsRequest, {**BUTTONS, "buttons": (REPLY, REPLY)}, "buttons", "differ"),
    (message.ButtonsRequest, {**BUTTONS, "buttons": tuple({**REPLY, "id": i} for i in "1234")},
     "buttons", "at most 3"),
    (message.ButtonsRequest, {**BUTTONS, "buttons": ({"type": "url", "display_text": SEEN},)},
     "buttons[0]", "needs url"),
    (message.TemplateRequest, {"number": NUMBER, "name": "n", "language": "p"}, "language",
     "2 characters"),
    (message.CarouselRequest, {"number": NUMBER, "text": "b", "cards": ()}, "cards", "1 item"),
    (message.CarouselRequest,
     {"number": NUMBER, "text": "b", "cards": ({**CAROUSEL_CARD, "buttons": (PIX,)},)},
     "cards[0].buttons", "no pix"),
    (chat.PlayedMessagesRequest, {"played_messages": ()}, "messages", "1 item"),
    (chat.FindChannelsRequest, {"page": 0}, "page", "greater"),
    (chat.WhatsappNumbersRequest, {"numbers": ()}, "numbers", "1 item"),
    (chat.WhatsappNumbersRequest, {"numbers": (NUMBER, "+55 11 99999-9999")}, "request", "once"),
    (chat.ReadMessagesRequest, {"read_messages": ()}, "messages", "1 item"),
    (chat.ArchiveChatRequest, {"archive": True}, "last_message", "required"),
    (chat.SendPresenceRequest, {"number": NUMBER, "delay": 0, "presence": SEEN}, "presence",
     "'composing'"),
    (chat.BlockRequest, {"number": NUMBER, "status": SEEN}, "status", "'block'"),
    (chat.ProfileNameRequest, {"name": ""}, "name", "character"),
    (chat.PrivacyRequest, {**PRIVACY, "online": "contacts"}, "online", "match_last_seen"),
    (chat.PrivacyRequest, {**PRIVACY, "last": None}, "last", "required"),
    (chat.FindMessagesRequest, {"offset": 0}, "page_size", "greater"),
    (chat.FindMessagesRequest, {"page": 0}, "page", "greater"),
    (chat.FindMessagesRequest, {"where": {"key": {"from_me": False}}}, "from_me", "True"),
    (chat.FindMessagesRequest, {"where": {"message_timestamp": {"gte": NOW}}},
     "since/until.lte", "required"),
    (chat.TimeRange, {"gte": NOW, "lte": NOW.replace(year=2025)}, "request", "after"),
    (chat.TimeRange, {"gte": NOW.replace(tzinfo=None), "lte": NOW}, "request", "aware"),
    (chat.FindContactsRequest, {"page": 2}, "page_size", "page_size"),
    (chat.FindChatsRequest, {"skip": -1}, "skip", "greater"),
    (instance.CreateInstanceRequest, {"instance_name": ""}, "name", "character"),
    (instance.CreateInstanceRequest, {**CREATE, "integration": SEEN}, "integration", "BAILEYS"),
    (instance.CreateInstanceRequest, {**CREATE, "integration": "WHATSAPP-BUSINESS"}, "token",
     "token"),
    (instance.CreateInstanceRequest, {**CREATE, "integration": "EVOLUTION", "qrcode": True},
     "qrcode", "qrcode"),
    (instance.CreateInstanceRequest, {**CREATE, "number": SEEN}, "number", "pattern"),
    (instance.CreateInstanceRequest, {**CREATE, "proxy_port": 80}, "proxy_port", "string"),
    (instance.CreateInstanceRequest, {**CREATE, "rabbitmq": {"enabled": True}}, "rabbitmq",
     "rabbitmq needs"),
    (instance.CreateInstanceRequest,
     {**CREATE, "chatwoot_account_id": "1", "chatwoot_token": SEEN, "chatwoot_url": "u"},
     "chatwoot_sign_msg", "chatwoot_sign_msg"),
    (instance.CreateInstanceRequest, {**CREATE, "token": SEEN * 99}, "token", "255"),
    (SettingsRequest, {**SIX, "msg_call": SEEN * 20}, "msg_call", "100"),
    (SettingsRequest, {**SIX, "read_status": None}, "read_status", "required"),
    (WebhookRequest, {"url": f"ftp://{SEEN}"}, "url", "http"),
    (WebhookRequest, {"url": ""}, "url", "url"),
    (WebhookRequest, {"url": "https://x", "events": (SEEN,)}, "events[0]", "'MESSAGES_UPSERT'"),
    (SetWebhook, {"webhook": {"url": "https://" + SEEN * 99}}, "url", "500"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("model", "values", "field", "rule"),
    BAD,
    ids=[f"{row[0].__name__}-{row[2]}-{row[3]}" for row in BAD],
)
def test_a_broken_rule_is_named_without_the_value(
    model: type[RequestModel], values: dict[str, Any], field: str, rule: str
) -> None:
    a_broken_rule_is_named_without_the_value(model, values, field, rule)


@pytest.mark.parametrize(
    ("part", "values", "field"),
    [
        (ContactCard, {"full_name": SEEN, "phone_number": "1"}, "phone_number"),
        (ListRow, {"title": "", "row_id": SEEN}, "title"),
        (ListSection, {"title": SEEN, "rows": ()}, "rows"),
        (Button, {"type": "copy", "display_text": SEEN}, "request"),
    ],
)
def test_parts_that_callers_build_refuse_in_the_same_way(
    part: type[RequestModel], values: dict[str, Any], field: str
) -> None:
    with pytest.raises(RequestValidationError) as caught:
        part(**values)
    assert caught.value.field == field
    assert SEEN not in str(caught.value)


def test_numbers_in_every_form_travel_as_the_server_wants_them() -> None:
    def sent(number: Any) -> str:
        return str(message.TextRequest.check(number=number, text="x").body()["number"])

    assert sent("+55 11 99999-9999") == NUMBER
    assert sent(PhoneNumber.parse(NUMBER)) == NUMBER
    assert sent(Jid.parse("120363000000000000@g.us")) == "120363000000000000@g.us"
    assert sent("status@broadcast") == "status@broadcast"


def test_mentions_lose_their_plus() -> None:
    request = message.TextRequest.check(number=NUMBER, text="x", mentioned=(f"+{NUMBER}",))
    assert request.body()["mentioned"] == [NUMBER]


def test_times_travel_as_iso_in_utc() -> None:
    body = chat.TimeRange.check(gte=NOW, lte=NOW).body()
    assert body == {"gte": "2026-01-01T00:00:00.000Z", "lte": "2026-01-01T00:00:00.000Z"}


def test_a_webhook_always_carries_its_events() -> None:
    """Without them the server fails, and a create removes the instance again."""
    assert WebhookRequest.check(url="https://x").body()["events"] == []


def test_requests_are_frozen_and_copy() -> None:
    request = message.TextRequest.check(number=NUMBER, text="x")
    with pytest.raises(ValueError, match="frozen"):
        request.text = "y"
    assert request.model_copy(deep=True) == request
