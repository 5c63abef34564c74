"""Taking events in that a client is fed with: for waits, and as evidence where they are proven."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from typing import Any

from evolution_sdk._base.json_types import is_object
from evolution_sdk.identity import PhoneNumber
from evolution_sdk.identity.lids import LidMap

from .event_bus import EventBus

__all__ = ["AllLids", "Hearing"]

_MOST_LIDS = 20_000
_log = logging.getLogger("evolution_sdk")


class AllLids:
    """Pairs of hidden id and phone from several books; the first that knows one tells.

    Args:
        books: The books, the most trustworthy first.
    """

    def __init__(self, *books: LidMap) -> None:
        self._books = books

    def phone_of(self, who: str, /) -> PhoneNumber | None:
        """Name the phone behind a hidden id."""
        found = (book.phone_of(who) for book in self._books)
        return next((phone for phone in found if phone is not None), None)

    def forms(self, chats: Iterable[str]) -> tuple[str, ...]:
        """The hidden ids of phones, and the phones of hidden ids."""
        asked = tuple(chats)
        return tuple(dict.fromkeys(form for book in self._books for form in book.forms(asked)))


class Hearing:
    """The door for events.

    Args:
        witness: Takes the envelope of a proven event as evidence for lost sends.
        lids: What is proven of hidden ids.
        hub: Tells those who wait.

    Attributes:
        lids: All that was told of hidden ids, also by events that prove nothing: for waits.
    """

    def __init__(self, witness: Callable[[Any], object], lids: LidMap, hub: EventBus) -> None:
        self._witness = witness
        self._proven = lids
        self._hearsay = LidMap(_MOST_LIDS)
        self._hub = hub
        self.lids: AllLids = AllLids(self._proven, self._hearsay)

    def take(self, event: object, *, verified: bool) -> None:
        """Take an event in, typed or as it came; never raises.

        Args:
            event: The event.
            verified: Whether it is surely the server's; only then it is evidence.
        """
        try:
            # Loaded with the first event: the typed events would slow down every start.
            from evolution_sdk.events import Event, parse_event

            typed: Any = event
            if not isinstance(event, Event):
                typed = parse_event(typed)
            if verified:
                self._witness(typed.raw)
            if is_object(typed.raw):  # hidden ids are told by messages of others, too
                book = self._proven if verified else self._hearsay
                book.learn(typed.raw.get("data"))
            self._hub.feed(typed)
        except Exception as error:  # noqa: BLE001 - whoever receives events must not fail by it
            _log.debug("an event could not be taken in: %s", type(error).__name__)
