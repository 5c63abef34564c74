"""Options of messages, and what becomes of them in a request."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from typing import Any, Literal, TypeAlias, TypedDict

from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.media import FileLike, Media, MediaKind

# By name: what resolves the annotations of a method finds them among this module's names.
from evolution_sdk.retry.policy import RetryPolicy as RetryPolicy
from evolution_sdk.retry.safety import OnUnknown as OnUnknown

from .options import SendOptions
from .references import KeyLike, quoted_of

MediaLike: TypeAlias = Media | PathLike[str] | bytes | str | FileLike
"""A Media, a path, content, an open file, an upload, or text: a URL, a data URI or base64."""


class ComposeOptions(SendOptions, total=False):
    """Options of most kinds of message.

    Attributes:
        delay_ms: Show "typing…" for this long before sending, in milliseconds; the server holds
            its answer meanwhile. Business ignores it.
        quoted: The message to answer: a message, its key, or its WhatsApp id. The server quotes
            nothing, without an error, when it does not know the id.
        mentioned: Numbers or JIDs to mention; in groups only.
        mentions_every_one: Mention the whole group.
    """

    delay_ms: int
    quoted: KeyLike | str
    mentioned: Sequence[str | PhoneNumber | Jid]
    mentions_every_one: bool


def compose_values(options: ComposeOptions) -> dict[str, Any]:
    """Return the options that belong in the body, by the names of the request models."""
    return {
        "delay": options.get("delay_ms"),
        "quoted": quoted_of(options["quoted"]) if "quoted" in options else None,
        "mentioned": tuple(options["mentioned"]) if "mentioned" in options else None,
        # False is left out: 2.3.7 takes the mere presence for a yes (issue 2431 of the server).
        "mentions_every_one": options.get("mentions_every_one") or None,
    }


def quotes_content(options: ComposeOptions) -> bool:
    """Tell if the content of the quoted message is given: the server need not have stored it."""
    return "message" in (quoted_of(options.get("quoted")) or {})


class PlanChoices(TypedDict, total=False):
    """The choices of a kind of message about the form of its file; see ``plan_media``."""

    kind: MediaKind | str | None
    prefer: Literal["base64", "multipart"] | None
    variants: tuple[str, ...]
    quotes_content: bool
    allow_multipart: bool


COMPOSE_KEYS = frozenset(ComposeOptions.__annotations__)
