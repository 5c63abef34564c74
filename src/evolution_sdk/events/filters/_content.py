"""Filters about the content of messages."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, ClassVar, NamedTuple, TypeVar

from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events._base import Event, once
from evolution_sdk.events.message import EventMessage
from evolution_sdk.events.polls import PollVote
from evolution_sdk.models.message_types import MEDIA_KINDS, MessageKind

from ._algebra import Filter, Found, FunctionFilter, Predicate
from ._kinds import AboutMessage
from ._literals import ANY_DIGIT, Digit, lowered, needed_words
from ._needs import Needs, Probe, either, needs

E = TypeVar("E")

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
        needs: What an event needs in any case.
        narrow_needs: Makes what an event needs for some values. Default: as without values.
    """

    __slots__ = ("_narrow", "_narrow_needs", "_word")

    def __init__(
        self,
        word: str,
        ask: Predicate[AboutMessage],
        narrow: Callable[[tuple[str, ...]], Callable[[AboutMessage], bool]],
        needs: Needs = None,
        narrow_needs: Callable[[tuple[str, ...]], Needs] | None = None,
    ) -> None:
        super().__init__(ask, word, needs=needs, is_pure=True)
        self._word = word
        self._narrow = narrow
        self._narrow_needs = narrow_needs

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
        narrow = self._narrow_needs
        needs = self._needs if narrow is None else narrow(values)
        return known(self._narrow(values), _shown(self._word, values), needs)


def known(ask: Callable[[Any], bool | Found | None], name: str, needs: Needs = None) -> Filter[Any]:
    """Make a filter from a function of this SDK, which only looks at the event.

    Args:
        ask: The function.
        name: Text for ``repr``.
        needs: What an event needs to match; None if that is unknown.
    """
    return FunctionFilter(ask, name, needs=needs, is_pure=True)


def looking(name: str) -> Callable[[Callable[[E], bool]], Filter[E]]:
    """Make a filter from a function of this SDK, as a decorator.

    Args:
        name: Text for ``repr``.
    """
    return lambda ask: FunctionFilter(ask, name, is_pure=True)


def message_of(event: object) -> EventMessage | None:
    """Return the message of an event; None for an event without one."""
    message = getattr(event, "message", None)
    return message if isinstance(message, EventMessage) else None


def text_of(event: object) -> str:
    """Return the text, caption or choice of a message, cut so that patterns end in time."""
    # Read once per event: a router asks many filters about one.
    if not isinstance(event, Event):
        return _text_of(event)
    return once(event, "text_of", _text_of)  # pyright: ignore[reportUnknownArgumentType]


def _text_of(event: object) -> str:
    text = getattr(event, "text", None)
    return text[:_MAX_TEXT] if isinstance(text, str) else ""


def kind_of(event: object) -> MessageKind | None:
    """Return the kind of the event's message; None for an event without one."""
    kind = getattr(event, "kind", None)
    return kind if isinstance(kind, MessageKind) else None


def _folded(event: Event[Any]) -> str:
    return once(event, "text_folded", _text_folded)


def _text_folded(event: object) -> str:
    return text_of(event).casefold()


def _whole(event: Event[Any]) -> tuple[str]:
    return (text_of(event).strip().casefold(),)


def _command_of(event: Event[Any]) -> tuple[str, ...]:
    """Return the sign and the folded name of what may be a command."""
    written = text_of(event).strip()
    if len(written) < 2 or written[1].isspace():
        return ()
    return written[0], written[1:].split(maxsplit=1)[0].casefold()


def _command_name(event: Event[Any]) -> tuple[str, ...]:
    return _command_of(event)[1:]


def _command_sign(event: Event[Any]) -> tuple[str, ...]:
    return _command_of(event)[:1]


def _lowered(event: Event[Any]) -> str:
    return lowered(text_of(event))


def _has_digit(event: Event[Any]) -> tuple[bool]:
    return (ANY_DIGIT.search(text_of(event)) is not None,)


def _kinds(event: Event[Any]) -> tuple[MessageKind | None]:
    return (kind_of(event),)


def _content_type(event: object) -> tuple[str, ...]:
    message = message_of(event)
    return () if message is None else (message.content_type,)


def _message_kind(event: object) -> tuple[MessageKind, ...]:
    message = message_of(event)
    return () if message is None else (message.kind,)


def _chosen(event: object) -> tuple[str | None, ...]:
    message = message_of(event)
    found = None if message is None else message.selected
    return () if found is None else (found.id, found.title)


def _voted(event: object) -> tuple[str, ...]:
    vote = _vote_of(event)
    return () if vote is None or not vote.options else tuple(vote.options)


def _beginning(length: int) -> Probe:
    def read(event: Event[Any]) -> tuple[str]:
        return (_folded(event)[:length],)

    return Probe(f"beginning {length}", 6 + length, read)


# The weights tell what is looked up where a filter needs several things.
_WHOLE = Probe("whole text", 50, _whole)
_COMMAND = Probe("command", 40, _command_name)
_SIGN = Probe("sign of a command", 5, _command_sign)
_PART_FOLDED = Probe("part of the folded text", 0, _folded, by_part=True)
_PART = Probe("part of the text", 0, _lowered, by_part=True)
_DIGIT = Probe("digit", 3, _has_digit)
_KIND = Probe("kind", 4, _kinds)
_CONTENT_TYPE = Probe("type of content", 8, _content_type)
_MESSAGE_KIND = Probe("kind of the message", 7, _message_kind)
_CHOICE = Probe("choice", 30, _chosen)
_VOTE = Probe("vote", 30, _voted)


def _shown(word: str, values: tuple[Any, ...]) -> str:
    return f"{word}({', '.join(map(repr, values))})"


def _some(word: str, values: tuple[Any, ...]) -> None:
    if not values:
        raise ConfigurationError(f"{word}() needs at least one value.", variable=word)


def _text_is(values: tuple[str, ...]) -> Callable[[AboutMessage], bool]:
    wanted = {value.strip().casefold() for value in values}
    return lambda event: _is_text(event) and text_of(event).strip().casefold() in wanted


def _is_text(event: object) -> bool:
    return kind_of(event) is MessageKind.TEXT


text: ChoiceFilter = ChoiceFilter(
    "text",
    lambda event: _is_text(event) and bool(text_of(event)),
    _text_is,
    needs(_KIND, (MessageKind.TEXT,)),
    lambda values: needs(_WHOLE, (value.strip().casefold() for value in values)),
)
"""Matches messages of text alone; ``text("oi", "olá")`` for one of these texts, in any case."""


def startswith(*values: str) -> Filter[AboutMessage]:
    """Match text, caption or choice by its beginning.

    Args:
        *values: Wanted beginnings, in any case of letters; any one of them matches.
    """
    _some("startswith", values)
    folded = tuple(value.casefold() for value in values)
    beginnings = frozenset((_beginning(len(value)), value) for value in folded)
    return known(
        lambda event: text_of(event).casefold().startswith(folded),
        _shown("startswith", values),
        beginnings,
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

    return known(ask, _shown("contains", values), needs(_PART_FOLDED, folded))


def regex(pattern: str | re.Pattern[str], flags: int = 0) -> Filter[AboutMessage]:
    """Match text, caption or choice by a pattern; handlers receive ``match``.

    Args:
        pattern: A pattern for ``re.search``.
        flags: Such as ``re.IGNORECASE``; none with a compiled pattern.
    """
    compiled: re.Pattern[Any] = re.compile(pattern, flags)

    def ask(event: AboutMessage) -> Found | None:
        match = compiled.search(text_of(event))
        return None if match is None else {"match": match}

    shown = f"regex({compiled.pattern!r})"
    if not isinstance(compiled.pattern, str):
        return FunctionFilter(ask, shown)  # such a pattern raises when it is asked, as it should
    return known(ask, shown, _needs_of(compiled))


def _needs_of(pattern: re.Pattern[str]) -> Needs:
    words = needed_words(pattern)
    if words is None:
        return None
    return frozenset((_DIGIT, True) if isinstance(word, Digit) else (_PART, word) for word in words)


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

    return known(
        ask,
        _shown("command", names) if names else "command()",
        needs(_COMMAND, wanted) if wanted else needs(_SIGN, prefixes),
    )


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

    return known(
        ask,
        _shown("kind", tuple(map(str, kinds))),
        either(needs(_KIND, wanted), needs(_CONTENT_TYPE, types)),
    )


def _of(word: str, *kinds: MessageKind) -> Filter[AboutMessage]:
    wanted = frozenset(kinds)
    return known(lambda event: kind_of(event) in wanted, word, needs(_KIND, wanted))


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


media: MediaFilter = MediaFilter(
    lambda event: kind_of(event) in MEDIA_KINDS,
    "media",
    needs=needs(_KIND, MEDIA_KINDS),
    is_pure=True,
)
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


def _emojis(values: tuple[str, ...]) -> Callable[[AboutMessage], bool]:
    def ask(event: AboutMessage) -> bool:
        message = message_of(event)
        found = None if message is None else message.reaction
        return found is not None and found.emoji in values

    return ask


reaction: ChoiceFilter = ChoiceFilter(
    "reaction",
    lambda event: kind_of(event) is MessageKind.REACTION,
    _emojis,
    needs(_KIND, (MessageKind.REACTION,)),
    lambda values: needs(_MESSAGE_KIND, (MessageKind.REACTION,)),
)
"""Matches a reaction, also a removed one; ``reaction("👍")`` for one of these emojis."""


def _choices(values: tuple[str, ...]) -> Callable[[AboutMessage], bool]:
    def ask(event: AboutMessage) -> bool:
        message = message_of(event)
        found = None if message is None else message.selected
        # Business reports only the title, so id and title count on every channel.
        return found is not None and (found.id in values or found.title in values)

    return ask


def _any_choice(event: AboutMessage) -> bool:
    message = message_of(event)
    return message is not None and message.selected is not None


selected: ChoiceFilter = ChoiceFilter(
    "selected", _any_choice, _choices, narrow_needs=lambda values: needs(_CHOICE, values)
)
"""Matches a choice of buttons or a list; ``selected("yes")`` for one of these ids or titles.

Business reports only the title.
"""


def _votes(values: tuple[str, ...]) -> Callable[[AboutMessage], bool]:
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
    "poll_vote",
    lambda event: _vote_of(event) is not None,
    _votes,
    narrow_needs=lambda values: needs(_VOTE, values),
)
"""Matches a vote in a poll, also one taken back; ``poll_vote("Sim")`` for one of these options."""


@looking("from_ad")
def from_ad(event: AboutMessage) -> bool:
    """Match messages of people who came by an advertisement (click to WhatsApp)."""
    message = message_of(event)
    return message is not None and message.ad is not None


@looking("story_reply")
def story_reply(event: AboutMessage) -> bool:
    """Match messages that answer a story."""
    message = message_of(event)
    quoted = None if message is None else message.quoted
    return quoted is not None and quoted.is_story


@looking("quoted")
def quoted(event: AboutMessage) -> bool:
    """Match messages that quote another one."""
    message = message_of(event)
    return message is not None and message.quoted is not None


@looking("forwarded")
def forwarded(event: AboutMessage) -> bool:
    """Match messages that were forwarded."""
    message = message_of(event)
    return message is not None and message.is_forwarded


@looking("view_once")
def view_once(event: AboutMessage) -> bool:
    """Match messages that may be seen only once."""
    message = message_of(event)
    return message is not None and message.is_view_once
