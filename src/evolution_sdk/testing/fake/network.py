"""A simulated phone network: numbers with their JIDs and profiles, groups, uploads."""

from __future__ import annotations

from dataclasses import dataclass, field

from .groups import Group
from .js import JsonObject
from .lids import Lids
from .numbers import create_jid, jid_options

_CACHE_MS = 7 * 24 * 3600 * 1000.0


@dataclass(slots=True)
class Profile:
    """The profile that WhatsApp shows for a number.

    Attributes:
        picture: URL of the picture, or None.
        about: The status text, or None where it is hidden.
        business: The business profile, or None for a private number.
    """

    picture: str | None = None
    about: str | None = "Hey there! I am using WhatsApp."
    business: JsonObject | None = None


@dataclass(slots=True)
class Shop:
    """The products and collections of a business number, as WhatsApp answers them."""

    products: list[JsonObject] = field(default_factory=list[JsonObject])
    collections: list[JsonObject] = field(default_factory=list[JsonObject])


@dataclass(slots=True)
class _Known:
    jid: str
    options: set[str]
    lid: str | None
    until_ms: float


class PhoneNetwork:
    """The network: every number is on WhatsApp under its JID, unless arranged otherwise."""

    def __init__(self) -> None:
        self.absent: set[str] = set()
        self.reachable = True
        self.lids: Lids = Lids()
        self.groups: dict[str, Group] = {}
        self.group_refusals: dict[str, str] = {}
        self.shops: dict[str, Shop] = {}
        self.profiles: dict[str, Profile] = {}
        self.uploads: dict[str, bytes] = {}
        self.web: dict[str, bytes] = {}
        self.cached_groups: set[str] = set()
        self._aliases: dict[str, str] = {}
        self._known: list[_Known] = []

    def remove(self, number: str) -> None:
        """Take a number off WhatsApp, as typed and as the server rewrites it."""
        # Both forms, because the server rewrites some countries' numbers before it asks.
        self.absent |= {create_jid(number), f"{number.partition('@')[0]}@s.whatsapp.net"}

    def alias(self, number: str, jid: str) -> None:
        """Let look-ups of a number answer another JID."""
        self._aliases[create_jid(number)] = jid

    def find(self, jid: str) -> str | None:
        """Ask WhatsApp for a number: the JID it goes by, or None when it is not there."""
        if jid in self.absent:
            return None
        return self._aliases.get(jid, jid)

    def profile(self, jid: str) -> Profile:
        """Return the profile of a number."""
        return self.profiles.get(jid) or Profile()

    def fetch(self, url: str) -> bytes:
        """Download a URL; empty unless a test put something there."""
        return self.web.get(url, b"")

    def group(self, jid: str) -> Group | None:
        """Return a group by its JID, or None."""
        return self.groups.get(jid)

    # The server's IsOnWhatsapp table: positive answers only, for seven days, for all instances.

    def cached(self, jid: str, now_ms: float) -> tuple[str, str | None] | None:
        """Return the cached answer for a JID: the JID to use and its LID mark."""
        for known in self._known:
            if known.until_ms >= now_ms and jid in known.options:
                return known.jid, known.lid
        return None

    def cache(self, jid: str, now_ms: float, *, lid: bool = False, aka: str | None = None) -> None:
        """Remember that a JID is on WhatsApp, with another JID of the same phone."""
        # All spellings of one phone share a row, so that a send to either variant finds it.
        spellings = {*jid_options(jid), *(jid_options(aka) if aka else ())}
        mark = "lid" if lid or "@lid" in jid else None
        for known in self._known:
            if known.options & spellings:
                # The newest answer wins, and its seven days start again.
                known.jid, known.lid, known.until_ms = jid, mark, now_ms + _CACHE_MS
                known.options |= spellings
                return
        self._known.append(_Known(jid, spellings, mark, now_ms + _CACHE_MS))
