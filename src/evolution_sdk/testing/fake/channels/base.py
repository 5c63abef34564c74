"""A channel: the methods it has, and what calling one it lacks looks like."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from evolution_sdk.testing.fake import storage
from evolution_sdk.testing.fake.errors import ErrorThrown, Thrown, bad_request, reading
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, get, truthy
from evolution_sdk.testing.fake.numbers import create_jid
from evolution_sdk.testing.fake.records import SentMessage
from evolution_sdk.testing.fake.router import Call
from evolution_sdk.testing.fake.state import Instance, MessageRow, stored

Method: TypeAlias = Callable[[Call, Instance], Any]


WHATSAPP_WEB_ONLY = frozenset(
    {
        "ptvMessage", "fetchCatalog", "fetchCollections",
        "baileysOnWhatsapp", "baileysProfilePictureUrl", "baileysAssertSessions",
        "baileysCreateParticipantNodes", "baileysGetUSyncDevices", "baileysGenerateMessageTag",
        "baileysSendNode", "baileysSignalRepositoryDecryptMessage", "baileysGetAuthState",
    }
)  # fmt: skip
"""Methods that the other channels' classes do not have."""


@dataclass(frozen=True, slots=True)
class Channel:
    """One integration.

    Attributes:
        methods: What it can do, by the name of the server's method.
        refusal: The 400 of everything else.
        absent: Methods that do not even exist there, whose call is a TypeError (500).
    """

    methods: Mapping[str, Method]
    refusal: str
    absent: frozenset[str] = field(default_factory=frozenset[str])

    def invoke(self, member: str, call: Call, instance: Instance) -> Any:
        """Call a method."""
        method = self.methods.get(member)
        if method is not None:
            return method(call, instance)
        if member in self.absent:
            # One controller puts the instance into a variable first, and the error quotes the code.
            low_level = member.startswith("baileys")
            owner = "instance" if low_level else "this.waMonitor.waInstances[instanceName]"
            raise ErrorThrown(f"{owner}.{member} is not a function", name="TypeError")
        raise bad_request(self.refusal)


def to_jid(number: Any) -> str:
    """``createJid`` on whatever the body holds.

    Raises:
        ErrorThrown: The TypeError of calling it on something that is not a string.
    """
    if number is UNDEFINED or number is None:
        raise reading("replace", "null" if number is None else "undefined")
    if not isinstance(number, str):
        raise ErrorThrown("number.replace is not a function", name="TypeError")
    return create_jid(number)


def as_400(thrown: Thrown) -> Thrown:
    """What ``catch (error) { throw new BadRequestException(error.toString()) }`` makes of it."""
    return bad_request(thrown.text)


def delay_of(call: Call) -> float:
    """The ``delay`` of a send, in milliseconds; 0 without one."""
    delay = get(call.body, "delay")
    return float(delay) if truthy(delay) else 0.0


def location_of(body: JsonObject) -> JsonObject:
    """A location as messages hold it."""
    return {
        "degreesLatitude": body["latitude"],
        "degreesLongitude": body["longitude"],
        "name": body["name"],
        "address": body["address"],
    }


def no_picture(call: Call, _: Instance) -> JsonObject:
    """``profilePicture`` of the channels that cannot know."""
    return {"wuid": to_jid(get(call.body, "number")), "profilePictureUrl": None}


_TEXT_FIELDS = ("text", "caption", "reaction", "content", "title", "name")


def write(call: Call, instance: Instance, answer: JsonObject, *, number: str, save: bool = True,
          hold_ms: float = 0.0) -> JsonObject:  # fmt: skip
    """Store a message that has been sent, announce it, and note it for the test.

    Args:
        call: The request.
        instance: Who sends.
        answer: The record as answered.
        number: The recipient as the caller wrote it.
        save: Whether it is stored.
        hold_ms: How long the send's ``delay`` holds it back, in milliseconds.
    """
    world = call.world
    at = world.now_ms() + hold_ms
    if save:
        message_row = MessageRow(
            id=world.ids.row(),
            key=stored(answer["key"]),
            push_name=answer.get("pushName"),
            message_type=answer["messageType"],
            message=stored(answer["message"]),
            timestamp=answer["messageTimestamp"],
            source=answer["source"],
            context_info=stored(answer.get("contextInfo")),
            status=answer.get("status"),
            webhook_url=answer.get("webhookUrl"),
            visible_at_ms=at,
        )
        instance.add_message(message_row)
        url = storage.keep(world, instance, message_row)
        if url is not None:
            answer["message"]["mediaUrl"] = url
    call.hold_ms = max(call.hold_ms, hold_ms)
    said = answer["message"].get("conversation")
    text = next((t for f in _TEXT_FIELDS if isinstance(t := call.body.get(f), str)), said)
    world.sent.append(
        SentMessage(
            instance=instance.name,
            operation=call.route.operation,
            number=number,
            jid=answer["key"]["remoteJid"],
            kind=answer["messageType"],
            text=text,
            key_id=answer["key"]["id"],
            body=call.body,
            at=at,
        )
    )
    world.emit(instance, "send.message", answer)
    return answer
