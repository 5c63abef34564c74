"""A channel: its methods, the errors of methods it lacks, and the record of a send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from evolution_sdk.operations.operation import Channel as OperationChannel
from evolution_sdk.operations.routes import OPERATIONS
from evolution_sdk.testing.fake import object_storage
from evolution_sdk.testing.fake.errors import ErrorThrown, Thrown, bad_request, reading
from evolution_sdk.testing.fake.inlining import inlined
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, get, truthy
from evolution_sdk.testing.fake.message_table import MessageRow
from evolution_sdk.testing.fake.numbers import create_jid
from evolution_sdk.testing.fake.records import RecordedSend
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import BAILEYS, BUSINESS, EVOLUTION, Instance, stored
from evolution_sdk.testing.fake.statuses import deliver, refusal_of

Method: TypeAlias = Callable[[RouteCall, Instance], Any]


WHATSAPP_WEB_ONLY = frozenset(
    {
        "ptvMessage", "carouselMessage", "markMessageAsPlayed", "baileysDecryptPollVote",
        "fetchChannels", "updateMemberAddMode", "generateMessageID",
        "fetchCatalog", "fetchCollections",
        "baileysOnWhatsapp", "baileysProfilePictureUrl", "baileysAssertSessions",
        "baileysCreateParticipantNodes", "baileysGetUSyncDevices", "baileysGenerateMessageTag",
        "baileysSendNode", "baileysSignalRepositoryDecryptMessage", "baileysGetAuthState",
    }
)  # fmt: skip
"""Methods that the other channels' classes do not have."""

_OWNERS = {
    "baileys": "instance",
    "group": "this.waMonitor.waInstances[instance.instanceName]",
}


@dataclass(frozen=True, slots=True)
class Channel:
    """One integration.

    Attributes:
        methods: Its methods by the server's names.
        refusal: Text of the 400 of every other method.
        absent: Methods that its class does not have, whose call is a TypeError (500).
    """

    methods: Mapping[str, Method]
    refusal: str
    absent: frozenset[str] = field(default_factory=frozenset[str])

    def invoke(self, member: str, call: RouteCall, instance: Instance) -> Any:
        """Call a method."""
        method = self.methods.get(member)
        if method is not None:
            return method(call, instance)
        if member in self.absent:
            # Controllers write it differently, and the error quotes the code.
            owner = _OWNERS.get(
                OPERATIONS[call.route.operation].group, "this.waMonitor.waInstances[instanceName]"
            )
            raise ErrorThrown(f"{owner}.{member} is not a function", name="TypeError")
        raise bad_request(self.refusal)


def to_jid(number: Any) -> str:
    """Apply ``createJid`` to whatever the body holds.

    Raises:
        ErrorThrown: The TypeError of calling it on something that is not a string.
    """
    if number is UNDEFINED or number is None:
        raise reading("replace", "null" if number is None else "undefined")
    if not isinstance(number, str):
        raise ErrorThrown("number.replace is not a function", name="TypeError")
    return create_jid(number)


def as_400(thrown: Thrown) -> Thrown:
    """Rethrow like ``catch (error) { throw new BadRequestException(error.toString()) }``."""
    return bad_request(thrown.text)


def chosen_id(call: RouteCall, instance: Instance) -> Any:
    """Return the ``messageId`` of a send; undefined where this server or channel ignores it."""
    channels = OPERATIONS[call.route.operation].message_id_on
    heeded = _CHANNEL[instance.integration] in channels
    if not heeded or not call.server.profile.has("message_ids"):
        return UNDEFINED
    return get(call.body, "messageId")


def delay_of(call: RouteCall) -> float:
    """Read the ``delay`` of a send, in milliseconds; 0 without one."""
    delay = get(call.body, "delay")
    return float(delay) if truthy(delay) else 0.0


def location_of(body: JsonObject) -> JsonObject:
    """Make a location as messages hold it."""
    return {
        "degreesLatitude": body["latitude"],
        "degreesLongitude": body["longitude"],
        "name": body["name"],
        "address": body["address"],
    }


def no_picture(call: RouteCall, _: Instance) -> JsonObject:
    """Answer ``profilePicture`` for the channels that cannot know it."""
    return {"wuid": to_jid(get(call.body, "number")), "profilePictureUrl": None}


_CHANNEL: Mapping[str, OperationChannel] = {
    BAILEYS: "baileys",
    BUSINESS: "business",
    EVOLUTION: "evolution",
}
_TEXT_FIELDS = ("text", "caption", "reaction", "content", "title", "name", "body")


def write(
    call: RouteCall,
    instance: Instance,
    answer: JsonObject,
    *,
    number: str,
    save: bool = True,
    hold_ms: float = 0.0,
) -> JsonObject:
    """Store a message that has been sent, record it for the test, and announce it.

    Args:
        call: The request.
        instance: The sender.
        answer: The record as answered.
        number: The recipient as the caller wrote it.
        save: Whether it is stored.
        hold_ms: Time that the send's ``delay`` holds it back, in milliseconds.
    """
    server = call.server
    # With a delay the row is written later, even if the caller has given up by then.
    at = server.now_ms() + hold_ms
    refused = refusal_of(instance, answer["key"]["remoteJid"])
    message_row: MessageRow | None = None
    if save:
        message_row = MessageRow(
            id=server.ids.row(),
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
            refused_code=refused,
        )
        instance.add_message(message_row)
        url = object_storage.keep(server, instance, message_row)
        # The answer is made before the upload, and gets the address afterwards.
        if url is not None:
            answer["message"]["mediaUrl"] = url
    # Never shorter than a wait that the handler has set before.
    call.hold_ms = max(call.hold_ms, hold_ms)
    # The text for the test comes from the request; the invitation makes its own.
    said = answer["message"].get("conversation")
    text = next((t for f in _TEXT_FIELDS if isinstance(t := call.body.get(f), str)), said)
    server.sent.append(
        RecordedSend(
            instance=instance.name,
            operation=call.route.operation,
            number=number,
            jid=answer["key"]["remoteJid"],
            kind=answer["messageType"],
            text=text,
            key_id=answer["key"]["id"],
            body=call.body,
            at=at,
            refused_code=refused,
        )
    )
    # The answer is the event's own object, and gets the media along with it.
    answer["message"] = inlined(server, instance, answer["message"])
    server.emit(instance, "send.message", answer)
    if message_row is not None and refused is not None:
        # The server has no update for a message that it did not store.
        deliver(server, instance, message_row, "ERROR")
    return answer
