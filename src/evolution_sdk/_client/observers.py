"""Facts that a client reports to its observers: one per attempt, one per finished call."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from threading import Lock
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

from evolution_sdk._base.effect import Effect
from evolution_sdk._base.forking import free_in_child
from evolution_sdk._base.handler_log import tell_handler_failure
from evolution_sdk._base.harmless import harmless, quiet_logger
from evolution_sdk._base.quiet_log import QuietLog
from evolution_sdk.operations.operation import Operation

__all__ = ["AttemptFinished", "CallFinished", "Fact", "Observer", "Observers", "Watch"]

_log = quiet_logger("evolution_sdk")


@dataclass(frozen=True, slots=True)
class AttemptFinished:
    """One request was answered, or failed.

    Attributes:
        operation: Key of the operation, such as ``message.send_text``.
        effect: What the operation does.
        instance: The instance it was for; None for calls about the server.
        started_at: When it began, in unix seconds.
        response_ms: Time until its answer or failure, in milliseconds; no waits.
        error: What it raised, or None; not in the repr, as it may quote the server.
        slow: True if the server needs long for such a call on purpose or by design.
    """

    operation: str
    effect: Effect
    instance: str | None
    started_at: float
    response_ms: float
    error: BaseException | None = field(repr=False)
    slow: bool = False


@dataclass(frozen=True, slots=True)
class CallFinished:
    """One call is over, retries and waits included.

    Attributes:
        operation: Key of the operation, such as ``message.send_text``.
        effect: What the operation does.
        instance: The instance it was for; None for calls about the server.
        started_at: When it began, in unix seconds.
        elapsed_ms: Time from its beginning to its end, waits included, in milliseconds.
        attempts: Requests that were made for it.
        error: What it raised, or None; not in the repr, as it may quote the server.
        result: What it returned; not in the repr, as it may hold a message.
    """

    operation: str
    effect: Effect
    instance: str | None
    started_at: float
    elapsed_ms: float
    attempts: int
    error: BaseException | None = field(repr=False)
    result: Any = field(repr=False)


Fact: TypeAlias = AttemptFinished | CallFinished
Observer: TypeAlias = Callable[[Fact], object]


class _Told(Protocol):
    """The part of every fact that the log names."""

    @property
    def operation(self) -> str: ...
    @property
    def instance(self) -> str | None: ...


F = TypeVar("F", bound=_Told)


class Observers(Generic[F]):
    """Some observers of one kind of fact. One that raises is logged; all else goes on.

    Attributes:
        listening: True while there is anybody; calls look at it before they gather facts.
    """

    def __init__(self) -> None:
        self._lock = free_in_child(Lock())
        self._trouble = QuietLog(_log)
        self._all: tuple[Callable[[F], object], ...] = ()
        self.listening: bool = False

    def add(self, observer: Callable[[F], object]) -> Callable[[], None]:
        """Tell it from now on.

        Args:
            observer: Is called in the thread or task of the call, before the call returns.

        Returns:
            A function that ends it; calling it again is no error.
        """

        def remove() -> None:
            with self._lock:
                self._all = tuple(known for known in self._all if known is not entry)
                self.listening = bool(self._all)

        def entry(fact: F) -> None:  # an identity of its own: one function may be added twice
            observer(fact)

        with self._lock:
            self._all = (*self._all, entry)
            self.listening = True
        return remove

    def tell(self, fact: F) -> None:
        """Hand a fact to everyone; lets nothing out but ``KeyboardInterrupt``."""
        for observer in self._all:
            harmless(observer, fact, failed=partial(self._failed, fact))

    def _failed(self, fact: F, error: BaseException) -> None:
        tell_handler_failure(
            self._trouble, "an observer", error, operation=fact.operation, instance=fact.instance
        )


class Watch:
    """Times one call and its attempts for the observers.

    Args:
        observers: Who is told.
        operation: What is called.
        instance: For which instance, or None.
        started_at: Now, in unix seconds.
        monotonic: Seconds that never go back.
    """

    __slots__ = (
        "_attempt",
        "_attempts",
        "_begun",
        "_instance",
        "_monotonic",
        "_observers",
        "_operation",
        "_started_at",
    )

    def __init__(
        self,
        observers: Observers[Fact],
        operation: Operation[Any],
        instance: str | None,
        started_at: float,
        monotonic: Callable[[], float],
    ) -> None:
        self._observers = observers
        self._operation = operation
        self._instance = instance
        self._started_at = started_at
        self._monotonic = monotonic
        self._attempts = 0
        self._begun = self._attempt = monotonic()

    def attempt_begins(self) -> None:
        """Note that a request goes out now."""
        self._attempts += 1
        self._attempt = self._monotonic()

    def attempt_ends(self, error: BaseException | None) -> None:
        """Tell that it was answered, or what it raised."""
        now = self._monotonic()
        fact = AttemptFinished(
            self._operation.name,
            self._operation.effect,
            self._instance,
            self._started_at + (self._attempt - self._begun),
            (now - self._attempt) * 1_000,
            error,
            self._operation.slow,
        )
        self._observers.tell(fact)

    def finished(self, error: BaseException | None, result: object) -> None:
        """Tell that the call is over."""
        fact = CallFinished(
            self._operation.name,
            self._operation.effect,
            self._instance,
            self._started_at,
            (self._monotonic() - self._begun) * 1_000,
            self._attempts,
            error,
            result,
        )
        self._observers.tell(fact)
