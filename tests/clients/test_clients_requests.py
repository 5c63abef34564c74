"""Every method makes exactly the request that the server knows."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from evolution_sdk import Button, ContactCard, Jid, ListRow, ListSection, MessageKey, PhoneNumber
from evolution_sdk.models import StoredMessage

from .conftest import Kit

NUMBER = "5511987654321"
KEY = MessageKey(id="3EB0AA", remote_jid=f"{NUMBER}@s.whatsapp.net", from_me=False)
WIRE_KEY = {"id": "3EB0AA", "remoteJid": f"{NUMBER}@s.whatsapp.net", "fromMe": False}
MESSAGE = StoredMessage.from_wire(
    {"id": "cm1", "key": WIRE_KEY, "messageType": "conversation", "messageTimestamp": 1795447889}
)
LAST = {"key": WIRE_KEY, "messageTimestamp": 1795447889}
BEGIN = datetime(2026, 1, 2, tzinfo=UTC)
END = datetime(2026, 1, 3, tzinfo=UTC)
SIX = {
    "readreceipts": "all",
    "profile": "contacts",
    "status": "none",
    "online": "match_last_seen",
    "last": "contact_blacklist",
    "groupadd": "all",
}
SWITCHES = {
    "reject_call": True,
    "groups_ignore": False,
    "always_online": False,
    "read_messages": False,
    "read_status": False,
    "sync_full_history": True,
}
RANGE = {"gte": "2026-01-02T00:00:00.000Z", "lte": "2026-01-03T00:00:00.000Z"}

# (call, method, path with query, body)
CASES: dict[str, tuple[Any, str, str, Any]] = {
    "server.info": (lambda c: c.server.info(), "GET", "/", None),
    "server.verify_creds": (lambda c: c.server.verify_creds(), "POST", "/verify-creds", {}),
    "create": (
        lambda c: c.instances.create("novo", integration="EVOLUTION", token="t", number="5511"),
        "POST",
        "/instance/create",
        {"instanceName": "novo", "integration": "EVOLUTION", "token": "t", "number": "5511"},
    ),
    "create with settings": (
        lambda c: c.instances.create(
            "novo",
            qrcode=True,
            webhook={"url": "https://a.example", "by_events": True},
            settings={"reject_call": True, "proxy_port": "80", "rabbitmq": {"events": []}},
        ),
        "POST",
        "/instance/create",
        {
            "instanceName": "novo",
            "integration": "WHATSAPP-BAILEYS",
            "qrcode": True,
            "webhook": {
                "enabled": True,
                "url": "https://a.example",
                "events": [],
                "byEvents": True,
            },
            "rejectCall": True,
            "proxyPort": "80",
            "rabbitmq": {"events": []},
        },
    ),
    "fetch": (lambda c: c.instances.fetch(), "GET", "/instance/fetchInstances", None),
    "fetch by name": (
        lambda c: c.instances.fetch("a b"),
        "GET",
        "/instance/fetchInstances?instanceName=a+b",
        None,
    ),
    "fetch by id and number": (
        lambda c: c.instances.fetch(instance_id="i", number="55"),
        "GET",
        "/instance/fetchInstances?instanceId=i&number=55",
        None,
    ),
    "connect": (lambda c: c.instances.connect(), "GET", "/instance/connect/sales", None),
    "connect other": (
        lambda c: c.instances.connect("my inst/é#1", number="5511"),
        "GET",
        "/instance/connect/my%20inst%2F%C3%A9%231?number=5511",
        None,
    ),
    "state": (
        lambda c: c.instances.connection_state(),
        "GET",
        "/instance/connectionState/sales",
        None,
    ),
    "restart": (lambda c: c.instances.restart(), "POST", "/instance/restart/sales", {}),
    "set_presence": (
        lambda c: c.instances.set_presence("unavailable"),
        "POST",
        "/instance/setPresence/sales",
        {"presence": "unavailable"},
    ),
    "logout": (lambda c: c.instances.logout(), "DELETE", "/instance/logout/sales", None),
    "delete": (lambda c: c.instances.delete("x"), "DELETE", "/instance/delete/x", None),
    "settings.set": (
        lambda c: c.settings.set(**SWITCHES, msg_call="no"),
        "POST",
        "/settings/set/sales",
        {
            "rejectCall": True,
            "groupsIgnore": False,
            "alwaysOnline": False,
            "readMessages": False,
            "readStatus": False,
            "syncFullHistory": True,
            "msgCall": "no",
        },
    ),
    "settings.find": (lambda c: c.settings.find(), "GET", "/settings/find/sales", None),
    "webhook.set": (
        lambda c: c.webhook.set(
            "https://a.example", events=["MESSAGES_UPSERT"], base64=False, headers={"X": "1"}
        ),
        "POST",
        "/webhook/set/sales",
        {
            "webhook": {
                "enabled": True,
                "url": "https://a.example",
                "events": ["MESSAGES_UPSERT"],
                "base64": False,
                "headers": {"X": "1"},
            }
        },
    ),
    "webhook off": (
        lambda c: c.webhook.set(enabled=False),
        "POST",
        "/webhook/set/sales",
        {"webhook": {"enabled": False, "url": "", "events": []}},
    ),
    "webhook.find": (lambda c: c.webhook.find(), "GET", "/webhook/find/sales", None),
    "text": (
        lambda c: c.messages.send_text(NUMBER, "oi"),
        "POST",
        "/message/sendText/sales",
        {"number": NUMBER, "text": "oi"},
    ),
    "text with everything": (
        lambda c: c.messages.send_text(
            PhoneNumber.parse("+55 11 98765-4321"),
            "oi",
            link_preview=False,
            delay_ms=1200,
            quoted="3EB0",
            mentioned=["+5511900000002", Jid.parse("5511900000003@s.whatsapp.net")],
            mentions_every_one=True,
        ),
        "POST",
        "/message/sendText/sales",
        {
            "number": NUMBER,
            "text": "oi",
            "linkPreview": False,
            "delay": 1200,
            "quoted": {"key": {"id": "3EB0"}},
            "mentioned": ["5511900000002", "5511900000003@s.whatsapp.net"],
            "mentionsEveryOne": True,
        },
    ),
    "mention of everyone denied": (
        lambda c: c.messages.send_text(NUMBER, "oi", mentions_every_one=False),
        "POST",
        "/message/sendText/sales",
        {"number": NUMBER, "text": "oi"},
    ),
    "quoting a message": (
        lambda c: c.messages.send_text(NUMBER, "oi", quoted=MESSAGE),
        "POST",
        "/message/sendText/sales",
        {"number": NUMBER, "text": "oi", "quoted": {"key": WIRE_KEY}},
    ),
    "location": (
        lambda c: c.messages.send_location(NUMBER, -23.55, -46.63, name="SP", address="Sé"),
        "POST",
        "/message/sendLocation/sales",
        {
            "number": NUMBER,
            "latitude": -23.55,
            "longitude": -46.63,
            "name": "SP",
            "address": "Sé",
        },
    ),
    "contact": (
        lambda c: c.messages.send_contact(
            NUMBER, ContactCard(full_name="Ada", phone_number="+55 11 98765-4321", email="a@b.c")
        ),
        "POST",
        "/message/sendContact/sales",
        {
            "number": NUMBER,
            "contact": [{"fullName": "Ada", "phoneNumber": "+55 11 98765-4321", "email": "a@b.c"}],
        },
    ),
    "reaction": (
        lambda c: c.messages.send_reaction(MESSAGE, "👍"),
        "POST",
        "/message/sendReaction/sales",
        {"key": WIRE_KEY, "reaction": "👍"},
    ),
    "reaction removed": (
        lambda c: c.messages.send_reaction(KEY, ""),
        "POST",
        "/message/sendReaction/sales",
        {"key": WIRE_KEY, "reaction": ""},
    ),
    "poll": (
        lambda c: c.messages.send_poll(NUMBER, "Q?", ["A", "B"], selectable_count=0),
        "POST",
        "/message/sendPoll/sales",
        {"number": NUMBER, "name": "Q?", "values": ["A", "B"], "selectableCount": 0},
    ),
    "list": (
        lambda c: c.messages.send_list(
            NUMBER,
            title="Menu",
            button_text="Open",
            footer_text="foot",
            sections=[
                ListSection(title="S", rows=(ListRow(title="R", row_id="r", description="d"),))
            ],
        ),
        "POST",
        "/message/sendList/sales",
        {
            "number": NUMBER,
            "title": "Menu",
            "buttonText": "Open",
            "footerText": "foot",
            "sections": [
                {"title": "S", "rows": [{"title": "R", "rowId": "r", "description": "d"}]}
            ],
        },
    ),
    "buttons": (
        lambda c: c.messages.send_buttons(
            NUMBER, title="T", footer="f", buttons=[Button(display_text="Yes", id="y")]
        ),
        "POST",
        "/message/sendButtons/sales",
        {
            "number": NUMBER,
            "title": "T",
            "footer": "f",
            "buttons": [{"type": "reply", "displayText": "Yes", "id": "y"}],
        },
    ),
    "template": (
        lambda c: c.messages.send_template(
            NUMBER,
            "hello_world",
            language="pt_BR",
            components=[{"type": "body"}],
            webhook_url="https://a.example",
            quoted=KEY,
        ),
        "POST",
        "/message/sendTemplate/sales",
        {
            "number": NUMBER,
            "name": "hello_world",
            "language": "pt_BR",
            "components": [{"type": "body"}],
            "webhookUrl": "https://a.example",
            "quoted": {"key": WIRE_KEY},
        },
    ),
    "text status": (
        lambda c: c.messages.send_status(
            "story",
            background_color="#008000",
            font=1,
            status_jid_list=[f"{NUMBER}@s.whatsapp.net"],
        ),
        "POST",
        "/message/sendStatus/sales",
        {
            "type": "text",
            "content": "story",
            "backgroundColor": "#008000",
            "font": 1,
            "statusJidList": [f"{NUMBER}@s.whatsapp.net"],
        },
    ),
    "numbers": (
        lambda c: c.chats.check_whatsapp_numbers([NUMBER, f"{NUMBER}@s.whatsapp.net"]),
        "POST",
        "/chat/whatsappNumbers/sales",
        {"numbers": [NUMBER, f"{NUMBER}@s.whatsapp.net"]},
    ),
    "read": (
        lambda c: c.chats.mark_message_as_read(MESSAGE),
        "POST",
        "/chat/markMessageAsRead/sales",
        {"readMessages": [WIRE_KEY]},
    ),
    "archive": (
        lambda c: c.chats.archive(MESSAGE, archive=False),
        "POST",
        "/chat/archiveChat/sales",
        {"archive": False, "chat": WIRE_KEY["remoteJid"], "lastMessage": LAST},
    ),
    "unread": (
        lambda c: c.chats.mark_unread(MESSAGE),
        "POST",
        "/chat/markChatUnread/sales",
        {"chat": WIRE_KEY["remoteJid"], "lastMessage": LAST},
    ),
    "delete message": (
        lambda c: c.chats.delete_message_for_everyone(KEY),
        "DELETE",
        "/chat/deleteMessageForEveryone/sales",
        WIRE_KEY,
    ),
    "edit": (
        lambda c: c.chats.update_message(KEY, "new"),
        "POST",
        "/chat/updateMessage/sales",
        {"number": WIRE_KEY["remoteJid"], "text": "new", "key": WIRE_KEY},
    ),
    "typing": (
        lambda c: c.chats.send_presence(NUMBER, "recording", delay_ms=500),
        "POST",
        "/chat/sendPresence/sales",
        {"number": NUMBER, "presence": "recording", "delay": 500},
    ),
    "block": (
        lambda c: c.chats.update_block_status(NUMBER, "block"),
        "POST",
        "/chat/updateBlockStatus/sales",
        {"number": NUMBER, "status": "block"},
    ),
    "media of a message": (
        lambda c: c.chats.get_base64_from_media_message(KEY, convert_to_mp4=True),
        "POST",
        "/chat/getBase64FromMediaMessage/sales",
        {"message": {"key": {"id": "3EB0AA"}}, "convertToMp4": True},
    ),
    "chats": (
        lambda c: c.chats.find(remote_jid=KEY.remote_jid, since=BEGIN, until=END, take=5, skip=2),
        "POST",
        "/chat/findChats/sales",
        {
            "where": {"remoteJid": KEY.remote_jid, "messageTimestamp": RANGE},
            "take": 5,
            "skip": 2,
        },
    ),
    "all chats": (lambda c: c.chats.find(), "POST", "/chat/findChats/sales", {}),
    "one chat": (
        lambda c: c.chats.find_by_remote_jid(Jid.parse(KEY.remote_jid)),
        "GET",
        "/chat/findChatByRemoteJid/sales?remoteJid=5511987654321%40s.whatsapp.net",
        None,
    ),
    "contacts": (
        lambda c: c.chats.find_contacts(remote_jid=KEY.remote_jid, page=2, page_size=10),
        "POST",
        "/chat/findContacts/sales",
        {"where": {"remoteJid": KEY.remote_jid}, "page": 2, "offset": 10},
    ),
    "messages": (
        lambda c: c.chats.find_messages(
            remote_jid=KEY.remote_jid,
            message_id="3EB0",
            from_me=True,
            participant="p@lid",
            message_type="conversation",
            source="web",
            since=BEGIN,
            until=END,
            page=3,
            page_size=7,
        ),
        "POST",
        "/chat/findMessages/sales",
        {
            "where": {
                "key": {
                    "id": "3EB0",
                    "remoteJid": KEY.remote_jid,
                    "fromMe": True,
                    "participant": "p@lid",
                },
                "messageType": "conversation",
                "source": "web",
                "messageTimestamp": RANGE,
            },
            "page": 3,
            "offset": 7,
        },
    ),
    "statuses": (
        lambda c: c.chats.find_status_message(message_id="3EB0", page_size=3),
        "POST",
        "/chat/findStatusMessage/sales",
        {"where": {"id": "3EB0"}, "page": 1, "offset": 3},
    ),
    "picture": (
        lambda c: c.chats.fetch_profile_picture_url(NUMBER),
        "POST",
        "/chat/fetchProfilePictureUrl/sales",
        {"number": NUMBER},
    ),
    "business profile": (
        lambda c: c.chats.fetch_business_profile(),
        "POST",
        "/chat/fetchBusinessProfile/sales",
        {},
    ),
    "profile": (
        lambda c: c.chats.fetch_profile(NUMBER),
        "POST",
        "/chat/fetchProfile/sales",
        {"number": NUMBER},
    ),
    "name": (
        lambda c: c.chats.update_profile_name("Loja"),
        "POST",
        "/chat/updateProfileName/sales",
        {"name": "Loja"},
    ),
    "about": (
        lambda c: c.chats.update_profile_status(""),
        "POST",
        "/chat/updateProfileStatus/sales",
        {"status": ""},
    ),
    "new picture": (
        lambda c: c.chats.update_profile_picture("https://a.example/p.png"),
        "POST",
        "/chat/updateProfilePicture/sales",
        {"picture": "https://a.example/p.png"},
    ),
    "no picture": (
        lambda c: c.chats.remove_profile_picture(),
        "DELETE",
        "/chat/removeProfilePicture/sales",
        None,
    ),
    "privacy": (
        lambda c: c.chats.fetch_privacy_settings(),
        "GET",
        "/chat/fetchPrivacySettings/sales",
        None,
    ),
    "new privacy": (
        lambda c: c.chats.update_privacy_settings(**SIX),
        "POST",
        "/chat/updatePrivacySettings/sales",
        SIX,
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
async def test_request(kit: Kit, case: tuple[Any, str, str, Any]) -> None:
    call, method, path, body = case
    await kit.run(call(kit.client()))
    (request,) = kit.stub.requests
    assert request.method == method
    assert request.url == f"http://evolution.test:8080{path}"
    assert (None if request.content is None else json.loads(request.content)) == body
    assert request.headers.get("apikey") == (None if path == "/" else "global-key")
    assert ("content-type" in request.headers) is (body is not None)


async def test_a_range_without_end_reaches_beyond_any_clock_difference(kit: Kit) -> None:
    await kit.run(kit.client().chats.find_messages(since=BEGIN))
    found = kit.stub.last_json["where"]["messageTimestamp"]
    assert found == {"gte": "2026-01-02T00:00:00.000Z", "lte": "2026-11-24T15:31:29.000Z"}


async def test_bulk_number_checks_are_split(kit: Kit) -> None:
    kit.stub.default = (200, [])
    numbers = [f"55119876{i:05}" for i in range(120)]
    await kit.run(kit.client().chats.check_whatsapp_numbers(numbers))
    sizes = [len(json.loads(request.content or b"")["numbers"]) for request in kit.stub.requests]
    assert sizes == [50, 50, 20]


async def test_a_number_is_resolved_by_asking_for_each_variant(kit: Kit) -> None:
    known = {"jid": "553199998888@s.whatsapp.net", "exists": True}
    kit.stub.default = (
        200,
        [
            {"jid": "x", "exists": False, "number": "5531999998888@s.whatsapp.net"},
            {**known, "number": "553199998888@s.whatsapp.net"},
        ],
    )
    jid = await kit.run(kit.client().chats.resolve_number("5531999998888"))
    assert str(jid) == "553199998888@s.whatsapp.net"
    asked = kit.stub.last_json["numbers"]
    assert asked == ["5531999998888@s.whatsapp.net", "553199998888@s.whatsapp.net"]
    kit.stub.default = (200, [{"jid": "x", "exists": False, "number": asked[0]}])
    assert await kit.run(kit.client().chats.resolve_number("5531999998888")) is None
