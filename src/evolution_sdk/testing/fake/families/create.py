"""``POST /instance/create``: one long procedure, undone completely when any step fails."""

from __future__ import annotations

import contextlib
from typing import Any

from evolution_sdk.testing.fake import lifecycle
from evolution_sdk.testing.fake.errors import Thrown, bad_request
from evolution_sdk.testing.fake.js import (
    UNDEFINED,
    JsonObject,
    as_object,
    defined,
    get,
    truthy,
)
from evolution_sdk.testing.fake.media import is_url
from evolution_sdk.testing.fake.router import Call
from evolution_sdk.testing.fake.state import (
    BAILEYS,
    BUSINESS,
    CHANNELS,
    DEFAULT_SETTINGS,
    Instance,
    State,
)
from evolution_sdk.testing.fake.world import World

from .chatwoot import save_chatwoot, webhook_url
from .proxy import need_working_proxy, save_proxy
from .settings import save_settings
from .transports import subscribe
from .webhook import save_webhook

_QR_WAIT_MS = 5_000
_TRANSPORTS = ("websocket", "rabbitmq", "nats", "sqs")
_LATER_TRANSPORTS = ("pusher", "kafka")


def create_instance(call: Call) -> JsonObject:
    """Create; any failure removes the instance again and answers 400 with its first message."""
    name = call.body.get("instanceName")
    try:
        return _create(call)
    except Thrown as thrown:
        made = call.world.loaded(name) if isinstance(name, str) else None
        if made is not None:
            lifecycle.discard(call.world, made)
        message = thrown.message
        raise bad_request(message[0] if isinstance(message, list) else message) from None


def _create(call: Call) -> JsonObject:
    world, body = call.world, call.body
    instance = _new(world, body)
    world.instances[instance.name] = instance
    _subscribe(world, instance, body)
    ids = {"instanceName": instance.name, "instanceId": instance.id}
    world.emit(instance, "instance.create", ids)
    if all(truthy(get(body, f"proxy{part}")) for part in ("Host", "Port", "Protocol")):
        need_working_proxy(world, body["proxyHost"], body["proxyPort"])
        parts = ("Host", "Port", "Protocol", "Username", "Password")
        place = {part.lower(): get(body, f"proxy{part}") for part in parts}
        save_proxy(world, instance, {"enabled": True, **place})
    settings = _settings(body)
    save_settings(world, instance, settings)
    if instance.integration == BUSINESS and not truthy(get(body, "number")):
        raise bad_request("number is required")
    chatwoot = all(truthy(get(body, f"chatwoot{part}")) for part in ("AccountId", "Token", "Url"))
    qrcode: Any = UNDEFINED
    if not chatwoot and truthy(get(body, "qrcode")) and instance.integration == BAILEYS:
        lifecycle.connect(world, instance, body.get("number"))
        call.hold_ms = _QR_WAIT_MS
        qrcode = instance.qr.answer() if instance.qr else UNDEFINED
    inbox = _chatwoot(world, instance, body) if chatwoot else UNDEFINED
    return _answer(world, instance, body, settings=settings, qrcode=qrcode, chatwoot=inbox)


def _new(world: World, body: JsonObject) -> Instance:
    integration = body.get("integration")
    if integration == BUSINESS and not truthy(get(body, "token")):
        raise bad_request("token is required")
    if integration not in CHANNELS:
        raise bad_request("Invalid integration")
    state: State = "close" if integration == BAILEYS else "open"
    return Instance(
        name=body["instanceName"],
        id=world.ids.uuid(),
        integration=integration,
        token=body.get("token") or world.ids.uuid().upper(),
        created_ms=world.now_ms(),
        number=body.get("number"),
        business_id=body.get("businessId"),
        state=state,
        connection_status=state,
    )


def _subscribe(world: World, instance: Instance, body: JsonObject) -> None:
    """Set what the body asks of each transport; those switched off server-wide ignore it."""
    for transport in _TRANSPORTS:
        _subscribe_to(world, instance, transport, body)
    webhook = get(body, "webhook")
    if truthy(webhook):
        save_webhook(world, instance, {**(as_object(webhook) or {}), "enabled": True})
    for transport in _LATER_TRANSPORTS:
        _subscribe_to(world, instance, transport, body)


def _subscribe_to(world: World, instance: Instance, transport: str, body: JsonObject) -> None:
    given = get(body, transport)
    if truthy(given):
        subscribe(world, instance, transport, as_object(given) or {})


def _settings(body: JsonObject) -> JsonObject:
    return {
        name: (get(body, name) is True)
        if isinstance(default, bool)
        else (body.get(name) or default)
        for name, default in DEFAULT_SETTINGS.items()
    }


def _answer(world: World, instance: Instance, body: JsonObject, **rest: Any) -> JsonObject:
    business = instance.integration == BUSINESS
    address = f"{world.options.server_url}/webhook/meta" if business else None
    transports = {name: defined(enabled=get(body, name, "enabled")) for name in _TRANSPORTS}
    return defined(
        instance={
            "instanceName": instance.name,
            "instanceId": instance.id,
            "integration": instance.integration,
            "webhookWaBusiness": address,
            "accessTokenWaBusiness": "evolution" if business else "",
            "status": instance.state,
        },
        hash=instance.token,
        webhook=defined(
            webhookUrl=get(body, "webhook", "url"),
            webhookHeaders=get(body, "webhook", "headers"),
            webhookByEvents=get(body, "webhook", "byEvents"),
            webhookBase64=get(body, "webhook", "base64"),
        ),
        **transports,
        **rest,
    )


def _chatwoot(world: World, instance: Instance, body: JsonObject) -> JsonObject:
    """Check and keep the Chatwoot inbox; three flags must be given explicitly."""
    if "chatwoot" not in world.options.features:
        raise bad_request("Chatwoot is not enabled")
    url = body["chatwootUrl"]
    if not is_url(url, require_tld=False):
        raise bad_request('Invalid "url" property in chatwoot')
    flags = ("signMsg", "reopenConversation", "conversationPending")
    values = {flag: get(body, f"chatwoot{flag[0].upper()}{flag[1:]}") for flag in flags}
    for flag, value in values.items():
        if not isinstance(value, bool):
            raise bad_request(f"{flag} is required")
    inbox: JsonObject = {
        "enabled": True,
        "accountId": body["chatwootAccountId"],
        "token": body["chatwootToken"],
        "url": url,
        **values,
        "mergeBrazilContacts": body.get("chatwootMergeBrazilContacts", False),
        "importContacts": body.get("chatwootImportContacts", True),
        "importMessages": body.get("chatwootImportMessages", True),
        "daysLimitImportMessages": body.get("chatwootDaysLimitImportMessages") or 60,
    }
    name = body.get("chatwootNameInbox")
    inbox_name = instance.name.split("-cwId-")[0] if name is None else name
    rest = {"number": "number", "organization": "chatwootOrganization", "logo": "chatwootLogo"}
    more = {column: get(body, given) for column, given in rest.items()}
    with contextlib.suppress(Thrown):
        # What cannot be stored is only logged.
        save_chatwoot(world, instance, {**inbox, "nameInbox": inbox_name, **more})
    return defined(
        **inbox,
        number=get(body, "number"),
        nameInbox=instance.name if name is None else name,
        webhookUrl=webhook_url(world, instance.name),
    )
