"""Knowledge of who is who: hidden ids with their phones, and the accounts of instances."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol

from evolution_sdk.errors import RequestValidationError

from ._server import same_line
from ._told_pairs import jid_or_none, pairs_in
from ._values import Jid, PhoneNumber
from .lids import LidMap
from .own_accounts import OwnAccount, OwnAccounts

__all__ = ["AllLids", "Identities", "KnowsLids"]


class KnowsLids(Protocol):
    """A map of hidden ids: a ``LidMap``, or several behind one face (``client.lids``)."""

    def add(self, lid: Jid, phone: Jid, /) -> bool:
        """Add a pair; tells if it was new."""
        ...

    def phone_of(self, who: Jid | str, /) -> PhoneNumber | None:
        """Look up the phone of a hidden id."""
        ...

    def lid_of(self, phone: PhoneNumber | Jid | str, /) -> Jid | None:
        """Look up the hidden id of a phone."""
        ...


class AllLids:
    """Pairs of hidden id and phone from several maps; the first that knows a pair answers.

    Args:
        maps: The maps, the most trustworthy first.
    """

    def __init__(self, *maps: LidMap) -> None:
        self._maps = maps

    def learn(self, told: Any, /) -> int:
        """Learn pairs that nobody vouches for: the last map takes them.

        Args:
            told: An event or an answer of the server.

        Returns:
            How many pairs were new to it.
        """
        return self._maps[-1].learn(told)

    def add(self, lid: Jid, phone: Jid, /) -> bool:
        """Add a pair that nobody vouches for.

        Args:
            lid: The hidden id.
            phone: The JID with the phone number.

        Returns:
            True if it was new to the last map.
        """
        return self._maps[-1].add(lid, phone)

    def phone_of(self, who: Jid | str, /) -> PhoneNumber | None:
        """Look up the phone behind a hidden id.

        Args:
            who: A ``@lid``, or a phone's JID, whose own number is returned.

        Returns:
            The number; None if no map knows it.
        """
        found = (lids.phone_of(who) for lids in self._maps)
        return next((phone for phone in found if phone is not None), None)

    def lid_of(self, phone: PhoneNumber | Jid | str, /) -> Jid | None:
        """Look up the hidden id of a person.

        Args:
            phone: A number or a JID; a ``@lid`` is returned itself.

        Returns:
            The ``@lid``; None if no map knows it.
        """
        found = (lids.lid_of(phone) for lids in self._maps)
        return next((lid for lid in found if lid is not None), None)

    def resolve(self, who: Jid, /) -> Jid:
        """Replace a hidden id with the phone's JID, if it is known.

        Args:
            who: Any JID.

        Returns:
            The phone's JID, or the given one; without device.
        """
        phone = self.phone_of(who) if who.is_lid else None
        return who.bare if phone is None else phone.jid

    def forms(self, chats: Iterable[str]) -> tuple[str, ...]:
        """Return the hidden ids of phones, and the phones of hidden ids.

        Args:
            chats: JIDs as the server writes them.

        Returns:
            The other ids of those chats.
        """
        asked = tuple(chats)
        return tuple(dict.fromkeys(form for lids in self._maps for form in lids.forms(asked)))

    def __len__(self) -> int:
        return sum(map(len, self._maps))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({len(self)})"


class Identities:
    """The people and the account as a client or a router knows them; events ask it.

    Args:
        lids: The map of hidden ids. Default: a new one in memory.
        accounts: The accounts. Default: none yet.

    Attributes:
        lids: The map of hidden ids.
        accounts: The accounts.
    """

    def __init__(self, lids: KnowsLids | None = None, accounts: OwnAccounts | None = None) -> None:
        self.lids: KnowsLids = LidMap() if lids is None else lids
        self.accounts: OwnAccounts = OwnAccounts() if accounts is None else accounts

    def learn(self, told: Any, pairs: Iterable[tuple[Jid, Jid]] | None = None) -> None:
        """Learn from an event: who is who, and which account received it.

        Args:
            told: The event, typed or as it came.
            pairs: The pairs in it, if they were found already.
        """
        raw = getattr(told, "raw", told)
        # Most events hold no pair: nothing else is called for them.
        for lid, phone in pairs_in(raw) if pairs is None else pairs:
            self.lids.add(lid, phone)
        self.accounts.learn(raw)

    def account(self, instance: str, told: str | None) -> OwnAccount:
        """Return the account that an event is about.

        Args:
            instance: The event's instance.
            told: The account in its envelope, which wins: the instance may have changed its own.

        Returns:
            Its ids; what is known only of another account is left out.
        """
        known = self.accounts.of(instance)
        jid = jid_or_none(told)
        phone = known.phone if jid is None or not jid.is_phone else jid.bare
        lids = known.lids if known.phone is None or known.phone == phone else ()
        if phone is not None:
            lid = self.lids.lid_of(phone)
            lids = lids if lid is None or lid in lids else (*lids, lid)
        return OwnAccount(phone, lids)

    def phone_of(self, who: Jid, account: OwnAccount) -> PhoneNumber | None:
        """Look up a person's phone; the account's own hidden ids lead to its own.

        Args:
            who: The person.
            account: The account.
        """
        if who.bare in account.lids and account.phone is not None:
            return account.phone.phone
        return self.lids.phone_of(who)

    def is_account(self, who: Jid | None, account: OwnAccount) -> bool:
        """Tell if an id is one of the account's.

        Args:
            who: The id.
            account: The account.
        """
        if who is None or not (who.is_lid or who.is_phone):
            return False
        if who.bare in account.lids:
            return True
        phone = self.lids.phone_of(who)
        if phone is None or account.phone is None:
            return False
        return is_same_line(phone.jid, account.phone)


def is_same_line(one: Jid, other: Jid) -> bool:
    """Compare two phones; with and without Brazil's ninth digit they are one line."""
    if one.bare == other.bare:
        return True
    try:
        return same_line(one, other)
    except RequestValidationError:
        return False  # no valid number, so it belongs to no line
