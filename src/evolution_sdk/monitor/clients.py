"""Clients of a monitor: the one it asks, and those whose calls and events it observes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Lock
from typing import Any, Final, Literal, Protocol, TypeVar, cast

from evolution_sdk._base.context import BYPASS_GUARDS, QUIET_RETRY_LOG
from evolution_sdk._base.effects import drive_async, drive_sync
from evolution_sdk._base.forking import free_in_child, in_child
from evolution_sdk._client.observers import Observer
from evolution_sdk.config import EvolutionConfig
from evolution_sdk.resilience import BreakerSnapshot
from evolution_sdk.retry import RetryMetrics

from .probe import (
    BlockingWork,
    ProbeAnswer,
    ProbeQuestion,
    ProbeReport,
    ProbeRequest,
    ProbeResult,
)
from .runner import ask_all_async, run_in_daemon_thread
from .together import ask_all_sync

__all__ = [
    "PROBING",
    "ClientProvider",
    "MonitoredClient",
    "ObservedClients",
    "breaker_states",
    "call",
    "in_flight",
    "probe_async",
    "probe_sync",
    "read_breakers",
    "retry_metrics",
]

T = TypeVar("T")

PROBING: Final[ContextVar[bool]] = ContextVar("evolution_monitor_probing", default=False)
"""Set while the monitor asks, so that its own calls do not count as the user's."""


class _ServerQuestions(Protocol):
    """The questions about a server; each gives a result, or an awaitable of it."""

    def info(self, *, retry: Literal[False], timeout_ms: float) -> object:
        """Ask for the server's version."""
        ...

    def metrics(self, *, retry: Literal[False], timeout_ms: float) -> object:
        """Ask for the server's own metrics."""
        ...

    def verify_creds(self, *, retry: Literal[False], timeout_ms: float) -> object:
        """Ask if the key is the server's global one."""
        ...


class _LicenseQuestions(Protocol):
    """The question about a licence; a result, or an awaitable of it."""

    def status(self, *, retry: Literal[False], timeout_ms: float) -> object:
        """Ask for its state."""
        ...


class _InstanceQuestions(Protocol):
    """The questions about instances; each gives a result, or an awaitable of it."""

    def fetch(self, *, retry: Literal[False], timeout_ms: float) -> object:
        """List the instances."""
        ...

    def connection_state(self, name: str, /, *, retry: Literal[False], timeout_ms: float) -> object:
        """Ask for the state of an instance."""
        ...

    def set_presence(
        self,
        presence: Literal["unavailable"],
        name: str,
        /,
        *,
        retry: Literal[False],
        timeout_ms: float,
    ) -> object:
        """Set the presence, which writes to the socket of an instance."""
        ...

    def restart(self, name: str, /, *, retry: Literal[False], timeout_ms: float) -> object:
        """Restart an instance."""
        ...

    def connect(self, name: str, /, *, retry: Literal[False], timeout_ms: float) -> object:
        """Connect an instance."""
        ...


class MonitoredClient(Protocol):
    """A client that a monitor can watch: both clients of this package are one.

    It is async when its ``close`` is a coroutine function. Questions go to its families ``server``
    and ``instances``, and to ``license`` where it has one; the metrics of its ``retry`` service and
    its ``server_version`` are read.
    """

    # The families are no members here: pyright takes no cached_property for a property.

    @property
    def config(self) -> EvolutionConfig:
        """The settings of the client."""
        ...

    def observe(self, observer: Observer, /) -> Callable[[], None]:
        """Tell an observer of every call; returns a function that ends it."""
        ...

    def observe_events(self, listener: Callable[[Any], object], /) -> Callable[[], None]:
        """Tell a listener of every event fed to the client; returns a function that ends it."""
        ...

    def breakers(self) -> Mapping[str, BreakerSnapshot]:
        """Return the state of the circuit breakers, by scope."""
        ...

    def try_breaker(self, instance: str | None = None, /) -> bool:
        """Let an open circuit breaker try at once."""
        ...

    def close(self) -> object:
        """Close the client; a coroutine function where it is async."""
        ...


class ClientProvider:
    """Gives the client that a monitor asks: the one it was given, or one of its own.

    Its own is made with the first question, and anew after it was closed.

    Args:
        given: The client of the user, which is never closed here; None for one of its own.
        config: Settings of its own client.
    """

    def __init__(self, given: MonitoredClient | None, config: EvolutionConfig) -> None:
        self._given = given
        self._config = config
        self._own: MonitoredClient | None = None
        self._lock = free_in_child(Lock())
        self.is_async: bool = inspect.iscoroutinefunction(getattr(given, "close", None))

    @property
    def current(self) -> MonitoredClient | None:
        """The client there is; None before its own was made and after it was closed."""
        return self._own if self._given is None else self._given

    @property
    def given(self) -> MonitoredClient | None:
        """The client of the user, if there is one."""
        return self._given

    def get(self) -> MonitoredClient:
        """Return the client, making its own where there is none."""
        if self._given is not None:
            return self._given
        # A check in the thread and one that was asked for may come at once.
        with self._lock:
            if self._own is None:
                # Loaded here, so that a monitor of a given client does not load the other colour.
                from evolution_sdk import EvolutionClient

                self._own = EvolutionClient(config=self._config)
            return self._own

    def close_own(self) -> None:
        """Close its own client; the user's stays open."""
        with self._lock:
            own, self._own = self._own, None
        if own is not None:
            own.close()

    def instance(self, name: str) -> Any:
        """Return a handle of an instance of the present client, for the WhatsApp sink."""
        client: Any = self.get()
        return client.instance(name)


def call(client: MonitoredClient, request: ProbeRequest, timeout_ms: float) -> Any:
    """Put one question to a client.

    Args:
        client: A sync or async client.
        request: The question.
        timeout_ms: Longest wait for the answer, in milliseconds.

    Returns:
        The answer of a sync client; what has to be awaited for that of an async one.
    """
    families: Any = client
    server: _ServerQuestions = families.server
    instances: _InstanceQuestions = families.instances
    name = request.instance or ""
    # A probe that is repeated would hide the failure it is there to find.
    match request.kind:
        case "info":
            return server.info(retry=False, timeout_ms=timeout_ms)
        case "metrics":
            return server.metrics(retry=False, timeout_ms=timeout_ms)
        case "credentials":
            return server.verify_creds(retry=False, timeout_ms=timeout_ms)
        case "license":
            licence: _LicenseQuestions = families.license
            return licence.status(retry=False, timeout_ms=timeout_ms)
        case "names":
            # Asked of the class: clients of the user's own need no such method, and doubles that
            # answer to every name have none.
            lean: Any = getattr(type(instances), "_list", None)
            if lean is not None:
                return lean(instances, retry=False, timeout_ms=timeout_ms)
            return instances.fetch(retry=False, timeout_ms=timeout_ms)
        case "state":
            return instances.connection_state(name, retry=False, timeout_ms=timeout_ms)
        case "presence":
            # "available" would stop the notifications of the phone: the presence is that of the
            # whole account (`facts/semantics.md` §9).
            return instances.set_presence("unavailable", name, retry=False, timeout_ms=timeout_ms)
        case "restart":
            return instances.restart(name, retry=False, timeout_ms=timeout_ms)
        case "connect":
            return instances.connect(name, retry=False, timeout_ms=timeout_ms)


@contextmanager
def _probing() -> Generator[None]:
    """Mark the calls inside as the monitor's own, and let them past breaker and limiter."""
    probing, past = PROBING.set(True), BYPASS_GUARDS.set(True)
    try:
        yield
    finally:
        PROBING.reset(probing)
        BYPASS_GUARDS.reset(past)


@contextmanager
def _logged_as(request: ProbeRequest) -> Generator[None]:
    """Keep probes out of the retry service's log; what changes something is logged as usual."""
    quiet = QUIET_RETRY_LOG.set(request.kind not in ("restart", "connect"))
    try:
        yield
    finally:
        QUIET_RETRY_LOG.reset(quiet)


def probe_sync(
    steps: Generator[ProbeQuestion, ProbeAnswer, T],
    client: MonitoredClient,
    timeout_ms: float,
    clock: Callable[[], float],
) -> T:
    """Put the questions of a generator to a blocking client.

    Args:
        steps: Yields the questions.
        client: The client.
        timeout_ms: Longest wait for each answer, in milliseconds.
        clock: Seconds that never go back.

    Returns:
        The generator's result.
    """

    def ask(request: ProbeRequest) -> ProbeResult:
        begun = clock()
        try:
            with _logged_as(request):
                value = call(client, request, timeout_ms)
        except Exception as error:  # noqa: BLE001 - a failure is a finding of the probe
            return ProbeResult((clock() - begun) * 1_000, error=error)
        return ProbeResult((clock() - begun) * 1_000, value)

    def perform(question: ProbeQuestion) -> ProbeAnswer:
        if isinstance(question, BlockingWork):
            question.run()
            return None
        return ask_all_sync(question, ask) if isinstance(question, tuple) else ask(question)

    # The whole check is marked, so that nothing it causes counts as a call of the program.
    with _probing():
        return drive_sync(steps, perform)


async def probe_async(
    steps: Generator[ProbeQuestion, ProbeAnswer, T],
    client: MonitoredClient,
    timeout_ms: float,
    clock: Callable[[], float],
) -> T:
    """Put the questions of a generator to an async client; see :func:`probe_sync`."""

    async def ask(request: ProbeRequest) -> ProbeResult:
        begun = clock()
        try:
            with _logged_as(request):
                value = await call(client, request, timeout_ms)
        except Exception as error:  # noqa: BLE001 - a failure is a finding of the probe
            return ProbeResult((clock() - begun) * 1_000, error=error)
        return ProbeResult((clock() - begun) * 1_000, value)

    async def perform(question: ProbeQuestion) -> ProbeAnswer:
        if isinstance(question, BlockingWork):
            await run_in_daemon_thread(question.run)
            return None
        if isinstance(question, tuple):
            return await ask_all_async(question, ask)
        return await ask(question)

    with _probing():
        return await drive_async(steps, perform)


class _Observed:
    """One observed client, and the functions that end the observation."""

    def __init__(self, client: Any, on_fact: Observer, on_event: Callable[[object], None]) -> None:
        self.client = client
        self._on_event = on_event
        # Calls and events end separately: the event bus forgets listeners at a fork.
        self._end_calls: Callable[[], None] = client.observe(on_fact)
        self._end_events = self._listen()

    def _listen(self) -> Callable[[], object]:
        listen: Any = getattr(self.client, "observe_events", None)
        if not callable(listen):
            return lambda: None
        return cast("Callable[[], object]", listen(self._on_event))

    def listen_anew(self) -> None:
        self._end_events = self._listen()

    def end(self) -> None:
        self._end_calls()
        self._end_events()


class ObservedClients:
    """The clients whose calls and events count for health.

    Args:
        on_fact: Told of their calls.
        on_event: Told of the events that are fed to them.
    """

    def __init__(self, on_fact: Observer, on_event: Callable[[object], None]) -> None:
        self._on_fact = on_fact
        self._on_event = on_event
        self._observed: tuple[_Observed, ...] = ()
        in_child(self._listen_anew)

    def _listen_anew(self) -> None:
        # The event bus of a client forgets its listeners in a forked process, its observers stay.
        for each in self._observed:
            each.listen_anew()

    def add(self, client: Any) -> Callable[[], None]:
        """Observe one more client.

        Args:
            client: A sync or async client.

        Returns:
            A function that ends it.
        """
        entry = _Observed(client, self._on_fact, self._on_event)
        self._observed = (*self._observed, entry)

        def stop() -> None:
            entry.end()
            self._observed = tuple(each for each in self._observed if each is not entry)

        return stop

    def close(self) -> None:
        """Observe no client any more."""
        observed, self._observed = self._observed, ()
        for each in observed:
            each.end()

    def try_breakers(self, report: ProbeReport) -> None:
        """Let open breakers try at once where a probe was answered well.

        Only the server's own good answer counts for the server, and an instance that is open for
        its own. A breaker that fails all the same takes no second hint before its time is up.

        Args:
            report: The result of a check's probes.
        """
        # A proxy's answer, or an error, proves nothing about the next call.
        server = report.server
        if not server.well or server.activate_at is not None:
            return
        usable = [
            each.name for each in report.instances if each.state == "open" and each.dead is not True
        ]
        for observed in self._observed:
            attempt = getattr(observed.client, "try_breaker", None)
            if not callable(attempt):
                continue
            attempt()
            # Of thousands of instances, few have a breaker, and fewer an open one.
            states = (
                breaker_states(observed.client) if hasattr(observed.client, "breakers") else None
            )
            for name in usable:
                if states is None or states.get(f"instance:{name}", "closed") != "closed":
                    attempt(name)


def breaker_states(client: Any) -> Mapping[str, str]:
    """Read the state of a client's circuit breakers, by scope; empty when it has none."""
    return read_breakers(client)[0]


def read_breakers(client: Any) -> tuple[Mapping[str, str], Mapping[str, str]]:
    """Read the state of a client's circuit breakers, and the reason why each opened, in words.

    Args:
        client: The client.

    Returns:
        Both by scope; empty when it has none.
    """
    states: dict[str, str] = {}
    causes: dict[str, str] = {}
    for scope, each in _breakers(client).items():
        # States are enum members, and plain text in a client of the user's own making.
        state, cause = getattr(each, "state", None), getattr(each, "reason", "")
        states[str(scope)] = str(getattr(state, "value", state))
        if isinstance(cause, str) and cause:
            causes[str(scope)] = cause
    return states, causes


def _breakers(client: Any) -> Mapping[Any, Any]:
    read: Any = getattr(client, "breakers", None)
    return cast("Mapping[Any, Any]", read()) if callable(read) else {}


def in_flight(client: Any) -> int | None:
    """Count a client's calls under way; None when it does not tell."""
    retry: Any = getattr(client, "retry", None)
    return int(retry.get_active_requests()) if hasattr(retry, "get_active_requests") else None


def retry_metrics(client: Any) -> RetryMetrics | None:
    """Read the metrics of a client's retry service; None when it has none."""
    read: Any = getattr(getattr(client, "retry", None), "get_metrics", None)
    return cast("RetryMetrics", read()) if callable(read) else None
