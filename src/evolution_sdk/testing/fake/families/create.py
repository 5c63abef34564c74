"""Creation of instances: one long procedure, undone completely when any step fails."""

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
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import (
    BAILEYS,
    BUSINESS,
    CHANNELS,
    DEFAULT_SETTINGS,
    ConnectionState,
    Instance,
    ServerState,
)

from .chatwoot import save_chatwoot, webhook_url
from .proxy import need_working_proxy, save_proxy
from .transports import subscribe
from .webhook import save_webhook

_QR_WAIT_MS = 5_000
# Nats and Kafka came together.
_TRANSPORTS = ("websocket", "rabbitmq", "nats", "sqs")
_LATER_TRANSPORTS = ("pusher", "kafka")
_NEW_TRANSPORTS = ("nats", "kafka")


def create_instance(call: RouteCall) -> JsonObject:
    """Create an instance; any failure removes it again and answers 400 with its first message."""
    name = call.body.get("instanceName")
    try:
        return _create(call)
    except Thrown as thrown:
        # Any instance of this name is removed, as on the server (`facts/semantics.md` §4).
        made = call.server.loaded(name) if isinstance(name, str) else None
        if made is not None:
            lifecycle.discard(call.server, made)
        message = thrown.message
        raise bad_request(message[0] if isinstance(message, list) else message) from None


def _create(call: RouteCall) -> JsonObject:
    server, body = call.server, call.body
    instance = _new(server, body)
    # Loaded before the rest is checked: events of a create that fails are sent all the same.
    server.instances[instance.name] = instance
    _subscribe(server, instance, body)
    ids = {"instanceName": instance.name, "instanceId": instance.id}
    server.emit(instance, "instance.create", ids)
    # An incomplete proxy is ignored in silence.
    if all(truthy(get(body, f"proxy{part}")) for part in ("Host", "Port", "Protocol")):
        need_working_proxy(server, body["proxyHost"], body["proxyPort"])
        parts = ("Host", "Port", "Protocol", "Username", "Password")
        place = {part.lower(): get(body, f"proxy{part}") for part in parts}
        save_proxy(server, instance, {"enabled": True, **place})
    settings = _settings(body)
    lifecycle.save_settings(server, instance, settings)
    # Late, after events and settings: the order in which the server looks.
    if instance.integration == BUSINESS and not truthy(get(body, "number")):
        raise bad_request("number is required")
    chatwoot = all(truthy(get(body, f"chatwoot{part}")) for part in ("AccountId", "Token", "Url"))
    qrcode: Any = UNDEFINED
    if not chatwoot and truthy(get(body, "qrcode")) and instance.integration == BAILEYS:
        lifecycle.connect(server, instance, body.get("number"))
        # The server waits for the first QR code before it answers.
        call.hold_ms = _QR_WAIT_MS
        qrcode = instance.qr.answer() if instance.qr else UNDEFINED
    inbox = _chatwoot(server, instance, body) if chatwoot else UNDEFINED
    return _answer(server, instance, body, settings=settings, qrcode=qrcode, chatwoot=inbox)


def _new(server: ServerState, body: JsonObject) -> Instance:
    integration = body.get("integration")
    # The instance's token is the Meta access token, which cannot be made up.
    if integration == BUSINESS and not truthy(get(body, "token")):
        raise bad_request("token is required")
    if integration not in CHANNELS:
        raise bad_request("Invalid integration")
    state: ConnectionState = "close" if integration == BAILEYS else "open"
    return Instance(
        name=body["instanceName"],
        id=server.ids.uuid(),
        integration=integration,
        token=body.get("token") or server.ids.uuid().upper(),
        created_ms=server.now_ms(),
        number=body.get("number"),
        business_id=body.get("businessId"),
        state=state,
        connection_status=state,
    )


def _subscribe(server: ServerState, instance: Instance, body: JsonObject) -> None:
    """Subscribe to the transports that the body names; those switched off server-wide ignore it."""
    for transport in _TRANSPORTS:
        _subscribe_to(server, instance, transport, body)
    webhook = get(body, "webhook")
    if truthy(webhook):
        save_webhook(server, instance, {**(as_object(webhook) or {}), "enabled": True})
    # The order is the server's: it shows in which of several mistakes is answered.
    for transport in _LATER_TRANSPORTS:
        _subscribe_to(server, instance, transport, body)


def _subscribe_to(
    server: ServerState, instance: Instance, transport: str, body: JsonObject
) -> None:
    given = get(body, transport)
    if truthy(given) and _has(server, transport):
        subscribe(server, instance, transport, as_object(given) or {})


def _has(server: ServerState, transport: str) -> bool:
    return transport not in _NEW_TRANSPORTS or server.profile.has("instance_nats")


def _settings(body: JsonObject) -> JsonObject:
    return {
        # Flags that are not exactly true are off; `"true"` never arrives, because the schema
        # refuses it.
        name: (get(body, name) is True)
        if isinstance(default, bool)
        else (body.get(name) or default)
        for name, default in DEFAULT_SETTINGS.items()
    }


def _answer(server: ServerState, instance: Instance, body: JsonObject, **rest: Any) -> JsonObject:
    business = instance.integration == BUSINESS
    address = f"{server.options.server_url}/webhook/meta" if business else None
    transports = {
        name: defined(enabled=get(body, name, "enabled"))
        for name in _TRANSPORTS
        if _has(server, name)
    }
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


def _chatwoot(server: ServerState, instance: Instance, body: JsonObject) -> JsonObject:
    """Check and store the Chatwoot inbox; three flags must be given explicitly."""
    if "chatwoot" not in server.options.features:
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
    # Stored without the suffix, but answered with it.
    inbox_name = instance.name.split("-cwId-")[0] if name is None else name
    rest = {"number": "number", "organization": "chatwootOrganization", "logo": "chatwootLogo"}
    more = {column: get(body, given) for column, given in rest.items()}
    with contextlib.suppress(Thrown):
        # What cannot be stored is only logged.
        save_chatwoot(server, instance, {**inbox, "nameInbox": inbox_name, **more})
    return defined(
        **inbox,
        number=get(body, "number"),
        nameInbox=instance.name if name is None else name,
        webhookUrl=webhook_url(server, instance.name),
    )
