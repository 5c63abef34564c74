"""The intake of events: what a client is fed with becomes evidence, pairs of ids, and news."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from evolution_sdk._base.harmless import harmless
from evolution_sdk.identity import Jid
from evolution_sdk.identity.identities import AllLids, Identities
from evolution_sdk.identity.lids import LidMap, pairs_in
from evolution_sdk.identity.own_accounts import OwnAccounts

from .contacts import Contacts, KnownContacts
from .event_bus import EventBus

if TYPE_CHECKING:
    from evolution_sdk.resilience.new_contacts import NewContactPause

__all__ = ["EventIntake"]

_MOST_LIDS = 20_000
_log = logging.getLogger("evolution_sdk")


class EventIntake:
    """The one door by which events enter a client.

    Args:
        witness: Takes the envelope of a verified event as evidence for lost sends, and the
            account's phone, where it is known.
        lids: The pairs of ids that are proven.
        bus: Passes the event on to those who wait for one.
        clock: Unix seconds.
        pause: Counts refused messages; None where they pause nothing.
        known: Chats that are known beside those seen.

    Attributes:
        contacts: Known chats, and refused messages.
        proven: The pairs that are proven: good enough to choose a recipient by.
        lids: All pairs that events named, unverified ones included: good enough for waiting and for
            reading, where a wrong pair makes no message count as sent.
        identities: Those pairs, and the accounts of instances; for events to ask.
    """

    def __init__(
        self,
        witness: Callable[[Any, Jid | None], object],
        lids: LidMap,
        bus: EventBus,
        clock: Callable[[], float],
        pause: NewContactPause | None = None,
        known: KnownContacts | None = None,
    ) -> None:
        self._witness = witness
        self.proven: LidMap = lids
        self._unproven = LidMap(_MOST_LIDS)
        self._bus = bus
        self.lids: AllLids = AllLids(self.proven, self._unproven)
        bus.lids = self.lids
        self.identities: Identities = Identities(self.lids, OwnAccounts())
        self.contacts: Contacts = Contacts(self.lids, clock, pause, known)

    def take(self, event: object, *, verified: bool) -> None:
        """Take an event in, typed or as it came; never raises.

        Args:
            event: The event.
            verified: True if it is surely the server's; only then it is evidence.
        """
        try:
            # Loaded with the first event: the typed events would slow down every start.
            from evolution_sdk.events import Event, parse_event

            typed: Any = event
            if not isinstance(event, Event):
                typed = parse_event(typed)
            # What cannot be learned must not keep the event from those who wait for it.
            harmless(self._learn, typed, verified)
            # Before those who wait: a refusal is explained by what is known by then.
            harmless(lambda: self.contacts.take(typed, verified=verified))
            self._bus.feed(typed)
        except Exception as error:  # noqa: BLE001 - whoever receives events must not fail by it
            _log.debug("an event could not be taken in: %s", type(error).__name__)

    def _learn(self, event: Any, verified: bool) -> None:
        """Take it as evidence if it is verified, and learn who is who."""
        accounts = self.identities.accounts
        own = accounts.of(event.instance).phone if isinstance(event.instance, str) else None
        if verified:
            self._witness(event.raw, own)
        # Messages of others name pairs of ids as well, and come far more often.
        lids = self.proven if verified else self._unproven
        for lid, phone in pairs_in(event.raw, None if own is None else str(own)):
            lids.add(lid, phone)
        accounts.learn(event.raw, proven=verified)
