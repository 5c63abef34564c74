"""Questions of one check, and the reading of their answers: a generator without I/O."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

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

__all__ = [
    "InstanceReading",
    "ProbeReport",
    "ProbeRequest",
    "ProbeResult",
    "ProbeSteps",
    "ServerReading",
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


ProbeSteps: TypeAlias = Generator[ProbeRequest, ProbeResult, "ProbeReport"]


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
    """

    name: str
    state: str | None = None
    problem: Literal["missing", "unauthorized", "unanswered"] | None = None
    dead: bool | None = None
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True)
class ProbeReport:
    """All answers of one check.

    Attributes:
        server: The server.
        instances: The watched instances; empty when the server did not answer.
        names: The names of all instances, when they were asked for.
        unlisted: Class of the error that came instead of the names.
        no_deep_probe: Instances whose channel has no deep probe.
    """

    server: ServerReading
    instances: tuple[InstanceReading, ...] = ()
    names: tuple[str, ...] | None = None
    no_deep_probe: tuple[str, ...] = ()
    unlisted: str | None = None

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
) -> ProbeSteps:
    """Ask for the state of each instance, and for some whether their socket lives.

    The first answer proves that the server is reachable, even an error of its own. ``GET /`` is
    no measure of it: from 2.3 on it fetches a page of WhatsApp's, and may be slow where all is
    well. It is asked last, where a proxy keeps every other route to itself.

    Args:
        instances: Names of the instances to ask for.
        deep: Those to probe deeply, when they say that they are open.
        list_names: Whether to ask which instances there are, and to ask for all of them.
        license_route: Whether the server answers ``GET /license/status`` (2.4), which costs it
            nothing and needs no key.

    Yields:
        Questions; the answer is sent back.

    Returns:
        The readings.
    """
    # connectionState is answered from memory; without an instance, only the list has a key checked.
    first = ProbeRequest("state", instances[0]) if instances else ProbeRequest("names")
    server, proof = yield from _prove(first, license_route=license_route)
    if not server.reachable or server.failure is not None:
        return ProbeReport(server)
    # Without instances to ask for, the first question was the list itself.
    names: tuple[str, ...] | None = None
    unlisted: str | None = None
    if list_names:
        listed = (yield ProbeRequest("names")) if instances else proof
        if isinstance(listed.error, LicenseRequiredError):
            return ProbeReport(_not_activated(server, listed.error))
        names = _names(listed)
        if listed.error is not None:
            unlisted = type(listed.error).__name__
    readings: list[InstanceReading] = []
    unable: list[str] = []
    for name in dict.fromkeys((*instances, *(names or ()))):
        ask = ProbeRequest("state", name)
        told = proof if ask == first else (yield ask)
        if isinstance(told.error, LicenseRequiredError):
            return ProbeReport(_not_activated(server, told.error))
        reading = _instance(name, told)
        # A socket is only worth probing where the server believes in it.
        if name in deep and reading.state == "open":
            answer = yield ProbeRequest("presence", name)
            # Remembered by the roster: such a channel is asked once.
            if isinstance(answer.error, ChannelNotSupportedError):
                unable.append(name)
            reading = replace(reading, dead=_dead(answer.error))
        readings.append(reading)
    if not instances and readings and readings[0].latency_ms is not None:
        # A list takes the longer the more there are.
        server = replace(server, latency_ms=readings[0].latency_ms)
    return ProbeReport(server, tuple(readings), names, tuple(unable), unlisted)


def _prove(
    first: ProbeRequest, *, license_route: bool
) -> Generator[ProbeRequest, ProbeResult, tuple[ServerReading, ProbeResult]]:
    """Ask until the server is known to answer, or not to; returns the last answer, too."""
    proof = yield first
    if not is_answer(proof.error):
        # A single cut connection is no outage: what fails is asked again at once.
        proof = yield first
    if is_answer(proof.error):
        server = ServerReading(True, proof.elapsed_ms, well=proof.error is None)
        return _gated(server, proof), proof
    if isinstance(proof.error, UnsupportedByServerError):
        # Version 1: the client asks it nothing but ``GET /``, which is quick there.
        answered = is_answer((yield ProbeRequest("info")).error)
        return ServerReading(answered, failure=UnsupportedByServerError.__name__), proof
    # A proxy answered: it keeps this route to itself, or has no server behind it.
    by_proxy = isinstance(proof.error, EvolutionAPIError)
    if by_proxy:
        # The key is checked in memory, on every version; a refusal of it is an answer as well.
        for other in ("credentials", "license") if license_route else ("credentials", "info"):
            told = yield ProbeRequest(other)
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


def _names(answer: ProbeResult) -> tuple[str, ...] | None:
    if answer.error is not None:
        return None
    return tuple(name for row in answer.value if (name := getattr(row, "name", "")))


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
