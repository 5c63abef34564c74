"""What each method is to send: (call, method, path with query, body)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from evolution_sdk import Button, ContactCard, Jid, ListRow, ListSection, MessageKey, PhoneNumber
from evolution_sdk.models import StoredMessage
from evolution_sdk.models.requests_message import CarouselCard

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

ACCOUNT_CASES: dict[str, tuple[Any, str, str, Any]] = {
    "server.info": (lambda c: c.server.info(), "GET", "/", None),
    "license.status": (lambda c: c.license.status(), "GET", "/license/status", None),
    "license.register": (
        lambda c: c.license.register(redirect_uri="https://a.example/back"),
        "GET",
        "/license/register?redirect_uri=https%3A%2F%2Fa.example%2Fback",
        None,
    ),
    "license.activate": (
        lambda c: c.license.activate("code1"),
        "GET",
        "/license/activate?code=code1",
        None,
    ),
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
}
MESSAGE_CASES: dict[str, tuple[Any, str, str, Any]] = {
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
    "carousel": (
        lambda c: c.messages.send_carousel(
            NUMBER,
            body="B",
            cards=[CarouselCard(text="c", buttons=(Button(display_text="Yes", id="y"),))],
        ),
        "POST",
        "/message/sendCarousel/sales",
        {
            "number": NUMBER,
            "body": "B",
            "cards": [
                {"body": "c", "buttons": [{"type": "reply", "displayText": "Yes", "id": "y"}]}
            ],
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
}
