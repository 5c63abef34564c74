"""Filters about the content of messages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events.message import EventMessage
from evolution_sdk.events.polls import PollVote
from evolution_sdk.models.message_types import MEDIA_KINDS, MessageKind

from ._algebra import Filter, Found, FunctionFilter, Predicate, new
from ._kinds import AboutMessage

# The time of a user's pattern may grow with the square of the text, or worse.
_MAX_TEXT = 65_536


class CommandCall(NamedTuple):
    """A command in a message; handlers receive it as ``command``.

    Attributes:
        name: Name without the prefix, as it was registered.
        args: Text after the name, split at blanks.
        rest: Text after the name, as it was written.
    """

    name: str
    args: tuple[str, ...]
    rest: str


class ChoiceFilter(FunctionFilter[AboutMessage]):
    """A filter that can be called with values to narrow it.

    Args:
        word: Name of the filter.
        ask: Decides without values.
        narrow: Makes the function that decides for some values.
    """

    __slots__ = ("_narrow", "_word")

    def __init__(
        self,
        word: str,
        ask: Predicate[AboutMessage],
        narrow: Callable[[tuple[str, ...]], Predicate[AboutMessage]],
    ) -> None:
        super().__init__(ask, word)
        self._word = word
        self._narrow = narrow

    def __call__(self, *values: str) -> Filter[AboutMessage]:
        """Return the same filter for these values only.

        Args:
            *values: Wanted values; any one of them matches.

        Returns:
            A new filter.

        Raises:
            ConfigurationError: No value was given.
        """
        _some(self._word, values)
        return FunctionFilter(self._narrow(values), _shown(self._word, values))


def message_of(event: object) -> EventMessage | None:
    """Return the message of an event; None for an event without one."""
    message = getattr(event, "message", None)
    return message if isinstance(message, EventMessage) else None


def text_of(event: object) -> str:
    """Return the text, caption or choice of a message, cut so that patterns end in time."""
    text = getattr(event, "text", None)
    return text[:_MAX_TEXT] if isinstance(text, str) else ""


def kind_of(event: object) -> MessageKind | None:
    """Return the kind of the event's message; None for an event without one."""
    kind = getattr(event, "kind", None)
    return kind if isinstance(kind, MessageKind) else None


def _shown(word: str, values: tuple[Any, ...]) -> str:
    return f"{word}({', '.join(map(repr, values))})"


def _some(word: str, values: tuple[Any, ...]) -> None:
    if not values:
        raise ConfigurationError(f"{word}() needs at least one value.", variable=word)


def _text_is(values: tuple[str, ...]) -> Predicate[AboutMessage]:
    wanted = {value.strip().casefold() for value in values}
    return lambda event: _is_text(event) and text_of(event).strip().casefold() in wanted


def _is_text(event: object) -> bool:
    return kind_of(event) is MessageKind.TEXT


text: ChoiceFilter = ChoiceFilter(
    "text",
    lambda event: _is_text(event) and bool(text_of(event)),
    _text_is,
)
"""Matches messages of text alone; ``text("oi", "olá")`` for one of these texts, in any case."""


def startswith(*values: str) -> Filter[AboutMessage]:
    """Match text, caption or choice by its beginning.

    Args:
        *values: Wanted beginnings, in any case of letters; any one of them matches.
    """
    _some("startswith", values)
    folded = tuple(value.casefold() for value in values)
    return new(
        lambda event: text_of(event).casefold().startswith(folded),
        name=_shown("startswith", values),
    )


def contains(*values: str) -> Filter[AboutMessage]:
    """Match text, caption or choice by a part of it.

    Args:
        *values: Wanted parts, in any case of letters; any one of them matches.
    """
    _some("contains", values)
    folded = tuple(value.casefold() for value in values)

    def ask(event: AboutMessage) -> bool:
        found = text_of(event).casefold()
        return any(value in found for value in folded)

    return new(ask, name=_shown("contains", values))


def regex(pattern: str | re.Pattern[str], flags: int = 0) -> Filter[AboutMessage]:
    """Match text, caption or choice by a pattern; handlers receive ``match``.

    Args:
        pattern: A pattern for ``re.search``.
        flags: Such as ``re.IGNORECASE``; none with a compiled pattern.
    """
    compiled = re.compile(pattern, flags)

    def ask(event: AboutMessage) -> Found | None:
        match = compiled.search(text_of(event))
        return None if match is None else {"match": match}

    return new(ask, name=f"regex({compiled.pattern!r})")


def command(*names: str, prefixes: str = "/!") -> Filter[AboutMessage]:
    """Match a command such as ``/start now``; handlers receive ``command``, a :class:`CommandCall`.

    Args:
        *names: Names without prefix, in any case of letters; none means every command.
        prefixes: Characters that a command may begin with.
    """
    wanted = {name.casefold(): name for name in names}

    def ask(event: AboutMessage) -> Found | None:
        written = text_of(event).strip()
        # "/ help" is not a command, but a text that begins with a slash.
        if len(written) < 2 or written[0] not in prefixes or written[1].isspace():
            return None
        first, *more = written[1:].split(maxsplit=1)
        if wanted and first.casefold() not in wanted:
            return None
        # The name as it was registered, so that handlers need not fold its case.
        rest = more[0] if more else ""
        name = wanted.get(first.casefold(), first)
        return {"command": CommandCall(name, tuple(rest.split()), rest)}

    return new(ask, name=_shown("command", names) if names else "command()")


def kind(*kinds: MessageKind | str) -> Filter[AboutMessage]:
    """Match messages of these kinds.

    Args:
        *kinds: Such as ``"poll"``; also WhatsApp's own name of a type, such as
            ``"futureMessage"``, for one that this SDK does not know yet.
    """
    _some("kind", kinds)
    wanted = {MessageKind(one) for one in kinds}
    types = {str(one) for one in wanted if not one.is_known}

    def ask(event: AboutMessage) -> bool:
        if kind_of(event) in wanted:
            return True
        message = message_of(event) if types else None
        return message is not None and message.content_type in types

    return new(ask, name=_shown("kind", tuple(map(str, kinds))))


def _of(word: str, *kinds: MessageKind) -> Filter[AboutMessage]:
    wanted = frozenset(kinds)
    return new(lambda event: kind_of(event) in wanted, name=word)


class MediaFilter(FunctionFilter[AboutMessage]):
    """Matches messages with a file; its attributes are filters for each kind of file."""

    __slots__ = ()

    image: ClassVar[Filter[AboutMessage]] = _of("media.image", MessageKind.IMAGE)
    video: ClassVar[Filter[AboutMessage]] = _of(
        "media.video", MessageKind.VIDEO, MessageKind.VIDEO_NOTE
    )
    video_note: ClassVar[Filter[AboutMessage]] = _of("media.video_note", MessageKind.VIDEO_NOTE)
    audio: ClassVar[Filter[AboutMessage]] = _of("media.audio", MessageKind.AUDIO, MessageKind.VOICE)
    voice: ClassVar[Filter[AboutMessage]] = _of("media.voice", MessageKind.VOICE)
    sticker: ClassVar[Filter[AboutMessage]] = _of("media.sticker", MessageKind.STICKER)
    document: ClassVar[Filter[AboutMessage]] = _of("media.document", MessageKind.DOCUMENT)


media: MediaFilter = MediaFilter(lambda event: kind_of(event) in MEDIA_KINDS, "media")
"""Matches messages that are a file; ``media.image``, ``media.audio`` … for one kind of file."""

location: Filter[AboutMessage] = _of("location", MessageKind.LOCATION, MessageKind.LIVE_LOCATION)
"""Matches a place, also a live one."""

contact: Filter[AboutMessage] = _of("contact", MessageKind.CONTACT, MessageKind.CONTACTS)
"""Matches one or more contact cards."""

poll: Filter[AboutMessage] = _of("poll", MessageKind.POLL)
"""Matches a poll."""

order: Filter[AboutMessage] = _of("order", MessageKind.ORDER)
"""Matches an order from a catalogue."""

payment: Filter[AboutMessage] = _of(
    "payment", MessageKind.PAYMENT, MessageKind.PAYMENT_REQUEST, MessageKind.INVOICE
)
"""Matches a payment, or a request for one."""

calendar_event: Filter[AboutMessage] = _of("calendar_event", MessageKind.EVENT)
"""Matches an event in WhatsApp's calendar."""

call_log: Filter[AboutMessage] = _of("call_log", MessageKind.CALL_LOG)
"""Matches a call that is over, as a message."""

edited: Filter[AboutMessage] = _of("edited", MessageKind.EDITED)
"""Matches an edit of a message."""

revoked: Filter[AboutMessage] = _of("revoked", MessageKind.REVOKED)
"""Matches the deletion of a message for everyone."""


def _emojis(values: tuple[str, ...]) -> Predicate[AboutMessage]:
    def ask(event: AboutMessage) -> bool:
        message = message_of(event)
        found = None if message is None else message.reaction
        return found is not None and found.emoji in values

    return ask


reaction: ChoiceFilter = ChoiceFilter(
    "reaction",
    lambda event: kind_of(event) is MessageKind.REACTION,
    _emojis,
)
"""Matches a reaction, also a removed one; ``reaction("👍")`` for one of these emojis."""


def _choices(values: tuple[str, ...]) -> Predicate[AboutMessage]:
    def ask(event: AboutMessage) -> bool:
        message = message_of(event)
        found = None if message is None else message.selected
        # Business reports only the title, so id and title count on every channel.
        return found is not None and (found.id in values or found.title in values)

    return ask


def _any_choice(event: AboutMessage) -> bool:
    message = message_of(event)
    return message is not None and message.selected is not None


selected: ChoiceFilter = ChoiceFilter("selected", _any_choice, _choices)
"""Matches a choice of buttons or a list; ``selected("yes")`` for one of these ids or titles.

Business reports only the title.
"""


def _votes(values: tuple[str, ...]) -> Predicate[AboutMessage]:
    def ask(event: AboutMessage) -> bool:
        vote = _vote_of(event)
        options = None if vote is None else vote.options
        return bool(options) and any(option in values for option in options or ())

    return ask


def _vote_of(event: object) -> PollVote | None:
    # A vote comes as a message, and on 2.2.3 as an update of the poll.
    vote = getattr(event, "poll_vote", None)
    return vote if isinstance(vote, PollVote) else None


poll_vote: ChoiceFilter = ChoiceFilter(
    "poll_vote", lambda event: _vote_of(event) is not None, _votes
)
"""Matches a vote in a poll, also one taken back; ``poll_vote("Sim")`` for one of these options."""


@new(name="from_ad")
def from_ad(event: AboutMessage) -> bool:
    """Match messages of people who came by an advertisement (click to WhatsApp)."""
    message = message_of(event)
    return message is not None and message.ad is not None


@new(name="story_reply")
def story_reply(event: AboutMessage) -> bool:
    """Match messages that answer a story."""
    message = message_of(event)
    quoted = None if message is None else message.quoted
    return quoted is not None and quoted.is_story


@new(name="quoted")
def quoted(event: AboutMessage) -> bool:
    """Match messages that quote another one."""
    message = message_of(event)
    return message is not None and message.quoted is not None


@new(name="forwarded")
def forwarded(event: AboutMessage) -> bool:
    """Match messages that were forwarded."""
    message = message_of(event)
    return message is not None and message.is_forwarded


@new(name="view_once")
def view_once(event: AboutMessage) -> bool:
    """Match messages that may be seen only once."""
    message = message_of(event)
    return message is not None and message.is_view_once
