"""``sendMessageWithTyping``: resolve, wait, hand over, store, announce."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from evolution_sdk.testing.fake.channels.base import Method, as_400, delay_of, to_jid, write
from evolution_sdk.testing.fake.errors import Thrown, bad_request, not_found, reading
from evolution_sdk.testing.fake.js import (
    UNDEFINED,
    JsonObject,
    as_list,
    as_object,
    defined,
    get,
    truthy,
)
from evolution_sdk.testing.fake.numbers import is_group, is_user
from evolution_sdk.testing.fake.router import Call
from evolution_sdk.testing.fake.state import Instance, MessageRow

from . import content, socket
from .numbers import group_metadata, recipient


class Way(Enum):
    """How a message is handed to Baileys, which decides where context information ends up."""

    TEXT = "text"
    """Generated from text: context information stands beside the conversation."""
    FORWARD = "forward"
    """Forwarded from a finished message: context information inside and beside it."""
    MEDIA = "media"
    """Generated from media: like forward, but nothing inside a group message."""
    POLL = "poll"
    """Generated: context information inside the first member, none beside it."""
    PLAIN = "plain"
    """Reactions and button messages: no context information."""
    STATUS = "status"
    """Stories: media say null."""


def send(
    call: Call,
    instance: Instance,
    number: Any,
    message: JsonObject,
    way: Way,
    *,
    options: bool = True,
    quotes: bool = True,
    check: Callable[[JsonObject], None] | None = None,
) -> JsonObject:
    """Send one message.

    Args:
        call: The request.
        instance: Who sends.
        number: The recipient as the caller wrote it.
        message: What Baileys generates, without context information.
        way: How it is handed over.
        options: Whether this route honours delay, quotes and mentions.
        quotes: Whether it honours quotes.
        check: What Baileys checks in the body once the socket works.

    Returns:
        The prepared record.

    Raises:
        Thrown: 500 from the look-up, 400 from everything after it.
    """
    jid = recipient(call.world, instance, number).lower()
    try:
        hold_ms = _type(call, instance) if options else 0.0
        quoted = _quoted(call, instance) if options and quotes else None
        mentions = _mentions(call, instance, jid, options=options)
        socket.send(instance, "relayMessage" if "viewOnceMessage" in message else "sendMessage")
        if check is not None:
            check(call.body)
        beside = _attach(call, instance, jid, message, way, mentions, quoted, hold_ms)
    except Thrown as thrown:
        raise as_400(thrown) from None
    answer = _record(call, instance, jid, message, beside, hold_ms)
    save = call.world.options.store_messages
    return write(call, instance, answer, number=str(number), save=save, hold_ms=hold_ms)


def _type(call: Call, instance: Instance) -> float:
    """Show "typing" for the delay; the presence updates need the socket."""
    delay_ms = delay_of(call)
    if delay_ms:
        socket.query(instance, "presenceSubscribe")
    return delay_ms


def _quoted(call: Call, instance: Instance) -> MessageRow | JsonObject | None:
    quoted = get(call.body, "quoted")
    if not truthy(quoted):
        return None
    if truthy(get(quoted, "message")):
        return as_object(quoted)
    key = as_object(get(quoted, "key"))
    if key is None:
        # The look-up's own failure yields a message without a key, which generating trips over.
        return {}
    return instance.message(get(key, "id"))


def _mentions(call: Call, instance: Instance, jid: str, *, options: bool) -> list[str | None]:
    """Who is mentioned: only in groups, whose metadata every group send needs."""
    if not is_group(jid):
        return []
    group = group_metadata(call.world, instance, jid)
    if group is None:
        raise not_found("Group not found")
    if not options:
        return []
    if truthy(get(call.body, "mentionsEveryOne")):
        return list(group.participants)
    jids = [to_jid(name) for name in as_list(get(call.body, "mentioned")) or ()]
    return [None if is_group(found) else found for found in jids]


def _attach(call: Call, instance: Instance, jid: str, message: JsonObject, way: Way,
            mentions: list[str | None], quoted: MessageRow | JsonObject | None,
            hold_ms: float) -> Any:  # fmt: skip
    """Put context information where Baileys puts it; returns what stands beside the message."""
    if way is Way.STATUS:
        return UNDEFINED if "conversation" in message else None
    if way is Way.PLAIN:
        if quoted is not None:
            _quote(instance, jid, quoted)
        return UNDEFINED
    info: JsonObject | None = None
    if not is_group(jid):
        info = content.context_info(call.world.now_ms() + hold_ms)
    elif mentions and way in (Way.TEXT, Way.FORWARD):
        info = {"mentionedJid": mentions}
    elif way is Way.FORWARD:
        info = {}
    if quoted is not None:
        info = {**(info or {}), **_quote(instance, jid, quoted)}
    if way is Way.TEXT:
        return UNDEFINED if info is None else info
    if info is not None:
        message[next(iter(message))]["contextInfo"] = info
    if way is Way.POLL:
        return UNDEFINED
    return info


def _quote(instance: Instance, jid: str, quoted: MessageRow | JsonObject) -> JsonObject:
    if isinstance(quoted, MessageRow):
        key, message = quoted.key, quoted.message
    else:
        given = as_object(get(quoted, "key"))
        if given is None:
            raise reading("fromMe")
        key, message = given, get(quoted, "message")
    author = instance.owner_jid if truthy(get(key, "fromMe")) else get(key, "participant")
    if author is UNDEFINED:
        author = get(key, "remoteJid")
    chat = get(key, "remoteJid")
    return defined(
        participant="" if author in (UNDEFINED, None) else author,
        stanzaId=get(key, "id"),
        quotedMessage=message,
        remoteJid=chat if chat != jid else UNDEFINED,
    )


def _record(call: Call, instance: Instance, jid: str, message: JsonObject, beside: Any,
            hold_ms: float) -> JsonObject:  # fmt: skip
    key: JsonObject = {"remoteJid": jid, "fromMe": True, "id": call.world.ids.whatsapp()}
    if "viewOnceMessage" in message and is_user(jid):
        key["participant"] = jid
    kind = next(name for name in message if name != "messageContextInfo")
    return defined(
        key=key,
        pushName="Você",
        status="PENDING",
        message=message,
        contextInfo=beside,
        messageType=kind,
        messageTimestamp=int((call.world.now_ms() + hold_ms) / 1000),
        instanceId=instance.id,
        source="web",
    )


def _text(call: Call, instance: Instance) -> JsonObject:
    text = call.body["text"]
    if not text.strip():
        raise bad_request("Text is required")
    return send(call, instance, call.body["number"], {"conversation": text}, Way.TEXT)


def _reaction(call: Call, instance: Instance) -> JsonObject:
    key = call.body["key"]
    reaction = {
        "text": call.body["reaction"],
        "key": key,
        "senderTimestampMs": int(call.world.now_ms()),
    }
    message = {"reactionMessage": reaction}
    return send(call, instance, key["remoteJid"], message, Way.PLAIN, options=False)


METHODS: dict[str, Method] = {"textMessage": _text, "reactionMessage": _reaction}
