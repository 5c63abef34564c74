"""What is asked of the server in one check: a generator of questions, without I/O."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal, TypeAlias

from evolution_sdk._core.redact import headline
from evolution_sdk.errors import (
    AuthenticationError,
    ChannelNotSupportedError,
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
    """What ``GET /`` told.

    Attributes:
        reachable: Whether the Evolution API answered.
        latency_ms: After how long, in milliseconds.
        version: Its version.
        failure: Class of the error that came instead of an answer.
        activate_at: Where to activate it, when it says that it is not activated: it answers
            ``GET /`` then, and refuses everything else.
    """

    reachable: bool
    latency_ms: float | None = None
    version: str | None = None
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
    """

    server: ServerReading
    instances: tuple[InstanceReading, ...] = ()
    names: tuple[str, ...] | None = None
    no_deep_probe: tuple[str, ...] = ()
    unlisted: str | None = None


def probe(instances: Sequence[str], deep: frozenset[str], *, list_names: bool = False) -> Asking:
    """Ask for the server, then for each instance, and for some whether their socket lives.

    Args:
        instances: Names of the instances to ask for.
        deep: Those to probe deeply, when they say that they are open.
        list_names: Whether to ask which instances there are, and to ask for all of them.

    Yields:
        Questions; the answer is sent back.

    Returns:
        What was learned.
    """
    server = _server((yield Ask("info")))
    if not server.reachable:
        # A single cut connection is no outage: what fails is asked again at once.
        server = _server((yield Ask("info")))
    if not server.reachable:
        return Probed(server)
    names: tuple[str, ...] | None = None
    unlisted: str | None = None
    # Where nothing else is asked, only a listing tells if a server of 2.4 has been activated.
    if list_names or (not instances and _has_licence_gate(server.version)):
        listed = yield Ask("names")
        if isinstance(listed.error, LicenseRequiredError):
            return Probed(_not_activated(server, listed.error))
        if list_names:
            names = _names(listed)
            if listed.error is not None:
                unlisted = type(listed.error).__name__
    if list_names:
        instances = list(dict.fromkeys((*instances, *(names or ()))))
    readings: list[InstanceReading] = []
    unable: list[str] = []
    for name in instances:
        told = yield Ask("state", name)
        if isinstance(told.error, LicenseRequiredError):
            return Probed(_not_activated(server, told.error))
        reading = _instance(name, told)
        if name in deep and reading.state == "open":
            answer = yield Ask("presence", name)
            if isinstance(answer.error, ChannelNotSupportedError):
                unable.append(name)
            reading = InstanceReading(
                name, reading.state, None, _dead(answer.error), reading.latency_ms
            )
        readings.append(reading)
    return Probed(server, tuple(readings), names, tuple(unable), unlisted)


def _server(answer: Answer) -> ServerReading:
    error = answer.error
    if error is None:
        version = getattr(answer.value, "version", None) or None
        return ServerReading(True, answer.elapsed_ms, version)
    return ServerReading(False, None, None, type(error).__name__)


def _has_licence_gate(version: str | None) -> bool:
    """Tell if a server may refuse everything until it is activated: 2.4.0 and newer."""
    major, _, rest = (version or "").partition(".")
    minor = rest.partition(".")[0]
    return major.isdecimal() and minor.isdecimal() and (int(major[:4]), int(minor[:4])) >= (2, 4)


def _not_activated(server: ServerReading, error: LicenseRequiredError) -> ServerReading:
    page = headline(error.register_url or "the server's /manager/login")
    return replace(server, failure=type(error).__name__, activate_at=page)


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
