"""The send itself (``sendMessageWithTyping``): resolve, wait, hand over, store, announce."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum
from typing import Any

from evolution_sdk.testing.fake.channels.base import (
    Method,
    as_400,
    chosen_id,
    delay_of,
    to_jid,
    write,
)
from evolution_sdk.testing.fake.errors import Thrown, bad_request, not_found, reading
from evolution_sdk.testing.fake.ids import source_of
from evolution_sdk.testing.fake.js import (
    UNDEFINED,
    JsonObject,
    as_list,
    as_object,
    defined,
    get,
    truthy,
)
from evolution_sdk.testing.fake.message_table import MessageRow
from evolution_sdk.testing.fake.numbers import is_group, is_user
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance, ServerState

from . import content, socket
from .numbers import group_metadata, recipient


class SendMode(Enum):
    """Modes of handing a message to Baileys, each with its own place for context information."""

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
    call: RouteCall,
    instance: Instance,
    number: Any,
    message: JsonObject,
    mode: SendMode,
    *,
    options: bool = True,
    quotes: bool = True,
    check: Callable[[JsonObject], None] | None = None,
) -> JsonObject:
    """Send one message.

    Args:
        call: The request.
        instance: The sender.
        number: The recipient as the caller wrote it.
        message: The content that Baileys generates, without context information.
        mode: The mode in which it is handed over.
        options: Whether this route honours delay, quotes and mentions.
        quotes: Whether it honours quotes.
        check: Checks of the body that Baileys makes once the socket works.

    Returns:
        The prepared record.

    Raises:
        Thrown: 500 from the look-up, 400 from everything after it.
    """
    # Outside the try: failures of the look-up are a 500, and nothing was sent by then.
    jid = recipient(call.server, instance, number).lower()
    try:
        # From here on every failure is a 400 with its text, whether or not WhatsApp has the
        # message.
        hold_ms = _show_typing(call, instance) if options else 0.0
        quoted = _quoted(call, instance) if options and quotes else None
        mentions = _mentions(call, instance, jid, options=options)
        relayed = _is_relayed(call.server, message)
        socket.send(instance, "relayMessage" if relayed else "sendMessage")
        if check is not None:
            check(call.body)
        beside = _attach(call, instance, jid, message, mode, mentions, quoted, hold_ms)
    except Thrown as thrown:
        raise as_400(thrown) from None
    answer = _record(call, instance, jid, message, beside, hold_ms)
    # The message is on its way; a server that stores nothing still announces it.
    save = call.server.options.store_messages
    return write(call, instance, answer, number=str(number), save=save, hold_ms=hold_ms)


def _is_relayed(server: ServerState, message: JsonObject) -> bool:
    """Tell if a finished message is handed over as it is."""
    if server.profile.has("bare_buttons"):
        return "interactiveMessage" in message or "listMessage" in message
    return "viewOnceMessage" in message


def _show_typing(call: RouteCall, instance: Instance) -> float:
    """Show "typing" for the delay; the presence updates need the socket."""
    delay_ms = delay_of(call)
    if delay_ms:
        socket.query(instance, "presenceSubscribe")
    return delay_ms


def _quoted(call: RouteCall, instance: Instance) -> MessageRow | JsonObject | None:
    quoted = get(call.body, "quoted")
    if not truthy(quoted):
        return None
    # A quote that brings its content needs no look-up.
    if truthy(get(quoted, "message")):
        return as_object(quoted)
    key = as_object(get(quoted, "key"))
    if key is None:
        # The look-up's own failure yields a message without a key, which generating trips over.
        return {}
    # A message that is not stored is quoted in silence by nothing at all.
    return instance.message(get(key, "id"))


def _mentions(call: RouteCall, instance: Instance, jid: str, *, options: bool) -> list[str | None]:
    """List who is mentioned: only in groups, whose metadata every group send needs."""
    if not is_group(jid):
        return []
    group = group_metadata(call.server, instance, jid)
    if group is None:
        raise not_found("Group not found")
    if not options:
        return []
    if truthy(get(call.body, "mentionsEveryOne")):
        return list(group.participants)
    jids = [to_jid(name) for name in as_list(get(call.body, "mentioned")) or ()]
    # The server maps group names in the list to undefined, which JSON shows as null.
    return [None if is_group(found) else found for found in jids]


def _attach(
    call: RouteCall,
    instance: Instance,
    jid: str,
    message: JsonObject,
    mode: SendMode,
    mentions: list[str | None],
    quoted: MessageRow | JsonObject | None,
    hold_ms: float,
) -> Any:
    """Put context information where Baileys puts it; return the part beside the message."""
    profile = call.server.profile
    beside = _attach_beside(call, instance, jid, message, mode, mentions, quoted, hold_ms)
    if profile.has("context_is_messages_own"):
        # The quote and the mentions of a text are nowhere then.
        return message.get("messageContextInfo")
    if beside is UNDEFINED and not profile.has("sends_as_web") and mode is not SendMode.PLAIN:
        return None
    return beside


def _attach_beside(
    call: RouteCall,
    instance: Instance,
    jid: str,
    message: JsonObject,
    mode: SendMode,
    mentions: list[str | None],
    quoted: MessageRow | JsonObject | None,
    hold_ms: float,
) -> Any:
    if mode is SendMode.STATUS:
        return UNDEFINED if "conversation" in message else None
    if mode is SendMode.PLAIN:
        # Built only for its errors: a broken quote fails here as well.
        if quoted is not None:
            _quote(instance, jid, quoted)
        return UNDEFINED
    info: JsonObject | None = None
    # Outside groups every message has context information, quoted or not.
    if not is_group(jid) and call.server.profile.has("sends_as_web"):
        info = content.context_info(call.server.now_ms() + hold_ms)
    elif mentions and mode in (SendMode.TEXT, SendMode.FORWARD):
        info = {"mentionedJid": mentions}
    elif mode is SendMode.FORWARD:
        info = {}
    if quoted is not None:
        info = {**(info or {}), **_quote(instance, jid, quoted)}
    if mode is SendMode.TEXT:
        return UNDEFINED if info is None else info
    if info is not None:
        message[next(iter(message))]["contextInfo"] = info
    if mode is SendMode.POLL:
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
    # The author of the quoted message: oneself, the member of a group, or the chat.
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


def _record(
    call: RouteCall, instance: Instance, jid: str, message: JsonObject, beside: Any, hold_ms: float
) -> JsonObject:
    server = call.server
    relayed, web = _is_relayed(server, message), server.profile.has("sends_as_web")
    chosen = chosen_id(call, instance)
    made = server.ids.whatsapp if web or relayed else server.ids.older_whatsapp
    key: JsonObject = {
        "remoteJid": jid,
        "fromMe": True,
        "id": chosen if truthy(chosen) else made(),
    }
    # Relayed, not sent: the library then names the recipient as participant.
    if relayed and is_user(jid):
        key["participant"] = jid
    # The secret of a poll stands first, and is no kind of message.
    kind = next(name for name in message if name != "messageContextInfo")
    return defined(
        key=key,
        pushName="Você" if web else "",
        status="PENDING",
        message=message if web else content.plain(message),
        contextInfo=beside if web else content.plain(beside),
        messageType=kind,
        messageTimestamp=int((call.server.now_ms() + hold_ms) / 1000),
        instanceId=instance.id,
        source=source_of(key["id"]),
    )


def _text(call: RouteCall, instance: Instance) -> JsonObject:
    text = call.body["text"]
    # The server's own check: the schema lets blanks pass.
    if not text.strip():
        raise bad_request("Text is required")
    return send(call, instance, call.body["number"], {"conversation": text}, SendMode.TEXT)


def _reaction(call: RouteCall, instance: Instance) -> JsonObject:
    key, now = call.body["key"], call.server.now_ms()
    web = call.server.profile.has("sends_as_web")
    reaction = {
        "text": call.body["reaction"],
        "key": key,
        "senderTimestampMs": int(now) if web else str(int(now)),
    }
    message = {"reactionMessage": reaction}
    return send(call, instance, key["remoteJid"], message, SendMode.PLAIN, options=False)


METHODS: dict[str, Method] = {"textMessage": _text, "reactionMessage": _reaction}
