"""A simulated phone network: who is on WhatsApp, under which JID, in which groups."""

from __future__ import annotations

from dataclasses import dataclass, field

from .groups import Group
from .js import JsonObject
from .lids import Lids
from .numbers import create_jid, jid_options

_CACHE_MS = 7 * 24 * 3600 * 1000.0


@dataclass(slots=True)
class Profile:
    """What WhatsApp says about a number.

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
    """What a business number sells: products and collections, as WhatsApp answers them."""

    products: list[JsonObject] = field(default_factory=list[JsonObject])
    collections: list[JsonObject] = field(default_factory=list[JsonObject])


@dataclass(slots=True)
class _Known:
    jid: str
    options: set[str]
    lid: str | None
    until_ms: float


class PhoneNetwork:
    """Everybody is on WhatsApp under the JID asked for, unless told otherwise."""

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
        self.absent |= {create_jid(number), f"{number.partition('@')[0]}@s.whatsapp.net"}

    def alias(self, number: str, jid: str) -> None:
        """Let look-ups of a number answer another JID."""
        self._aliases[create_jid(number)] = jid

    def find(self, jid: str) -> str | None:
        """Ask WhatsApp: the JID it knows the number under, or None."""
        if jid in self.absent:
            return None
        return self._aliases.get(jid, jid)

    def profile(self, jid: str) -> Profile:
        """What is known about a number."""
        return self.profiles.get(jid) or Profile()

    def fetch(self, url: str) -> bytes:
        """What a web server answers for a URL; nothing unless a test put something there."""
        return self.web.get(url, b"")

    def group(self, jid: str) -> Group | None:
        """A group by its JID."""
        return self.groups.get(jid)

    # The server's IsOnWhatsapp table: positive answers only, for seven days, for all instances.

    def cached(self, jid: str, now_ms: float) -> tuple[str, str | None] | None:
        """The cached answer for a JID: the JID to use and its LID mark."""
        for known in self._known:
            if known.until_ms >= now_ms and jid in known.options:
                return known.jid, known.lid
        return None

    def cache(self, jid: str, now_ms: float, *, lid: bool = False, aka: str | None = None) -> None:
        """Remember that a JID is on WhatsApp, with another name it goes by."""
        spellings = {*jid_options(jid), *(jid_options(aka) if aka else ())}
        mark = "lid" if lid or "@lid" in jid else None
        for known in self._known:
            if known.options & spellings:
                known.jid, known.lid, known.until_ms = jid, mark, now_ms + _CACHE_MS
                known.options |= spellings
                return
        self._known.append(_Known(jid, spellings, mark, now_ms + _CACHE_MS))
