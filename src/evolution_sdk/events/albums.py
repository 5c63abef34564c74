"""Albums in one piece: the photos that a person sends together arrive as one event each.

A cover announces an album (``albumMessage``) and says how many photos and videos follow; each of
those is a message of its own that names the cover (``messageAssociation``). They may arrive in any
order and more than once, and some never arrive. Servers before 2.3 tell neither
(`facts/versions/baileys.md`): there every photo stands alone.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.forking import free_in_child
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.identity import Jid

from .message import EventMessage
from .message_event import MessageEvent

__all__ = ["AlbumGatherer", "GatheredAlbum"]

E = TypeVar("E", bound=MessageEvent[Any])

_Key: TypeAlias = tuple[str, str]
# How many writers may have used the id of one cover, before the first of them is forgotten.
_MOST_WRITERS = 8
_MOST_IDS = 1_000


@dataclass(frozen=True, slots=True)
class GatheredAlbum(Generic[E]):
    """An album, or what came of it in time.

    Attributes:
        id: The WhatsApp id of its cover.
        cover: The event that announced it; None if that did not come.
        items: The events of its photos and videos, oldest first.
        expected: Number of photos and videos announced; None without a cover.
    """

    id: str
    cover: E | None = field(repr=False)
    items: tuple[E, ...] = field(repr=False)
    expected: int | None

    @property
    def is_complete(self) -> bool:
        """True if all that was announced is there."""
        return bool(self.expected) and len(self.items) >= (self.expected or 0)

    @property
    def caption(self) -> str | None:
        """The first text among its photos; phones put that of the album there."""
        return next((item.text for item in self.items if item.text), None)


@dataclass(slots=True)
class _Who:
    """The place and the owner of an album, by every id that was told."""

    from_me: bool
    chats: frozenset[str]
    authors: frozenset[str]

    def fits(self, other: _Who) -> bool:
        return (
            self.from_me == other.from_me
            and not self.chats.isdisjoint(other.chats)
            and (self.authors == other.authors or not self.authors.isdisjoint(other.authors))
        )

    def learn(self, other: _Who) -> None:
        self.chats |= other.chats
        self.authors |= other.authors


@dataclass(slots=True)
class _Open(Generic[E]):
    """An album that is being gathered."""

    id: str
    who: _Who
    until: float
    cover: E | None
    items: dict[str, E] = field(default_factory=dict[str, E])

    def finished(self) -> GatheredAlbum[E]:
        """Return what came, oldest first."""
        album = self.cover.message.album if self.cover is not None else None
        # A stranger's numbers: what is below nothing announces nothing.
        expected = None if album is None else max(0, album.images) + max(0, album.videos)
        items = sorted(self.items.values(), key=lambda event: event.timestamp)
        return GatheredAlbum(self.id, self.cover, tuple(items), expected)


@dataclass(slots=True)
class _Given(Generic[E]):
    """An album that was given out: what comes later is a copy, or came too late for it."""

    who: _Who
    cover: E | None
    ids: frozenset[str]


class AlbumGatherer(Generic[E]):
    """Gathers the events of albums.

    It waits for nothing itself: :meth:`take` gives an album with its last part, :meth:`expired`
    those that stay incomplete. Parts belong together only if instance, chat, writer and cover are
    the same; a stranger's message that names the same id is another album. It may be used by
    several threads.

    Args:
        max_wait_ms: Longest wait for the next part of an album, in milliseconds.
        clock: Monotonic clock, in seconds.
        max_albums: Most albums that are gathered at the same time; the oldest is then given out as
            it is.
        max_items: Most photos of one album; those beyond are given out apart.

    Raises:
        RequestValidationError: A number is not positive.
    """

    def __init__(
        self,
        *,
        max_wait_ms: float = 10_000,
        clock: Callable[[], float] = time.monotonic,
        max_albums: int = 1_000,
        max_items: int = 100,
    ) -> None:
        for name, value in (
            ("max_wait_ms", max_wait_ms),
            ("max_albums", max_albums),
            ("max_items", max_items),
        ):
            if not value > 0:
                raise RequestValidationError(name, "must be above 0")
        self._wait_s = max_wait_ms / 1_000
        self._clock = clock
        self._most_items = max_items
        self._most_albums = max_albums
        self._lock = free_in_child(threading.Lock())
        # By instance and id of the cover; several writers may have used the same one.
        self._open: dict[_Key, list[_Open[E]]] = {}
        self._count = 0
        self._overdue: list[GatheredAlbum[E]] = []
        self._given: BoundedDict[_Key, list[_Given[E]]] = BoundedDict(max_albums)

    def __len__(self) -> int:
        return self._count

    def take(self, event: E) -> GatheredAlbum[E] | None:
        """Take an event.

        Args:
            event: Any event about a message.

        Returns:
            The album, once its last part is there; None while parts are missing, and for an event
            that is not part of an album (its ``album`` and ``album_id`` are None).
        """
        message = event.message
        is_cover = message.album is not None
        album_id = message.id if is_cover else message.album_id
        if not album_id or not message.id:
            return None
        key, who = (event.instance, album_id), _who(message)
        with self._lock:
            found = self._fitting(key, who) or self._begun(key, who, event, is_cover=is_cover)
            if found is None:
                return None
            found.who.learn(who)
            found.until = self._clock() + self._wait_s
            if is_cover:
                found.cover = found.cover or event
            else:
                found.items.setdefault(message.id, event)
            album = found.finished()
            if not album.is_complete and len(found.items) < self._most_items:
                return None
            self._close(key, found)
            return album

    def expired(self, now: float | None = None) -> list[GatheredAlbum[E]]:
        """Give out the albums whose next part did not come in time.

        Call it now and then: with every event, or from a task that sleeps for
        :meth:`next_expiry_ms`.

        Args:
            now: The time by the clock, in seconds. Default: the clock is asked.

        Returns:
            The albums, with what came of them.
        """
        with self._lock:
            now = self._clock() if now is None else now
            for key, found in self._all():
                if found.until <= now:
                    self._overdue.append(found.finished())
                    self._close(key, found)
            gone, self._overdue = self._overdue, []
        return gone

    def next_expiry_ms(self) -> float | None:
        """Return the time until an album expires, in milliseconds; None if none is open."""
        with self._lock:
            if self._overdue:
                return 0.0
            soonest = min((found.until for _, found in self._all()), default=None)
            return None if soonest is None else max(0.0, (soonest - self._clock()) * 1_000)

    def _all(self) -> list[tuple[_Key, _Open[E]]]:
        return [(key, found) for key, many in self._open.items() for found in many]

    def _fitting(self, key: _Key, who: _Who) -> _Open[E] | None:
        return next((one for one in self._open.get(key, ()) if one.who.fits(who)), None)

    def _begun(self, key: _Key, who: _Who, event: E, *, is_cover: bool) -> _Open[E] | None:
        """Begin an album with its first part; None for what is no news after it was given out."""
        before = next((one for one in self._given.get(key, ()) if one.who.fits(who)), None)
        if before is not None and is_cover:
            before.cover = before.cover or event
        if before is not None and (is_cover or event.message.id in before.ids):
            return None
        while self._count >= self._most_albums:
            oldest_key, oldest = self._all()[0]
            self._overdue.append(oldest.finished())
            self._close(oldest_key, oldest)
        made = _Open[E](key[1], who, 0.0, before.cover if before is not None else None)
        self._open.setdefault(key, []).append(made)
        self._count += 1
        return made

    def _close(self, key: _Key, found: _Open[E]) -> None:
        rest = [one for one in self._open.pop(key) if one is not found]
        if rest:
            self._open[key] = rest
        self._count -= 1
        given = _Given(found.who, found.cover, frozenset(found.items))
        others: list[_Given[E]] = []
        for one in self._given.get(key, ()):
            if one.who.fits(found.who):
                if len(one.ids) < _MOST_IDS:
                    given.ids |= one.ids
            else:
                others.append(one)
        self._given[key] = [*others[-_MOST_WRITERS:], given]


def _who(message: EventMessage) -> _Who:
    return _Who(
        message.from_me,
        _ids(message.chat, message.chat_alt),
        _ids(message.sender, message.sender_alt),
    )


def _ids(*jids: Jid | None) -> frozenset[str]:
    return frozenset(str(jid.bare) for jid in jids if jid is not None)
