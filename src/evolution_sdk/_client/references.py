"""Pointing at a message that already exists: a record, its key, or its id."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.models.message import Message, MessageKey

KeyLike: TypeAlias = Message | MessageKey
"""A message, or the key of one."""


def key_of(message: KeyLike, field: str = "message") -> dict[str, Any]:
    """The key, by the names of the request models.

    Args:
        message: The message, or its key.
        field: What the caller calls it, for the error.

    Returns:
        Its id, chat and side, and its participant where it has one.

    Raises:
        RequestValidationError: It has no id or no chat.
    """
    if not isinstance(message, Message | MessageKey):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise RequestValidationError(
            field, f"must be a message or its key, not {type(message).__name__}"
        )
    key = message.key if isinstance(message, Message) else message
    if not key.id or not key.remote_jid:
        raise RequestValidationError(field, "needs a key with id and remote_jid")
    found: dict[str, Any] = {
        "id": key.id,
        "remote_jid": key.remote_jid,
        "from_me": key.from_me,
    }
    if key.participant is not None:
        found["participant"] = key.participant
    return found


def keys_of(messages: KeyLike | Iterable[KeyLike]) -> list[dict[str, Any]]:
    """The keys of one or several messages, as marks upon them want them: without participant.

    Args:
        messages: The messages, or their keys.

    Raises:
        RequestValidationError: One has no id or no chat.
    """
    many = [messages] if isinstance(messages, KeyLike) else list(messages)
    keys = [key_of(message, f"messages[{at}]") for at, message in enumerate(many)]
    for key in keys:
        key.pop("participant", None)  # the server drops it
    return keys


def media_reference(message: KeyLike | str) -> dict[str, Any]:
    """Point at a message whose file is wanted.

    The BUSINESS channel looks nothing up: it reads the message that it is given, and fails with a
    bare id (recorded: `facts/exchanges/chat.json`; source: ``getBase64FromMediaMessage`` of the
    server's ``whatsapp.business.service.ts``). Its ids begin with ``wamid.``.

    Args:
        message: A message, its key, or only its WhatsApp id.

    Raises:
        RequestValidationError: It has no id or no chat.
    """
    if isinstance(message, str):
        return {"key": {"id": message}}
    found: dict[str, Any] = {"key": {"id": key_of(message)["id"]}}
    if isinstance(message, Message) and message.content and message.id.startswith("wamid."):
        found |= {"message_type": message.message_type, "message": dict(message.content)}
    return found


def last_message_of(message: Message) -> dict[str, Any]:
    """A chat's newest message as archive and unread want it, always with its time.

    Raises:
        RequestValidationError: It has no key or no time.
    """
    if message.sent_at is None:
        raise RequestValidationError(
            "last_message", "needs its timestamp: the server's own default is wrong"
        )
    return {
        "key": key_of(message, "last_message"),
        "message_timestamp": int(message.sent_at.timestamp()),
    }


def quoted_of(quoted: KeyLike | str | None) -> dict[str, Any] | None:
    """Build the quotation, with the content if known, so that the server need not look it up.

    Args:
        quoted: A message, its key, or only its WhatsApp id.

    Returns:
        The quotation, by the names of the request models, or None.
    """
    if quoted is None:
        return None
    if isinstance(quoted, str):
        return {"key": {"id": quoted}}
    found: dict[str, Any] = {"key": key_of(quoted, "quoted")}
    if isinstance(quoted, Message) and quoted.content:
        found["message"] = dict(quoted.content)
    return found
