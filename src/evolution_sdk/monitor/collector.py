"""Collects what happens between two checks: finished calls, and events of the server."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from threading import Lock
from typing import Any, Final, Protocol, cast

from evolution_sdk._base.bounded_dict import BoundedDict
from evolution_sdk._base.effect import Effect
from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk._client.observers import AttemptFinished, CallFinished, Fact
from evolution_sdk.config._monitoring import Thresholds
from evolution_sdk.errors import (
    EvolutionAPIError,
    InstanceNotConnectedError,
    LicenseRequiredError,
    RateLimitError,
    SendOutcomeUnknownError,
    ServerError,
    TransportError,
    UnexpectedResponseError,
)
from evolution_sdk.identity.lids import LidMap
from evolution_sdk.models.refusals import Refusal, refusal_of

from .ack_tracker import AckTracker
from .clients import PROBING
from .event_gap import EventGaps
from .probe import is_answer
from .refusals import RefusalCounter
from .watched import MOST_OTHERS, PerInstance
from .window import CallWindow

__all__ = ["Collector", "Tap", "is_failure"]

_FAILURES: Final = (
    TransportError,
    ServerError,
    LicenseRequiredError,
    UnexpectedResponseError,
    SendOutcomeUnknownError,
    InstanceNotConnectedError,
    RateLimitError,
)
_TIMED: Final = frozenset({Effect.READ, Effect.IDEMPOTENT})
_NOT_CONNECTED_S: Final = 300.0
_MOST_LIDS: Final = 100_000
_MOST_KEYS: Final = 5_000
_KEYS_PER_INSTANCE: Final = 10
# Until the instances are listed, each may turn out to be watched.
_MOST_UNLISTED: Final = 50_000


def is_failure(error: BaseException) -> bool:
    """Tell if an error speaks against the server or the way to it.

    Mistakes of the caller do not, nor errors about one message, file, group or number.
    """
    about_one = isinstance(error, EvolutionAPIError) and error.concerns == "call"
    return isinstance(error, _FAILURES) and not about_one


class Tap(Protocol):
    """Listens to what a collector takes in, in the thread that brings it; must be quick."""

    def call(self, fact: CallFinished) -> object:
        """Take a finished call of the program."""
        ...

    def event(self, name: str, instance: str, data: Any) -> object:
        """Take an event that was not heard before."""
        ...

    def status(self, instance: str, key_id: str, status: str, refusal: Refusal | None) -> object:
        """Take the status of a message, and why WhatsApp refused it."""
        ...


class Collector:
    """Takes facts of clients and events of the server; safe to use from any thread.

    Args:
        limits: Thresholds.
        window_ms: Length of the window, in milliseconds.
        clock: Seconds that never go back.
        wall_clock: Unix seconds.
        log: Told once when instances are forgotten for want of room.

    Attributes:
        calls: Requests and messages.
        acks: Acknowledgements of sends.
        gaps: Silences of instances.
        refusals: Messages that WhatsApp refused.
    """

    def __init__(
        self,
        limits: Thresholds,
        window_ms: float,
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
        log: QuietLog | None = None,
    ) -> None:
        self._log = log
        self._taps: tuple[Tap, ...] = ()
        self._window = window_ms
        self._clock = clock
        self._wall = wall_clock
        self._limits = limits
        self._lock = free_in_child(Lock())
        self._begin()
        in_child(self._begin)

    def _begin(self) -> None:
        self.calls: CallWindow = CallWindow(self._window)
        self._lids = LidMap(_MOST_LIDS)
        self.acks: AckTracker = AckTracker(self._limits, self._lids)
        self.gaps: EventGaps = EventGaps(self._limits)
        self.refusals: RefusalCounter = RefusalCounter(self._limits.ack_window_ms)
        self._not_connected: PerInstance[deque[float]] = PerInstance()
        self._suspected: PerInstance[float] = PerInstance()
        self._watched: tuple[frozenset[str], bool] = (frozenset(), True)
        self._told_dropped = False
        self._recent_keys: BoundedDict[str, None] = BoundedDict(_MOST_KEYS)
        self._answered_at = self._unanswered_at = float("-inf")

    @property
    def dropped(self) -> int:
        """Instances forgotten for want of room; a watched one never is."""
        return self.acks.dropped

    def tap(self, tap: Tap) -> Callable[[], None]:
        """Let somebody listen until the returned function is called.

        Args:
            tap: The listener.
        """
        self._taps = (*self._taps, tap)

        def end() -> None:
            self._taps = tuple(each for each in self._taps if each is not tap)

        return end

    def watch(self, names: Iterable[str], *, listed: bool = True) -> None:
        """Say which instances are watched: the bounds of memory follow.

        Args:
            names: Their names.
            listed: False while all of the server are watched and these are not known yet.
        """
        watched = frozenset(names)
        most_others = MOST_OTHERS if listed else _MOST_UNLISTED
        if (watched, listed) == self._watched:
            return
        self._watched = (watched, listed)
        for part in (self.acks, self.gaps):
            part.watch(watched, most_others)
        self.refusals.watch(watched)
        with self._lock:
            for memory in (self._not_connected, self._suspected):
                memory.watch(watched, most_others)
            self._recent_keys.max_entries = max(_MOST_KEYS, _KEYS_PER_INSTANCE * len(watched))

    def suspected(self) -> Mapping[str, float]:
        """Return when something last happened to an instance that may change its state.

        Returns:
            By name: a call that failed, or an event about its connection, in seconds that never go
            back.
        """
        with self._lock:
            return dict(self._suspected.items())

    def settle(self, names: Iterable[str], before: float) -> None:
        """Forget the suspicions about instances that were asked since.

        Args:
            names: Their names.
            before: Time before which they arose, in seconds that never go back.
        """
        with self._lock:
            for name in names:
                at = self._suspected.get(name)
                if at is not None and at < before:
                    self._suspected.pop(name)

    def _suspect(self, instance: str) -> None:
        with self._lock:
            self._suspected.put(instance, self._clock())

    def _tell_dropped(self) -> None:
        # Once: a program may well have thousands of instances that this monitor does not watch.
        if self._log is None or self._told_dropped or not self.dropped:
            return
        self._told_dropped = True
        self._log.trouble(
            "dropped",
            "events come from more than %d instances that are not watched: those heard longest "
            "ago are forgotten",
            MOST_OTHERS,
        )

    def fact(self, fact: Fact) -> None:
        """Take in a fact of a client; the monitor's own calls do not count."""
        # Probes are counted by the tracker, once per check.
        if PROBING.get():
            return
        if isinstance(fact, AttemptFinished):
            self._attempt(fact)
        else:
            self._call(fact)
            for tap in self._taps:
                tap.call(fact)

    def event(self, event: object) -> None:
        """Take in an event of the server, typed or as it came; anything else is left out."""
        name, instance, data = _parts(event)
        if not name or not instance or self._is_repeated(event):
            return
        now = self._clock()
        # Any event proves that events come: it ends a silence, and makes sends judgeable.
        self.acks.event(instance, now)
        self.gaps.event(instance, self._wall())
        self._tell_dropped()
        for tap in self._taps:
            tap.event(name, instance, data)
        if name == "connection.update":
            self._suspect(instance)
        # A send to a phone may be acknowledged under the hidden id of the same chat.
        raw = getattr(event, "raw", event)
        # With its envelope, which names the account; a typed event may keep none.
        self._lids.learn(raw if isinstance(raw, Mapping) and "data" in raw else data)
        for row in _rows(data):
            if not isinstance(row, Mapping):
                continue
            fields = cast("Mapping[str, Any]", row)
            if name == "messages.update":
                self._status(instance, fields, now)
            elif name == "messages.upsert" and not _from_me(fields):
                self.calls.message(now, sent=False)

    def _is_repeated(self, event: object) -> bool:
        """Tell if an event came before: by another transport, or in another attempt."""
        key = getattr(event, "delivery_key", None)
        if not isinstance(key, str):
            return False
        with self._lock:
            repeated = key in self._recent_keys
            self._recent_keys[key] = None
        return repeated

    def _status(self, instance: str, fields: Mapping[str, Any], now: float) -> None:
        key_id, status = fields.get("keyId"), fields.get("status")
        if not isinstance(key_id, str) or not isinstance(status, str):
            return
        # Edits and votes come as updates, too; their status says nothing about the message's way.
        if isinstance(fields.get("message"), Mapping) or fields.get("pollUpdates"):
            return
        chat, from_me = fields.get("remoteJid"), fields.get("fromMe")
        refusal = refusal_of(status, fields)
        # Others' messages are not refused to us; Business calls own ones not own.
        own = from_me is not False or key_id.startswith("wamid.")
        if refusal is not None and own:
            self.refusals.refused(instance, key_id, refusal, now)
        for tap in self._taps:
            tap.status(instance, key_id, status.upper(), refusal if own else None)
        self.acks.status(
            instance,
            key_id,
            status.upper(),
            now,
            chat=chat if isinstance(chat, str) else "",
            from_me=from_me if isinstance(from_me, bool) else None,
        )

    def not_connected_calls(self, instance: str, now: float) -> int:
        """Count the calls in a row that ended in "Connection Closed", of the last five minutes."""
        # The usual case, without the lock.
        if instance not in self._not_connected:
            return 0
        with self._lock:
            found = self._not_connected.get(instance) or ()
            return sum(at > now - _NOT_CONNECTED_S for at in found)

    def connection_proven(self, instance: str) -> None:
        """Forget failed calls: the socket was seen to work, or to be opened anew."""
        if instance in self._not_connected:
            with self._lock:
                self._not_connected.pop(instance)

    def answered_since(self, since: float) -> bool:
        """Tell if the server answered a call of the program, and none went unanswered after it.

        Args:
            since: Start of the time to look at, in seconds that never go back.
        """
        # Written without a lock: each is one assignment, and a stale one costs one check.
        answered, unanswered = self._answered_at, self._unanswered_at
        return answered >= since and answered > unanswered

    def _attempt(self, fact: AttemptFinished) -> None:
        error = fact.error
        # A call that was cancelled says nothing about the server.
        if error is not None and not isinstance(error, Exception):
            return
        if is_answer(error):
            self._answered_at = self._clock()
        elif isinstance(error, TransportError):
            self._unanswered_at = self._clock()
        failed = error is not None and is_failure(error)
        if failed and fact.instance is not None:
            self._suspect(fact.instance)
        self.calls.request(
            self._clock(),
            fact.response_ms,
            failed=failed,
            # The server holds sends for their delay, and needs long for slow operations by design.
            timed=fact.effect in _TIMED and not fact.slow,
            send=fact.effect is Effect.SEND,
        )
        if fact.instance is not None and isinstance(error, InstanceNotConnectedError):
            self._not_connected_call(fact.instance)

    def _not_connected_call(self, instance: str) -> None:
        with self._lock:
            calls = self._not_connected.get(instance)
            if calls is None:
                calls = deque[float](maxlen=self._limits.not_connected_calls)
            calls.append(self._clock())
            self._not_connected.put(instance, calls)

    def _call(self, fact: CallFinished) -> None:
        if fact.error is not None or fact.effect is not Effect.SEND:
            return
        # Other operations have the effect of a send, such as an offered call, and are no message.
        if not fact.operation.startswith("message."):
            return
        now = self._clock()
        self.calls.message(now, sent=True)
        if fact.instance is None:
            return
        # A message that was accepted went through the socket.
        self.connection_proven(fact.instance)
        key_id = getattr(fact.result, "id", None)
        if isinstance(key_id, str) and key_id:
            key = getattr(fact.result, "key", None)
            chat = (getattr(key, "remote_jid", None), getattr(key, "remote_jid_alt", None))
            self.acks.sent(fact.instance, key_id, now, chat)


def _parts(event: object) -> tuple[str, str, Any]:
    """Split an envelope or a typed event into name, instance and data, as the server wrote them."""
    envelope: Any = event
    if isinstance(event, Mapping):
        raw: Mapping[str, Any] = cast("Mapping[str, Any]", event)
    else:
        found = getattr(event, "raw", None)
        raw = cast("Mapping[str, Any]", found) if isinstance(found, Mapping) else {}
    name = getattr(envelope, "event", None) or raw.get("event")
    instance = getattr(envelope, "instance", None) or raw.get("instance")
    text = name if isinstance(name, str) else ""
    owner = instance if isinstance(instance, str) else ""
    data = raw["data"] if "data" in raw else _typed_data(envelope)
    # Global socket and RabbitMQ name events in capitals with underscores.
    return text.lower().replace("_", ".", 1), owner, data


def _typed_data(event: Any) -> dict[str, Any]:
    """Rebuild the data of a typed event that keeps no envelope."""
    status, chat = getattr(event, "status", None), getattr(event, "chat", None)
    return {
        "remoteJid": "" if chat is None else str(chat),
        "keyId": getattr(event, "id", None),
        "status": None if status is None else str(getattr(status, "value", status)),
        "key": {"fromMe": getattr(event, "from_me", False)},
    }


def _rows(data: Any) -> list[Any]:
    return list(cast("Iterable[Any]", data)) if isinstance(data, list) else [data]


def _from_me(data: Mapping[str, Any]) -> bool:
    key = data.get("key")
    return isinstance(key, Mapping) and bool(cast("Mapping[str, Any]", key).get("fromMe"))
