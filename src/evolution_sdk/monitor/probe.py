"""Questions of one check, and the reading of their answers: a generator without I/O."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, cast

from evolution_sdk._base.redact import headline
from evolution_sdk.errors import (
    AuthenticationError,
    ChannelNotSupportedError,
    EvolutionAPIError,
    InstanceNotConnectedError,
    InstanceNotFoundError,
    LicenseRequiredError,
    UnexpectedResponseError,
    UnsupportedByServerError,
)
from evolution_sdk.models.lazy_list import LazyList

__all__ = [
    "MOST_AT_ONCE",
    "BlockingWork",
    "InstanceReading",
    "ProbeAnswer",
    "ProbeQuestion",
    "ProbeReport",
    "ProbeRequest",
    "ProbeResult",
    "ProbeSteps",
    "ServerReading",
    "ask_one",
    "is_answer",
    "probe",
]

ProbeKind: TypeAlias = Literal[
    "info",
    "license",
    "metrics",
    "credentials",
    "names",
    "state",
    "presence",
    "restart",
    "connect",
]


@dataclass(frozen=True, slots=True)
class ProbeRequest:
    """One question to the server.

    Attributes:
        kind: The question.
        instance: The instance it is about; None for the server.
    """

    kind: ProbeKind
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """The answer to one question.

    Attributes:
        elapsed_ms: Time until it came, in milliseconds.
        value: The result that the client returned.
        error: The error that it raised instead.
    """

    elapsed_ms: float
    value: Any = field(default=None, repr=False)
    error: Exception | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class BlockingWork:
    """A piece of a check that would hold up an event loop; it waits for nothing without bound.

    Attributes:
        run: Does it.
    """

    run: Callable[[], None]


ProbeQuestion: TypeAlias = ProbeRequest | tuple[ProbeRequest, ...] | BlockingWork
"""One question, or several to be asked at once; or work to be done beside the event loop."""
ProbeAnswer: TypeAlias = ProbeResult | tuple[ProbeResult, ...] | None
"""Its answer, or the answers in the same order."""
ProbeSteps: TypeAlias = Generator[ProbeQuestion, ProbeAnswer, "ProbeReport"]

MOST_AT_ONCE: Final = 16
"""Most questions at a time. So many instances are each asked for; more are listed."""


@dataclass(frozen=True, slots=True)
class ServerReading:
    """State of the server.

    Attributes:
        reachable: Whether the Evolution API answered.
        latency_ms: Time until it answered the first question, in milliseconds.
        failure: Class of the error that came instead of an answer.
        activate_at: Page on which to activate it, when it is not activated and refuses
            everything.
        well: Whether it gave a result, and no error.
        by_proxy: Whether a proxy answered in its place.
        by_calls: Whether only calls of the program were answered, and no question of the monitor.
    """

    reachable: bool
    latency_ms: float | None = None
    failure: str | None = None
    activate_at: str | None = None
    by_proxy: bool = False
    by_calls: bool = False
    well: bool = False


@dataclass(frozen=True, slots=True)
class InstanceReading:
    """State of an instance, as the server tells it.

    Attributes:
        name: Its name.
        state: ``open``, ``connecting``, ``close``, or None when it was not told.
        problem: Reason why the server did not tell it, or None.
        dead: Whether the deep probe found its socket dead; None when it was not made.
        latency_ms: Time until it told, in milliseconds.
        listed: Whether the state is that of the list, and it was not asked for itself.
    """

    name: str
    state: str | None = None
    problem: Literal["missing", "unauthorized", "unanswered"] | None = None
    dead: bool | None = None
    latency_ms: float | None = None
    listed: bool = False


_NONE_KNOWN: Final[Mapping[str, InstanceReading]] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """All answers of one check.

    Attributes:
        server: The server.
        instances: The watched instances; empty when the server did not answer.
        names: The names of all instances, when they were asked for.
        unlisted: Class of the error that came instead of the names.
        states: State of each instance by the list; None when it was not asked for or refused.
        list_ms: Time that the list took, in milliseconds; None when it was not asked for.
        no_deep_probe: Instances whose channel has no deep probe.
    """

    server: ServerReading
    instances: tuple[InstanceReading, ...] = ()
    names: tuple[str, ...] | None = None
    no_deep_probe: tuple[str, ...] = ()
    unlisted: str | None = None
    states: Mapping[str, str] | None = None
    list_ms: float | None = None

    @property
    def times_ms(self) -> list[float]:
        """Response times of the probes that tell how fast the server is, in milliseconds."""
        told = [each.latency_ms for each in self.instances if each.latency_ms is not None]
        first = self.server.latency_ms
        # The first answer may have been a list, which takes the longer the more there are.
        return told if told or first is None else [first]


def probe(
    instances: Sequence[str],
    deep: frozenset[str],
    *,
    list_names: bool = False,
    license_route: bool = False,
    own: Sequence[str] = (),
    states: Mapping[str, str] | None = None,
    known: Mapping[str, InstanceReading] = _NONE_KNOWN,
) -> ProbeSteps:
    """Ask for the state of each instance, and for some whether their socket lives.

    The first answer proves that the server is reachable, even an error of its own. ``GET /`` is
    no measure of it: from 2.3 on it fetches a page of WhatsApp's, and may be slow where all is
    well. It is asked last, where a proxy keeps every other route to itself.

    More than 16 instances are listed by one question. The list is what the server's database says
    (`facts/semantics.md` §4), so only ``open`` is taken from it, and not for the instances of
    ``own``: they and those that are not open there are each asked for, 16 at once.

    Args:
        instances: Names of the instances to ask for.
        deep: Those to probe deeply, when they say that they are open.
        list_names: Whether to ask which instances there are, and to ask for all of them.
        license_route: Whether the server answers ``GET /license/status`` (2.4), which costs it
            nothing and needs no key.
        own: The instances that are asked for themselves, whatever the list says.
        states: The list that is to be believed; None asks for a new one where it takes one.
        known: Readings that an earlier list gave, by name.

    Yields:
        Questions; the answer is sent back.

    Returns:
        The readings.
    """
    # connectionState is answered from memory; without an instance, only the list has a key checked.
    named = own[0] if own else instances[0] if instances else None
    first = ProbeRequest("names") if named is None else ProbeRequest("state", named)
    server, proof = yield from _prove(first, license_route=license_route)
    if not server.reachable or server.failure is not None:
        return ProbeReport(server)
    # Without instances to ask for, the first question was the list itself.
    names: tuple[str, ...] | None = None
    unlisted: str | None = None
    list_ms: float | None = None
    if list_names or (states is None and len(instances) > MOST_AT_ONCE):
        listed = proof if named is None else (yield from ask_one(ProbeRequest("names")))
        if isinstance(listed.error, LicenseRequiredError):
            return ProbeReport(_not_activated(server, listed.error))
        states, list_ms = _states(listed), listed.elapsed_ms
        # Who names the instances does not watch those that are there besides.
        if list_names:
            names = None if states is None else tuple(states)
            unlisted = None if listed.error is None else type(listed.error).__name__
    everyone = tuple(dict.fromkeys((*instances, *(names or ()))))
    believed = _believed(everyone, states or {}, own)
    told: dict[ProbeRequest, ProbeResult] = {first: proof}
    asked = [ProbeRequest("state", name) for name in everyone if name not in believed]
    locked = yield from _ask_all([each for each in asked if each != first], told)
    if locked is not None:
        return ProbeReport(_not_activated(server, locked))
    readings = [
        (known.get(name) or InstanceReading(name, "open", listed=True))
        if name in believed
        else _instance(name, told[ProbeRequest("state", name)])
        for name in everyone
    ]
    unable = yield from _probe_deeply(readings, deep)
    latencies = (each.latency_ms for each in readings if each.latency_ms is not None)
    if named is None and (latency := next(latencies, None)) is not None:
        # A list takes the longer the more there are.
        server = replace(server, latency_ms=latency)
    told_states = None if list_ms is None else states
    return ProbeReport(server, tuple(readings), names, unable, unlisted, told_states, list_ms)


def _believed(
    everyone: Sequence[str], states: Mapping[str, str], own: Sequence[str]
) -> frozenset[str]:
    """Choose the instances whose state is taken from the list."""
    if len(everyone) <= MOST_AT_ONCE:
        return frozenset()
    # At first none is known: some are asked for, to learn how fast the server is.
    asked = frozenset(own or everyone[:MOST_AT_ONCE])
    return frozenset(name for name in everyone if states.get(name) == "open" and name not in asked)


def _probe_deeply(
    readings: list[InstanceReading], deep: frozenset[str]
) -> Generator[ProbeQuestion, ProbeAnswer, tuple[str, ...]]:
    """Note which sockets are dead; returns the instances whose channel has no such probe."""
    # A socket is only worth probing where the server believes in it.
    places = {
        ProbeRequest("presence", reading.name): place
        for place, reading in enumerate(readings)
        if reading.name in deep and reading.state == "open"
    }
    told: dict[ProbeRequest, ProbeResult] = {}
    yield from _ask_all(list(places), told)
    unable: list[str] = []
    for request, answer in told.items():
        reading = readings[places[request]]
        # Remembered by the roster: such a channel is asked once.
        if isinstance(answer.error, ChannelNotSupportedError):
            unable.append(reading.name)
        readings[places[request]] = replace(reading, dead=_dead(answer.error))
    return tuple(unable)


def ask_one(request: ProbeRequest) -> Generator[ProbeQuestion, ProbeAnswer, ProbeResult]:
    """Ask one question."""
    return cast("ProbeResult", (yield request))


def _ask_all(
    requests: Sequence[ProbeRequest], told: dict[ProbeRequest, ProbeResult]
) -> Generator[ProbeQuestion, ProbeAnswer, LicenseRequiredError | None]:
    """Ask questions, a few at once; ends with the error of a server that is not activated."""
    for begin in range(0, len(requests), MOST_AT_ONCE):
        few = tuple(requests[begin : begin + MOST_AT_ONCE])
        if len(few) == 1:
            answers: tuple[ProbeResult, ...] = ((yield from ask_one(few[0])),)
        else:
            answers = cast("tuple[ProbeResult, ...]", (yield few))
        told.update(zip(few, answers, strict=True))
        for answer in answers:
            if isinstance(answer.error, LicenseRequiredError):
                return answer.error
    return None


def _prove(
    first: ProbeRequest, *, license_route: bool
) -> Generator[ProbeQuestion, ProbeAnswer, tuple[ServerReading, ProbeResult]]:
    """Ask until the server is known to answer, or not to; returns the last answer, too."""
    proof = yield from ask_one(first)
    if not is_answer(proof.error):
        # A single cut connection is no outage: what fails is asked again at once.
        proof = yield from ask_one(first)
    if is_answer(proof.error):
        server = ServerReading(True, proof.elapsed_ms, well=proof.error is None)
        return _gated(server, proof), proof
    if isinstance(proof.error, UnsupportedByServerError):
        # Version 1: the client asks it nothing but ``GET /``, which is quick there.
        answered = is_answer((yield from ask_one(ProbeRequest("info"))).error)
        return ServerReading(answered, failure=UnsupportedByServerError.__name__), proof
    # A proxy answered: it keeps this route to itself, or has no server behind it.
    by_proxy = isinstance(proof.error, EvolutionAPIError)
    if by_proxy:
        # The key is checked in memory, on every version; a refusal of it is an answer as well.
        for other in ("credentials", "license") if license_route else ("credentials", "info"):
            told = yield from ask_one(ProbeRequest(other))
            if is_answer(told.error):
                return _gated(ServerReading(True), told), proof
    return ServerReading(False, None, type(proof.error).__name__, by_proxy=by_proxy), proof


def is_answer(error: BaseException | None) -> bool:
    """Tell if the Evolution server itself answered: a refusal or failure of its own is an answer.

    Args:
        error: What a call raised; None when it succeeded.

    Returns:
        False without an answer, and where a proxy gave it.
    """
    if error is None:
        return True
    # An unexpected answer is one that the Evolution API does not give.
    return (
        isinstance(error, EvolutionAPIError)
        and error.by_server
        and not isinstance(error, UnexpectedResponseError)
    )


def _gated(server: ServerReading, answer: ProbeResult) -> ServerReading:
    """Note that the server is not activated, where an answer says so."""
    if isinstance(answer.error, LicenseRequiredError):
        return _not_activated(server, answer.error)
    # The state of the licence names no page (`facts/versions/versions.md` §5).
    locked = getattr(answer.value, "status", None) == "inactive"
    return _not_activated(server, None) if locked else server


def _not_activated(server: ServerReading, error: LicenseRequiredError | None) -> ServerReading:
    page = None if error is None else error.register_url
    return replace(
        server,
        failure=LicenseRequiredError.__name__,
        activate_at=headline(page or "the server's /manager/login"),
    )


def _states(answer: ProbeResult) -> dict[str, str] | None:
    """Read the names of a list, and what the server's database says of each; None without one."""
    if answer.error is not None:
        return None
    rows = answer.value
    told: Iterable[tuple[Any, Any]] = (
        zip(rows.texts("name"), rows.texts("connection_status"), strict=True)
        if isinstance(rows, LazyList)
        else ((getattr(row, "name", ""), getattr(row, "connection_status", None)) for row in rows)
    )
    return {name: str(state or "") for name, state in told if name}


def _instance(name: str, answer: ProbeResult) -> InstanceReading:
    match answer.error:
        case None:
            state = getattr(answer.value, "state", None)
            return InstanceReading(
                name, str(state) if state else None, None, None, answer.elapsed_ms
            )
        case InstanceNotFoundError():
            return InstanceReading(name, problem="missing")
        case AuthenticationError():
            return InstanceReading(name, problem="unauthorized")
        case _:
            # Whether the instance is well is not known; the next check asks again.
            return InstanceReading(name, problem="unanswered")


def _dead(error: Exception | None) -> bool | None:
    """``setPresence`` writes to the socket: its failure is the only one that tells the truth."""
    if error is None:
        return False
    return True if isinstance(error, InstanceNotConnectedError) else None
