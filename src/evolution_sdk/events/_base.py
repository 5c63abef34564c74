"""The base of all events: envelope, data that is read lazily, keys that tell copies apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, Self, TypeAlias, cast

from evolution_sdk._base.json_types import is_object
from evolution_sdk._base.redact import masked
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.identity import Jid
from evolution_sdk.identity.identities import Identities
from evolution_sdk.identity.lids import jid_or_none, pairs_in
from evolution_sdk.models.event_names import EVENT_NAMES, LATER_EVENTS

from ._binding import EventBinder, actions_on
from ._dedupe import dedupe_key

if TYPE_CHECKING:
    from typing_extensions import TypeVar

    D_co = TypeVar("D_co", covariant=True, default=object)
else:
    from typing import TypeVar

    D_co = TypeVar("D_co", covariant=True)

_Envelope: TypeAlias = "tuple[str, str, Source | None, datetime | None]"
T = TypeVar("T")
Bound = TypeVar("Bound")

Source: TypeAlias = Literal["webhook", "socket", "queue", "backfill"]
"""The transport by which an event arrived."""

E = TypeVar("E", bound="Event")


class Event(Generic[D_co]):
    """An event of the server, made by :func:`parse_event`; it cannot be changed.

    The typed view of ``data`` is built on first access. ``raw`` holds everything that arrived,
    including fields unknown to this SDK. ``repr`` shows no content, no key and no QR code.

    Attributes:
        wire: The server's name of the event, such as ``messages.upsert`` (of the class).
        repeatable: True if the same data may come again and mean something new, such as a
            ``connection.update``; see ``delivery_key`` (of the class).
        event: The server's name of the event; an upper-case name (``MESSAGES_UPSERT``) is given
            in its usual form.
        instance: Name of the instance; empty where the server named none.
        source: Transport by which it arrived; None if the receiver did not say.
        received_at: Time of arrival (aware), as the receiver said, or None.
    """

    wire: ClassVar[str] = ""
    repeatable: ClassVar[bool] = True

    __slots__ = (
        "__weakref__",
        "_data",
        "_known_by",
        "_memo",
        "_raw",
        "event",
        "instance",
        "received_at",
        "source",
    )

    event: str
    instance: str
    source: Source | None
    received_at: datetime | None
    _raw: object
    _data: object
    _memo: dict[str, object] | None
    _known_by: tuple[Identities, ...]

    def __init__(
        self,
        raw: object,
        data: object,
        *,
        event: str = "",
        instance: str = "",
        source: Source | None = None,
        received_at: datetime | None = None,
    ) -> None:
        _set_raw(self, raw)
        _set_data(self, data)
        _set_memo(self, None)
        # Who can tell what people and the account are; like a client no part of the event.
        _set_known_by(self, ())
        _set_event(self, event or self.wire)
        _set_instance(self, instance)
        _set_source(self, source)
        _set_received_at(self, received_at)

    @classmethod
    def subscription_name(cls) -> str:
        """Return the name that subscriptions use, such as ``MESSAGES_UPSERT``.

        Returns:
            The name; empty for a class that does not stand for a single event.
        """
        return cls.wire.replace(".", "_").replace("-", "_").upper()

    @classmethod
    def subscribable(cls) -> bool:
        """Tell if an instance can subscribe to it.

        Returns:
            False for ``groups.update`` and ``creds.update``, which the server does not offer to
            instances (`facts/events.json`), and for a class that does not stand for a single event.
        """
        return cls.subscription_name() in EVENT_NAMES

    @classmethod
    def everywhere(cls) -> bool:
        """Tell if every server from 2.3 on has it.

        Returns:
            False for what came later, ``messaging-history.set``.
        """
        return cls.subscription_name() not in LATER_EVENTS

    @property
    def raw(self) -> Mapping[str, Any]:
        """The whole envelope as it arrived, including ``apikey``."""
        return cast("Mapping[str, Any]", self._raw)

    @property
    def data(self) -> D_co:
        """The event's data, typed by its shape: a model, a tuple of them, or None."""
        # As _once, in fewer steps: it is what nearly every reader asks for.
        memo: dict[str, Any] | None = self._memo
        if memo is None:
            memo = {}
            _set_memo(self, memo)
        elif "data" in memo:
            known: D_co = memo["data"]
            return known
        made: D_co = self._read()
        memo["data"] = made
        return made

    @property
    def account(self) -> str | None:
        """The account's own JID, which the envelope calls ``sender``.

        Absent before the first login and on the Business and Evolution channels.
        """
        return self._text("sender")

    @property
    def sender(self) -> Jid | None:
        """The sender: of messages the writer, of everything else the account."""
        return jid_or_none(self.account)

    @property
    def server_url(self) -> str | None:
        """The server's own URL (``SERVER_URL``); None when it names none."""
        return self._text("server_url")

    @property
    def destination(self) -> str | None:
        """The stored webhook URL, not always the one called; only on webhooks and Pusher."""
        return self._text("destination")

    @property
    def date_time(self) -> str | None:
        """The server's clock, as text: local time with a false ``Z``, so that no time follows."""
        return self._text("date_time")

    @property
    def dedupe_key(self) -> str:
        """A key that every copy has: retries, other transports, the global webhook, a backfill.

        It is made from the event, the instance and the identity of the data: for messages the id
        and the chat, for updates also the status and the participant, and a hash of the data if
        there is no id. It never depends on ``date_time``, ``destination``, ``apikey`` or the
        transport.
        """
        return self._once("dedupe_key", self._make_key)

    @property
    def delivery_key(self) -> str:
        """The key to recognise copies by: as ``dedupe_key``, but repetitions differ.

        If the same data may come twice with a new meaning (a connection lost, restored and lost
        again; a second logout, whose data is null), the envelope's ``date_time`` is part of the
        key, as opaque text. The server sets it once per event, so it is equal in every attempt and
        on every transport, and different the next time.
        """
        stamp = self.date_time if self._may_repeat() else None
        return self.dedupe_key if stamp is None else f"{self.dedupe_key}@{stamp}"

    def bind(self, client: EventBinder[Self, Bound]) -> Bound:
        """Return the same event with a client attached, so that it can be answered.

        Args:
            client: A client, or a handle of one instance. A client acts for the instance that the
                event names.

        Returns:
            A new event; this one is unchanged. A ``MessagesUpsert`` becomes an
            ``AsyncMessagesUpsert`` with an async client and a ``SyncMessagesUpsert`` with a sync
            one, and so does every event about a message. Other events are returned unchanged.
        """
        return client.bind_event(self)

    @property
    def is_bound(self) -> bool:
        """Tell whether a client is attached."""
        return False

    @classmethod
    def plain(cls) -> type[Event]:
        """Return the class of the same event without a client.

        Returns:
            ``MessagesUpsert`` for ``AsyncMessagesUpsert`` and ``SyncMessagesUpsert``; the class
            itself if it takes no client.
        """
        return cls

    @classmethod
    def check_bound(cls, event: Event) -> None:
        """Make sure that an event has the client that this class promises.

        Args:
            event: An event of the class :meth:`plain`.

        Raises:
            ConfigurationError: It has no client, or a sync one instead of an async one, or the
                reverse.
        """
        if not isinstance(event, cls):
            raise ConfigurationError(
                f"a handler is registered for {cls.__name__}, but the event came as "
                f"{type(event).__name__}. Give the receiver, the stream or event.bind a client of "
                f"that colour, or register the handler for {cls.plain().__name__}.",
                variable="client",
            )

    # Hidden from type checkers, to which any attribute would seem to exist otherwise.
    if not TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            # Type checkers reject actions on an event without a client. At run time the error must
            # name the missing client, not the missing attribute.
            if hasattr(type(self), "message") and name in actions_on(type(self).wire):
                raise ConfigurationError(
                    "this event has no client attached. event.bind(client) returns a copy that "
                    "has one and leaves this one as it is: event = event.bind(client). Or give a "
                    "client to the receiver or stream that it came from.",
                    variable="client",
                )
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def _read(self) -> Any:
        """Make the typed view of ``data``; subclasses know its model."""
        return self._data

    def _identity(self) -> tuple[object, ...] | None:
        """Return the values that identify it; None where only a hash of its data can."""
        return None

    def _may_repeat(self) -> bool:
        """Tell if the same data may come again and mean something new."""
        return self.repeatable

    def _make_key(self) -> str:
        parts = self._identity()
        return dedupe_key(self.event, self.instance, *((self._data,) if parts is None else parts))

    def _text(self, name: str) -> str | None:
        value = self._raw.get(name) if is_object(self._raw) else None
        return value if isinstance(value, str) else None

    def _once(self, name: str, make: Callable[[], T]) -> T:
        # Made with the first use: most events are dropped unread, and a router asks many filters.
        memo: dict[str, Any] | None = self._memo
        if memo is None:
            memo = {}
            _set_memo(self, memo)
        elif name in memo:
            known: T = memo[name]
            return known
        made = memo[name] = make()
        return made

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an event cannot be changed ({name})")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"an event cannot be changed ({name})")

    # A client that is attached makes no other event of it: copies of one event stay equal.
    def __eq__(self, other: object) -> bool:
        # The client is not part of the event: bound or not, it is the same.
        if not isinstance(other, Event) or other.plain() is not self.plain():
            return NotImplemented
        return self.__reduce__() == other.__reduce__()

    def __hash__(self) -> int:
        # Equal events have equal keys; the data itself may hold lists, which have no hash.
        return hash(self.dedupe_key)

    def __reduce__(self) -> tuple[object, ...]:
        # Without the client: it holds connections and keys. Of a body without an envelope the data
        # is the body itself, and must be the same object again.
        bare = self._data is self._raw
        return _restore, (
            self.plain(),
            self._raw,
            None if bare else self._data,
            bare,
            (self.event, self.instance, self.source, self.received_at),
        )

    def _shown(self) -> dict[str, object]:
        """Return the values that ``repr`` may show; nothing that people wrote."""
        return {}

    def __repr__(self) -> str:
        told = {"instance": self.instance, **self._shown()}
        shown = ", ".join(
            f"{name}={value if name == 'instance' else masked(value)!r}"
            for name, value in told.items()
            if value is not None
        )
        return f"{type(self).__name__}({shown})"


def _setter(name: str) -> Callable[[Event, object], None]:
    # What ``object.__setattr__`` looks up each time; every event that arrives sets them all.
    setter: Callable[[Event, object], None] = Event.__dict__[name].__set__
    return setter


_set_raw = _setter("_raw")
_set_data = _setter("_data")
_set_memo = _setter("_memo")
_set_known_by = _setter("_known_by")
_set_event = _setter("event")
_set_instance = _setter("instance")
_set_source = _setter("source")
_set_received_at = _setter("received_at")


def pairs_of(event: Event) -> tuple[tuple[Jid, Jid], ...]:
    """Return the hidden ids and phones that an event tells to belong together.

    Found once: receivers, clients and routers all learn from an event, at each attempt.

    Args:
        event: The event.
    """
    return once(event, "pairs", lambda event: tuple(pairs_in(event.raw)))


def recognise(event: Event, *known_by: Identities) -> None:
    """Let an event ask who is who: its router and its client know more than its envelope.

    Args:
        event: The event; nothing that it says of itself changes.
        known_by: Whom it may ask, besides those that it knows.
    """
    for one in known_by:
        known = event._known_by  # pyright: ignore[reportPrivateUsage]
        if one not in known:
            _set_known_by(event, (*known, one) if known else (one,))


def known_by(event: Event) -> tuple[Identities, ...]:
    """Return whom an event may ask who is who.

    Args:
        event: The event.
    """
    return event._known_by  # pyright: ignore[reportPrivateUsage]


def once(event: E, name: str, make: Callable[[E], T]) -> T:
    """Return what is made of an event the first time that it is asked for.

    Args:
        event: The event.
        name: Name of the value.
        make: Makes the value.
    """
    memo: dict[str, Any] | None = event._memo  # pyright: ignore[reportPrivateUsage]
    if memo is not None and name in memo:
        known: T = memo[name]
        return known
    return event._once(name, lambda: make(event))  # pyright: ignore[reportPrivateUsage]


def _restore(
    kind: type[Event], raw: object, data: object, bare: bool, envelope: _Envelope
) -> Event:
    event, instance, source, received_at = envelope
    return kind(
        raw,
        raw if bare else data,
        event=event,
        instance=instance,
        source=source,
        received_at=received_at,
    )
