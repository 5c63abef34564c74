"""Recognising a message of ours in the server's store, after its answer was lost.

The server takes no message id from us, so that only chat, time and content tell
(`semantics.md` §7). Pure: records in, verdict out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import PhoneNumber, server_jid

from .shapes import is_array, is_object

_KINDS: Mapping[str, tuple[str, ...]] = {
    "message.send_text": ("conversation", "extendedTextMessage"),
    "message.send_ptv": ("ptvMessage", "videoMessage"),
    "message.send_whatsapp_audio": ("audioMessage",),
    "message.send_sticker": ("stickerMessage",),
    "message.send_location": ("locationMessage",),
    "message.send_contact": ("contactMessage", "contactsArrayMessage", "conversation"),
    "message.send_reaction": ("reactionMessage", "conversation"),
    "message.send_poll": ("pollCreationMessage",),
    "message.send_list": ("listMessage", "conversation"),
    "message.send_buttons": (
        "viewOnceMessage",
        "interactiveMessage",
        "buttonMessage",
        "conversation",
    ),
    "message.send_template": ("conversation", "templateMessage"),
    "message.send_status": (
        "conversation",
        "extendedTextMessage",
        "imageMessage",
        "videoMessage",
        "audioMessage",
    ),
}
_MARKERS = ("text", "caption", "content", "title", "name", "reaction", "fileName")
STATUS_CHAT = "status@broadcast"


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """What a message of ours must look like in the store.

    Attributes:
        chats: JIDs under which the server may have stored it.
        kinds: Beginnings of the ``messageType`` it may have.
        exact: Text that must be its text, for plain texts.
        markers: Texts that must occur in its content.
        any_of: Texts of which one must occur, where the channels store different ones.
    """

    chats: tuple[str, ...]
    kinds: tuple[str, ...]
    exact: str | None
    markers: tuple[str, ...]
    any_of: tuple[str, ...] = ()

    def matches(self, record: Mapping[str, Any]) -> bool:
        """Whether a stored record is the message (chat, kind and content; time is the query's)."""
        key = record.get("key")
        if not is_object(key) or key.get("fromMe") is not True:
            return False
        if not {key.get("remoteJid"), key.get("remoteJidAlt")} & set(self.chats):
            return False
        kind = record.get("messageType")
        if not isinstance(kind, str) or not kind.startswith(self.kinds):
            return False
        return self._same_content(record.get("message"))

    def _same_content(self, content: Any) -> bool:
        if not is_object(content):
            return not self.markers and not self.any_of and self.exact is None
        if self.exact is not None:
            extended = content.get("extendedTextMessage")
            text = extended.get("text") if is_object(extended) else content.get("conversation")
            return text == self.exact
        texts = list(_texts(content))
        # The EVOLUTION channel stores nothing of a file but its URL: kind and chat must do.
        if set(content) <= {"mediaUrl", "base64"}:
            return True
        if self.any_of and not any(mark in text for text in texts for mark in self.any_of):
            return False
        return all(any(marker in text for text in texts) for marker in self.markers)


def fingerprint(operation: str, body: Mapping[str, Any]) -> Fingerprint:
    """Describe the message that a request would have made.

    Args:
        operation: Key of the send.
        body: Its body, with the server's names.

    Returns:
        What to look for.
    """
    exact = body.get("text") if operation == "message.send_text" else None
    markers = [str(body[name]) for name in _MARKERS if isinstance(body.get(name), str)]
    if _only_captioned(operation, body):
        markers = [str(body["caption"])] if body.get("caption") else []
    contacts = body.get("contact")
    if is_array(contacts):
        markers.extend(str(c["fullName"]) for c in contacts if is_object(c) and len(contacts) == 1)
    any_of = _pix_markers(body)
    if any_of:
        markers = []
    return Fingerprint(
        any_of=any_of,
        chats=_chats(operation, body),
        kinds=_kinds(operation, body),
        exact=exact if isinstance(exact, str) else None,
        markers=tuple(marker for marker in markers if marker),
    )


def _only_captioned(operation: str, body: Mapping[str, Any]) -> bool:
    """Whether the store keeps no text of it but the caption: a file, but not a document's name."""
    if operation == "message.send_status":
        return body.get("type") != "text"
    return operation == "message.send_media" and body.get("mediatype") != "document"


def _pix_markers(body: Mapping[str, Any]) -> tuple[str, ...]:
    """A pix button keeps its key on Baileys and drops the title; Business does the opposite."""
    buttons = body.get("buttons")
    for button in buttons if is_array(buttons) else ():
        if is_object(button) and button.get("type") == "pix":
            found = (body.get("title"), button.get("key"))
            return tuple(text for text in found if isinstance(text, str) and text)
    return ()


def _kinds(operation: str, body: Mapping[str, Any]) -> tuple[str, ...]:
    if operation == "message.send_media":
        return (f"{body.get('mediatype')}Message",)
    return _KINDS.get(operation, ("",))


def _chats(operation: str, body: Mapping[str, Any]) -> tuple[str, ...]:
    """The recipient in every form under which the server may store the chat, likeliest first."""
    if operation == "message.send_status":
        return (STATUS_CHAT,)
    key = body.get("key")
    number = key.get("remoteJid") if is_object(key) else body.get("number")
    if not isinstance(number, str) or not number:
        return ()
    jid = server_jid(number)
    forms = [jid, number]
    if jid.endswith("@s.whatsapp.net"):
        try:
            line = PhoneNumber.parse(jid.partition("@")[0])
        except RequestValidationError:
            return tuple(dict.fromkeys(forms))
        forms.extend(str(other.jid) for other in line.candidates())
    return tuple(dict.fromkeys(forms))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif is_object(value):
        for inner in value.values():
            yield from _texts(inner)
    elif is_array(value):
        for inner in value:
            yield from _texts(inner)
