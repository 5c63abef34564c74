"""Context information of messages that arrive: the quote, and who is mentioned."""

from __future__ import annotations

from collections.abc import Sequence

from evolution_sdk.errors import RequestValidationError
from evolution_sdk.testing.fake.js import JsonObject
from evolution_sdk.testing.fake.message_table import MessageRow
from evolution_sdk.testing.fake.state import Instance, ServerState

from .people import author, found, member_name


def context_of(
    server: ServerState,
    instance: Instance,
    chat: str,
    quote: str | None,
    mentions: Sequence[str],
) -> JsonObject | None:
    """Make the context information of a message; None where it has none.

    Args:
        server: The server.
        instance: The instance.
        chat: The chat in which the message is written.
        quote: Id of the message that it quotes.
        mentions: Whom it mentions, in any spelling.

    Raises:
        NotArrangedError: The instance has not stored the quoted message.
        RequestValidationError: A mention is no text.
    """
    if quote is None and not mentions:
        return None
    made = _empty(server)
    if not all(map(_is_text, mentions)):
        raise RequestValidationError("mentions", "each must be text: a number or a JID")
    if mentions:
        made["mentionedJid"] = [member_name(server, chat, each) for each in mentions]
    if quote is not None:
        made |= quote_of(server, instance, chat, found(instance, quote))
    return made


def answer_to(server: ServerState, instance: Instance, row: MessageRow) -> JsonObject:
    """Make the context information of an answer to a message."""
    return _empty(server) | quote_of(server, instance, str(row.key["remoteJid"]), row)


def quote_of(server: ServerState, instance: Instance, chat: str, row: MessageRow) -> JsonObject:
    """Quote a message; one of another chat, such as a story, is named with its chat."""
    quoted: JsonObject = {
        "stanzaId": row.key["id"],
        "participant": author(server, instance, row),
        "quotedMessage": {k: v for k, v in row.message.items() if k != "messageContextInfo"},
    }
    if row.key["remoteJid"] != chat:
        quoted["remoteJid"] = row.key["remoteJid"]
    return quoted


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _empty(server: ServerState) -> JsonObject:
    # Newer libraries show lists of the protobuf that are empty, older ones leave them out.
    if not server.profile.has("sends_as_web"):
        return {}
    return {"mentionedJid": [], "groupMentions": [], "statusAttributions": []}
