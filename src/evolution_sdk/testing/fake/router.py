"""Routes as declarations, and finding the route of a request.

A family is a list of :class:`Route`, one for each of its operations. To add a route, declare the
operation, then add its handler here; guards, body parsing, validation, faults and records apply
to it without further code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from urllib.parse import unquote_to_bytes

from evolution_sdk.operations.routes import OPERATIONS

from .errors import ErrorThrown
from .js import JsonObject
from .multipart import UploadedFile
from .schema import Schema
from .state import ServerState

Guard: TypeAlias = Literal["instance", "key", "none"]


@dataclass(slots=True)
class RouteCall:
    """One request on its way through a handler.

    Attributes:
        server: The server's state.
        route: The route that matched.
        instance: Name of the instance the handler works on: the query string overrides the path.
        params: Path parameters with the query merged over them.
        query: The query alone.
        body: The decoded body; an object even where the caller sent a list.
        file: The uploaded file of a multipart request.
        headers: Header names in lower case.
        hold_ms: Set by a handler that makes the caller wait, in milliseconds.
    """

    server: ServerState
    route: Route
    instance: str
    params: JsonObject
    query: JsonObject
    body: JsonObject
    file: UploadedFile | None
    headers: Mapping[str, str]
    hold_ms: float = 0.0


Handler: TypeAlias = Callable[[RouteCall], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Attributes:
        operation: Key of the operation, such as ``message.send_text``.
        handler: Returns what the answer's JSON says, or a ready :class:`Reply`.
        status: Status of a success.
        schema: Schema of the body; None leaves the body unchecked.
        guard: ``instance`` (exists, name free, key), ``key`` (global key only) or ``none``.
        multipart: Whether a file may be uploaded.
        bare_errors: Whether failures answer 400 with the bare error instead of the envelope.
        meta_errors: The context that failures name where they answer 400 in Meta's shape.
        merge_query: Whether the query overrides path parameters (most routes, a server hole).
        method: HTTP verb; the operation's own unless a path is given.
        path: Path template: ``{name}`` takes one segment, a last ``{name*}`` takes the rest. The
            operation's own when empty; given only for pages that are no operation.
    """

    operation: str
    handler: Handler
    status: int = 200
    schema: Schema | None = None
    guard: Guard = "instance"
    multipart: bool = False
    bare_errors: bool = False
    meta_errors: str | None = None
    merge_query: bool = True
    method: str = "GET"
    path: str = ""

    def __post_init__(self) -> None:
        """Take method and path from the operation, unless they are given.

        Raises:
            KeyError: There is no such operation.
        """
        if not self.path:
            declared = OPERATIONS[self.operation]
            object.__setattr__(self, "method", declared.method)
            object.__setattr__(self, "path", declared.path)


@dataclass(frozen=True, slots=True)
class _Pattern:
    route: Route
    segments: tuple[str, ...]
    rest: str | None = field(default=None)

    @classmethod
    def of(cls, route: Route) -> _Pattern:
        segments = _split(route.path)
        if segments and segments[-1].endswith("*}"):
            return cls(route, tuple(segments[:-1]), segments[-1][1:-2])
        return cls(route, tuple(segments))

    def match(self, segments: list[str]) -> dict[str, str] | None:
        size = len(self.segments)
        # A pattern with a rest needs at least one segment more than its fixed part.
        if len(segments) != size if self.rest is None else len(segments) <= size:
            return None
        found: dict[str, str] = {}
        for wanted, given in zip(self.segments, segments, strict=False):
            if wanted.startswith("{"):
                found[wanted[1:-1]] = given
            elif wanted.lower() != given.lower():  # Express ignores case unless told otherwise
                return None
        if self.rest is not None:
            found[self.rest] = "/".join(segments[size:])
        return found


class Router:
    """All routes, by verb and first segment.

    Args:
        routes: The declarations; the first that matches wins.
    """

    def __init__(self, routes: Iterable[Route]) -> None:
        self.routes: tuple[Route, ...] = tuple(routes)
        # By verb and first segment, so that a request is compared with its own family only.
        self._patterns: dict[tuple[str, str], list[_Pattern]] = {}
        for route in self.routes:
            pattern = _Pattern.of(route)
            first = pattern.segments[0].lower() if pattern.segments else ""
            self._patterns.setdefault((route.method, first), []).append(pattern)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Find the route of a request and its decoded path parameters.

        Paths are case-insensitive and may end in a slash; names in them are percent-decoded.

        Returns:
            The route with the parameters by name, or None for an unknown route.

        Raises:
            ErrorThrown: A parameter is not valid percent-encoding (400, as Express answers).
        """
        # Express answers HEAD by the GET route.
        verb = "GET" if method == "HEAD" else method
        segments = _split(path)
        first = segments[0].lower() if segments else ""
        for pattern in self._patterns.get((verb, first), ()):
            found = pattern.match(segments)
            if found is not None:
                return pattern.route, {name: _decode(value) for name, value in found.items()}
        return None


def _split(path: str) -> list[str]:
    trimmed = path.removeprefix("/")
    trimmed = trimmed.removesuffix("/")
    return trimmed.split("/") if trimmed else []


def _decode(value: str) -> str:
    if "%" not in value:
        return value
    try:
        return unquote_to_bytes(value).decode("utf-8")
    except UnicodeDecodeError:
        raise ErrorThrown(
            f"Failed to decode param '{value}'", name="URIError", status=400
        ) from None
