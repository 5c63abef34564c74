"""Write the table of docs/en/events.md, and of its twin, from the message types; or --check it."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from page_words import Words
from pages import between_marks, settle_each

from evolution_sdk.events import EventMessage, MessageKind
from evolution_sdk.models.message_types import MEDIA_KINDS, MESSAGE_TYPES, WRAPPERS, MessageType

NAME = "events.md"
# Views that a kind of its own has; those that any message may have are described in the text.
VIEWS = (
    "media", "reaction", "selected", "location", "contacts", "poll", "poll_vote", "poll_result",
    "interactive", "order", "product", "payment", "calendar_event", "group_invite",
    "channel_invite", "call_log", "scheduled_call", "album", "link_preview",
)  # fmt: skip
# Content that is needed to see a view at all.
CONTENT: dict[str, dict[str, object]] = {
    "extendedTextMessage": {"matchedText": "https://example.com"},
    "interactiveMessage": {"nativeFlowMessage": {"buttons": [
        {"name": "payment_info", "buttonParamsJson": '{"pix_static_code": {"key": "k"}}'}]}},
}  # fmt: skip
# Paths to a message within the message.
WHOLE = ("noteMessage",)
# Types that are several kinds, by what stands in them.
VARIANTS: tuple[tuple[str, dict[str, object]], ...] = (
    ("audioMessage", {"ptt": True}),
    ("protocolMessage", {"type": "MESSAGE_EDIT"}),
    ("secretEncryptedMessage", {"secretEncType": "MESSAGE_EDIT"}),
    ("protocolMessage", {"type": "REVOKE"}),
)


def _message(row: MessageType, more: dict[str, object] | None = None) -> EventMessage:
    part: dict[str, object] = {**CONTENT.get(row.name, {}), **(more or {})}
    if row.target:
        part[row.target] = {"id": "M"}
    content = "oi" if row.name == "conversation" else part
    return EventMessage.from_wire(
        {"key": {"id": "1"}, "message": {row.name: content}, "messageType": row.name}
    )


def _kinds(words: Words) -> Iterator[str]:
    by_kind: dict[MessageKind, list[tuple[MessageType, EventMessage]]] = {}
    samples = [(row, _message(row)) for row in MESSAGE_TYPES.values()]
    samples += [
        (MESSAGE_TYPES[name], _message(MESSAGE_TYPES[name], more)) for name, more in VARIANTS
    ]
    for row, message in samples:
        by_kind.setdefault(message.kind, []).append((row, message))
    for kind, pairs in by_kind.items():
        rows, told = [row for row, _ in pairs], [message for _, message in pairs]
        views = [f"`{name}`" for name in VIEWS if any(getattr(one, name) for one in told)]
        if any(row.target for row in rows):
            views.append("`target`")
        if kind not in MEDIA_KINDS and any(row.file_in for row in rows):
            views.append("`media`")
        paths = [path for row in rows for path in row.text]
        fields = dict.fromkeys(
            words("the words") if path in WHOLE else path.rpartition(".")[2] for path in paths
        )
        text = ", ".join(fields)
        if kind in (MessageKind.TEXT, MessageKind.EDITED):
            text = words("the text" if kind is MessageKind.TEXT else "the new text")
        types = ", ".join(row.name for row in rows)
        yield f"| `{kind}` | {', '.join(views) or '-'} | {text or '-'} | {types} |"


def table(words: Words) -> list[str]:
    """The lines between the marks."""
    heads = ("`kind`", *map(words, ("attributes", "`text`, the first of", "WhatsApp's types")))
    wrappers = ", ".join(f"`{name}`" for name in sorted(WRAPPERS))
    return [
        f"| {' | '.join(heads)} |",
        "|---" * 4 + "|",
        *_kinds(words),
        "",
        f"{words('Wrappers that are looked through:')} {wrappers}.",
    ]


def page(text: str, words: Words) -> str:
    """Put the table between its marks."""
    return between_marks(text, "kinds", table(words), NAME)


def main() -> int:
    """Write the pages, or check them."""
    return settle_each(NAME, page, f"{len(MESSAGE_TYPES)} types of messages")


if __name__ == "__main__":
    sys.exit(main())
