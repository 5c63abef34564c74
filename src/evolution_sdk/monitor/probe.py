"""What is asked of the server in one check: a generator of questions, without I/O."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias

from evolution_sdk._core.redact import headline
from evolution_sdk.errors import (
    AuthenticationError,
    ChannelNotSupportedError,
    EvolutionAPIError,
    InstanceNotConnectedError,
    InstanceNotFoundError,
    LicenseRequiredError,
)

__all__ = ["Answer", "Ask", "InstanceReading", "Probed", "ServerReading", "probe"]

AskKind: TypeAlias = Literal["info", "names", "state", "presence", "restart", "connect"]


@dataclass(frozen=True, slots=True)
class Ask:
    """One question.

    Attributes:
        kind: What is asked.
        instance: About which instance; None for the server.
    """

    kind: AskKind
    instance: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        elapsed_ms: After how long, in milliseconds.
        value: What the client returned.
        error: What it raised instead.
    """

    elapsed_ms: float
    value: Any = field(default=None, repr=False)
    error: Exception | None = field(default=None, repr=False)


Asking: TypeAlias = Generator[Ask, Answer, "Probed"]


@dataclass(frozen=True, slots=True)
class ServerReading:
    """What the first question told about the server.

    Attributes:
        reachable: Whether the Evolution API answered.
        latency_ms: After how long, in milliseconds.
        failure: Class of the error that came instead of an answer.
        activate_at: Where to activate it, when it says that it is not activated: it refuses
            everything then.
    """

    reachable: bool
    latency_ms: float | None = None
    failure: str | None = None
    activate_at: str | None = None


@dataclass(frozen=True, slots=True)
class InstanceReading:
    """What the server says about an instance.

    Attributes:
        name: Its name.
        state: ``open``, ``connecting``, ``close``, or None when it was not told.
        problem: What kept the server from telling, or None.
        dead: Whether the deep probe found its socket dead; None when it was not made.
        latency_ms: After how long it told, in milliseconds.
    """

    name: str
    state: str | None = None
    problem: Literal["missing", "unauthorized", "unanswered"] | None = None
    dead: bool | None = None
    latency_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Probed:
    """Everything that one check learned from the server.

    Attributes:
        server: The server.
        instances: The watched instances; empty when the server did not answer.
        names: The names of all instances, when they were asked for.
        unlisted: Class of the error that came instead of the names.
        no_deep_probe: Instances whose channel has no deep probe.
        latencies_ms: After how long each question was answered, in milliseconds.
    """

    server: ServerReading
    instances: tuple[InstanceReading, ...] = ()
    names: tuple[str, ...] | None = None
    no_deep_probe: tuple[str, ...] = ()
    unlisted: str | None = None
    latencies_ms: tuple[float, ...] = ()


def probe(instances: Sequence[str], deep: frozenset[str], *, list_names: bool = False) -> Asking:
    """Ask for each instance, and for some whether their socket lives.

    Whatever the server itself answers proves that it is there, a refusal too. ``GET /`` is not
    asked: from 2.3 on it fetches a page of WhatsApp's for every call, and is as slow as that.

    Args:
        instances: Names of the instances to ask for.
        deep: Those to probe deeply, when they say that they are open.
        list_names: Whether to ask which instances there are, and to ask for all of them.

    Yields:
        Questions; the answer is sent back.

    Returns:
        What was learned.
    """
    names: tuple[str, ...] | None = None
    unlisted: str | None = None
    latencies: list[float] = []
    server: ServerReading | None = None
    # Where no instance is watched, the list is the question that tells if the server answers.
    if list_names or not instances:
        listed = yield from _heard(Ask("names"), latencies, server)
        server = _server(listed)
        if not server.reachable or server.activate_at is not None:
            return Probed(server)
        if list_names:
            names = _names(listed)
            if listed.error is not None:
                unlisted = type(listed.error).__name__
            instances = list(dict.fromkeys((*instances, *(names or ()))))
    readings: list[InstanceReading] = []
    unable: list[str] = []
    for name in instances:
        told = yield from _heard(Ask("state", name), latencies, server)
        first = _server(told)
        if server is None or first.activate_at is not None:
            server = first
            if not server.reachable or server.activate_at is not None:
                return Probed(server)
        reading = _instance(name, told)
        if name in deep and reading.state == "open":
            answer = yield Ask("presence", name)
            if isinstance(answer.error, ChannelNotSupportedError):
                unable.append(name)
            reading = InstanceReading(
                name, reading.state, None, _dead(answer.error), reading.latency_ms
            )
        readings.append(reading)
    return Probed(
        server or ServerReading(reachable=False, failure="nothing was asked"),
        tuple(readings),
        names,
        tuple(unable),
        unlisted,
        tuple(latencies),
    )


def _heard(
    ask: Ask, latencies: list[float], server: ServerReading | None
) -> Generator[Ask, Answer, Answer]:
    """Ask; the first question of a check a second time: a single cut connection is no outage."""
    answer = yield ask
    if server is None and not _answered(answer.error):
        answer = yield ask
    if _answered(answer.error):
        latencies.append(answer.elapsed_ms)
    return answer


def _answered(error: Exception | None) -> bool:
    """Tell if the Evolution API itself answered; a proxy in front of it does not count."""
    return error is None or (isinstance(error, EvolutionAPIError) and error.by_server)


def _server(answer: Answer) -> ServerReading:
    error = answer.error
    if isinstance(error, LicenseRequiredError):
        page = headline(error.register_url or "the server's /manager/login")
        return ServerReading(True, answer.elapsed_ms, type(error).__name__, page)
    if _answered(error):
        return ServerReading(True, answer.elapsed_ms)
    return ServerReading(reachable=False, failure=type(error).__name__)


def _names(answer: Answer) -> tuple[str, ...] | None:
    if answer.error is not None:
        return None
    return tuple(name for row in answer.value if (name := getattr(row, "name", "")))


def _instance(name: str, answer: Answer) -> InstanceReading:
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
            return InstanceReading(name, problem="unanswered")


def _dead(error: Exception | None) -> bool | None:
    """``setPresence`` writes to the socket: its failure is the only one that tells the truth."""
    if error is None:
        return False
    return True if isinstance(error, InstanceNotConnectedError) else None
