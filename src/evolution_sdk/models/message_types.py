"""The types of WhatsApp's messages: one row each, with the places of text, file and context.

The names are those of the fields of ``Message`` in WhatsApp's protobuf; the channels BUSINESS and
EVOLUTION use the same ones. A type that is added here is supported everywhere: parsing, filters,
text, media, download, quoting, archive, reconciling. Facts: `facts/semantics.md` §6,
`facts/versions/baileys.md` "Event → shape".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, TypeAlias

from .base import OpenEnum

__all__ = [
    "BESIDE_CONTENT",
    "MEDIA_KINDS",
    "MESSAGE_TYPES",
    "WITHOUT_CONTENT",
    "WRAPPERS",
    "FileType",
    "MessageKind",
    "MessageType",
]

FileType: TypeAlias = Literal["image", "video", "audio", "document", "sticker"]
"""The type of a file on WhatsApp, by which its key is derived."""


class MessageKind(OpenEnum):
    """The kind of a message."""

    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"
    VIDEO_NOTE = "video_note"
    """A round video."""
    AUDIO = "audio"
    VOICE = "voice"
    """A voice message recorded in the chat, not a music file."""
    STICKER = "sticker"
    STICKER_PACK = "sticker_pack"
    MUSIC = "music"
    """A piece of music that somebody shared, without its file."""
    DOCUMENT = "document"
    LOCATION = "location"
    LIVE_LOCATION = "live_location"
    CONTACT = "contact"
    CONTACTS = "contacts"
    REACTION = "reaction"
    COMMENT = "comment"
    """A comment on a post in a community's announcements."""
    POLL = "poll"
    POLL_VOTE = "poll_vote"
    POLL_RESULT = "poll_result"
    LIST = "list"
    LIST_REPLY = "list_reply"
    BUTTONS = "buttons"
    BUTTON_REPLY = "button_reply"
    TEMPLATE = "template"
    TEMPLATE_REPLY = "template_reply"
    INTERACTIVE = "interactive"
    INTERACTIVE_REPLY = "interactive_reply"
    PRODUCT = "product"
    ORDER = "order"
    INVOICE = "invoice"
    PAYMENT = "payment"
    PAYMENT_REQUEST = "payment_request"
    PAYMENT_DECLINED = "payment_declined"
    PAYMENT_CANCELLED = "payment_cancelled"
    PAYMENT_INVITE = "payment_invite"
    GROUP_INVITE = "group_invite"
    CHANNEL_INVITE = "channel_invite"
    EVENT = "event"
    """An event in WhatsApp's calendar."""
    EVENT_REPLY = "event_reply"
    SCHEDULED_CALL = "scheduled_call"
    CALL_LOG = "call_log"
    CALL = "call"
    ALBUM = "album"
    """The cover of an album; its pictures follow as messages of their own."""
    PIN = "pin"
    KEEP = "keep"
    PHONE_REQUEST = "phone_request"
    """Somebody asks the account to share its phone number."""
    QUESTION_REPLY = "question_reply"
    STORY_NOTICE = "story_notice"
    """A notice about a story, such as a sticker put on it."""
    AI_REPLY = "ai_reply"
    """A reply of Meta's assistant, in parts."""
    EDITED = "edited"
    REVOKED = "revoked"
    PROTOCOL = "protocol"
    """A notice of the protocol itself, such as a changed disappearing timer."""
    PLACEHOLDER = "placeholder"
    """Content that WhatsApp keeps from linked devices."""
    UNKNOWN = "unknown"
    """Content of a type that this SDK does not know; ``content_type`` has WhatsApp's own name."""

    @property
    def is_media(self) -> bool:
        """True if it comes with a file."""
        return self in MEDIA_KINDS


MEDIA_KINDS: frozenset[MessageKind] = frozenset(
    {
        MessageKind.IMAGE,
        MessageKind.VIDEO,
        MessageKind.VIDEO_NOTE,
        MessageKind.AUDIO,
        MessageKind.VOICE,
        MessageKind.STICKER,
        MessageKind.DOCUMENT,
    }
)
"""Kinds that are a file, with or without a caption."""


@dataclass(frozen=True, slots=True)
class MessageType:
    """One type of message.

    Paths lead from the content object through its fields, with dots; a list on the way stands for
    each of its items.

    Attributes:
        name: The field that holds the content, such as ``imageMessage``.
        kind: The kind of message.
        text: Paths of the text, the best first; the path may lead to a whole message.
        file: The type of file that the content is.
        file_in: Paths of the parts that may hold a file, such as the header of a template.
        target: Path of the key of the earlier message that it is about.
        context: Path of WhatsApp's ``contextInfo``.
    """

    name: str
    kind: MessageKind
    text: tuple[str, ...] = ()
    file: FileType | None = None
    file_in: tuple[str, ...] = ()
    target: str = ""
    context: str = "contextInfo"


_HYDRATED = ("hydratedTemplate", "hydratedFourRowTemplate")
_NOTE = ("noteMessage",)

_ROWS = (
    MessageType("conversation", MessageKind.TEXT),
    MessageType("extendedTextMessage", MessageKind.TEXT, ("text",)),
    MessageType("extendedTextMessageWithParentKey", MessageKind.TEXT, ("text",)),
    MessageType("imageMessage", MessageKind.IMAGE, ("caption",), "image"),
    MessageType("videoMessage", MessageKind.VIDEO, ("caption",), "video"),
    MessageType("ptvMessage", MessageKind.VIDEO_NOTE, ("caption",), "video"),
    MessageType("audioMessage", MessageKind.AUDIO, (), "audio"),
    MessageType("stickerMessage", MessageKind.STICKER, (), "sticker"),
    # The name and the title of a document are no words of its sender.
    MessageType("documentMessage", MessageKind.DOCUMENT, ("caption",), "document"),
    MessageType("musicMessage", MessageKind.MUSIC, ("embeddedMusic.title",)),
    MessageType("stickerPackMessage", MessageKind.STICKER_PACK, ("caption", "name")),
    MessageType("locationMessage", MessageKind.LOCATION, ("comment", "name", "address")),
    MessageType("liveLocationMessage", MessageKind.LIVE_LOCATION, ("caption",)),
    MessageType("contactMessage", MessageKind.CONTACT, ("displayName",)),
    MessageType("contactsArrayMessage", MessageKind.CONTACTS, ("displayName",)),
    # BUSINESS stores a single contact under this name (`facts/versions/versions.md` §4).
    MessageType("contact", MessageKind.CONTACT, ("displayName",)),
    MessageType("reactionMessage", MessageKind.REACTION, ("text",), target="key"),
    MessageType("encReactionMessage", MessageKind.REACTION, target="targetMessageKey"),
    MessageType("commentMessage", MessageKind.COMMENT, ("message",), target="targetMessageKey"),
    MessageType("encCommentMessage", MessageKind.COMMENT, target="targetMessageKey"),
    MessageType("pollCreationMessage", MessageKind.POLL, ("name",)),
    MessageType("pollCreationMessageV2", MessageKind.POLL, ("name",)),
    MessageType("pollCreationMessageV3", MessageKind.POLL, ("name",)),
    MessageType("pollCreationMessageV5", MessageKind.POLL, ("name",)),
    MessageType("pollCreationMessageV6", MessageKind.POLL, ("name",)),
    MessageType(
        "pollUpdateMessage",
        MessageKind.POLL_VOTE,
        ("vote.selectedOptions",),
        target="pollCreationMessageKey",
    ),
    MessageType(
        "pollAddOptionMessage",
        MessageKind.EDITED,
        ("addOption.optionName",),
        target="pollCreationMessageKey",
    ),
    MessageType("pollResultSnapshotMessage", MessageKind.POLL_RESULT, ("name",)),
    MessageType("pollResultSnapshotMessageV3", MessageKind.POLL_RESULT, ("name",)),
    MessageType("listMessage", MessageKind.LIST, ("title", "description", "footerText")),
    MessageType(
        "listResponseMessage",
        MessageKind.LIST_REPLY,
        ("title", "description"),
    ),
    MessageType(
        "buttonsMessage",
        MessageKind.BUTTONS,
        ("contentText", "text", "footerText"),
        file_in=("",),
    ),
    MessageType("buttonMessage", MessageKind.BUTTONS, ("title", "description", "footer")),
    MessageType("buttonsResponseMessage", MessageKind.BUTTON_REPLY, ("selectedDisplayText",)),
    MessageType(
        "templateMessage",
        MessageKind.TEMPLATE,
        (
            *(f"{form}.hydratedContentText" for form in _HYDRATED),
            *(f"{form}.hydratedTitleText" for form in _HYDRATED),
            "interactiveMessageTemplate.body.text",
            "interactiveMessageTemplate.header.title",
            "fourRowTemplate.content.fallbackLg",
        ),
        file_in=(*_HYDRATED, "fourRowTemplate", "interactiveMessageTemplate.header"),
    ),
    MessageType(
        "highlyStructuredMessage",
        MessageKind.TEMPLATE,
        tuple(f"hydratedHsm.{form}.hydratedContentText" for form in _HYDRATED),
        file_in=tuple(f"hydratedHsm.{form}" for form in _HYDRATED),
        context="hydratedHsm.contextInfo",
    ),
    MessageType("templateButtonReplyMessage", MessageKind.TEMPLATE_REPLY, ("selectedDisplayText",)),
    MessageType(
        "interactiveMessage",
        MessageKind.INTERACTIVE,
        ("body.text", "header.title", "header.subtitle", "footer.text"),
        file_in=("header", "footer"),
    ),
    MessageType("interactiveResponseMessage", MessageKind.INTERACTIVE_REPLY, ("body.text",)),
    MessageType(
        "productMessage",
        MessageKind.PRODUCT,
        ("body", "product.title", "catalog.title"),
        file_in=("product", "catalog"),
    ),
    # "text" is Meta's field (BUSINESS).
    MessageType("orderMessage", MessageKind.ORDER, ("message", "text", "orderTitle")),
    MessageType("invoiceMessage", MessageKind.INVOICE, ("note",)),
    MessageType(
        "sendPaymentMessage",
        MessageKind.PAYMENT,
        _NOTE,
        target="requestMessageKey",
        context="noteMessage.extendedTextMessage.contextInfo",
    ),
    MessageType(
        "requestPaymentMessage",
        MessageKind.PAYMENT_REQUEST,
        _NOTE,
        context="noteMessage.extendedTextMessage.contextInfo",
    ),
    MessageType("declinePaymentRequestMessage", MessageKind.PAYMENT_DECLINED, target="key"),
    MessageType("cancelPaymentRequestMessage", MessageKind.PAYMENT_CANCELLED, target="key"),
    MessageType("paymentInviteMessage", MessageKind.PAYMENT_INVITE),
    MessageType("paymentReminderMessage", MessageKind.PAYMENT_REQUEST, ("description",)),
    MessageType("splitPaymentMessage", MessageKind.PAYMENT_REQUEST, ("description",)),
    MessageType("splitPaymentUpdateMessage", MessageKind.PAYMENT),
    MessageType("groupInviteMessage", MessageKind.GROUP_INVITE, ("caption", "groupName")),
    MessageType(
        "newsletterAdminInviteMessage",
        MessageKind.CHANNEL_INVITE,
        ("caption", "newsletterName"),
    ),
    MessageType(
        "newsletterFollowerInviteMessage",
        MessageKind.CHANNEL_INVITE,
        ("caption", "newsletterName"),
    ),
    MessageType(
        "newsletterFollowerInviteMessageV2",
        MessageKind.CHANNEL_INVITE,
        ("caption", "newsletterName"),
    ),
    MessageType("eventMessage", MessageKind.EVENT, ("name", "description")),
    MessageType(
        "encEventResponseMessage", MessageKind.EVENT_REPLY, target="eventCreationMessageKey"
    ),
    MessageType("eventResponseMessage", MessageKind.EVENT_REPLY),
    MessageType("encEventUpdateMessage", MessageKind.EDITED, target="eventCreationMessageKey"),
    MessageType("eventInviteMessage", MessageKind.EVENT, ("caption", "eventTitle")),
    MessageType("scheduledCallCreationMessage", MessageKind.SCHEDULED_CALL, ("title",)),
    MessageType("scheduledCallEditMessage", MessageKind.SCHEDULED_CALL, target="key"),
    # Spelled with three letters s in the protobuf.
    MessageType("callLogMesssage", MessageKind.CALL_LOG),
    MessageType("callLogMessage", MessageKind.CALL_LOG),
    MessageType("call", MessageKind.CALL),
    MessageType("bcallMessage", MessageKind.CALL, ("caption",)),
    MessageType("albumMessage", MessageKind.ALBUM),
    MessageType("pinInChatMessage", MessageKind.PIN, target="key"),
    MessageType("keepInChatMessage", MessageKind.KEEP, target="key"),
    MessageType("requestPhoneNumberMessage", MessageKind.PHONE_REQUEST),
    MessageType("questionResponseMessage", MessageKind.QUESTION_REPLY, ("text",), target="key"),
    MessageType("statusQuestionAnswerMessage", MessageKind.QUESTION_REPLY, ("text",), target="key"),
    MessageType(
        "statusQuotedMessage", MessageKind.STORY_NOTICE, ("text",), target="originalStatusId"
    ),
    MessageType("statusStickerInteractionMessage", MessageKind.STORY_NOTICE, target="key"),
    MessageType("statusNotificationMessage", MessageKind.STORY_NOTICE, target="originalMessageKey"),
    MessageType("richResponseMessage", MessageKind.AI_REPLY, ("submessages.messageText",)),
    MessageType("secretEncryptedMessage", MessageKind.UNKNOWN, target="targetMessageKey"),
    MessageType("protocolMessage", MessageKind.PROTOCOL, target="key"),
    MessageType("placeholderMessage", MessageKind.PLACEHOLDER),
)

MESSAGE_TYPES: Mapping[str, MessageType] = MappingProxyType({row.name: row for row in _ROWS})
"""Every type with content, by WhatsApp's name."""

WRAPPERS: frozenset[str] = frozenset(
    {
        "acp2SettingMessage",
        "associatedChildMessage",
        "audioStickerMessage",
        "botForwardedMessage",
        "botInvokeMessage",
        "botPlatformRegistrationSuccessMessage",
        "botTaskMessage",
        "deviceSentMessage",
        "documentWithCaptionMessage",
        "editedMessage",
        "ephemeralMessage",
        "eventCoverImage",
        "groupMentionedMessage",
        "groupStatusMentionMessage",
        "groupStatusMessage",
        "groupStatusMessageV2",
        "limitSharingMessage",
        "lottieStickerMessage",
        "newsletterAdminProfileMessage",
        "newsletterAdminProfileMessageV2",
        "newsletterAdminProfileStatusMessage",
        "newsletterScheduledMessage",
        "pollCreationMessageV4",
        "pollCreationOptionImageMessage",
        "questionMessage",
        "questionReplyMessage",
        "spoilerMessage",
        "statusAddYours",
        "statusMentionMessage",
        "viewOnceMessage",
        "viewOnceMessageV2",
        "viewOnceMessageV2Extension",
    }
)
"""Types that hold a whole message in their field ``message`` (``FutureProofMessage``)."""

WITHOUT_CONTENT: frozenset[str] = frozenset(
    {
        "chat",
        "conditionalRevealMessage",
        "fastRatchetKeySenderKeyDistributionMessage",
        "groupRootKeyShare",
        "messageContextInfo",
        "messageHistoryBundle",
        "messageHistoryNotice",
        "rootSecretDistributeMessage",
        "senderKeyDistributionMessage",
        "statusLinkPreviewMetadata",
        "stickerSyncRmrMessage",
    }
)
"""Types without anything for a person, by WhatsApp's name."""

BESIDE_CONTENT: frozenset[str] = WITHOUT_CONTENT | {
    "base64",
    "contextInfo",
    "mediaUrl",
    "speechToText",
}
"""Fields beside the content of a message: types without content, and what the server adds."""
