"""Routes as declarations, and finding the one for a request.

A family is a list of :class:`Route`. To add one, declare its routes and add the list to
``families.ALL``; guards, body parsing, validation, faults and records apply to it by themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal, TypeAlias
from urllib.parse import unquote_to_bytes

from .errors import ErrorThrown
from .js import JsonObject
from .multipart import UploadedFile
from .schema import Schema
from .world import World

Guard: TypeAlias = Literal["instance", "key", "none"]


@dataclass(slots=True)
class Call:
    """One request on its way through a handler.

    Attributes:
        world: The server's state.
        route: The route that matched.
        instance: Name of the instance the handler works on: the query string overrides the path.
        params: Path parameters with the query merged over them.
        query: The query alone.
        body: The decoded body; an object even where the caller sent a list.
        file: The uploaded file of a multipart request.
        headers: Header names in lower case.
        hold_ms: Set by a handler that makes the caller wait, in milliseconds.
    """

    world: World
    route: Route
    instance: str
    params: JsonObject
    query: JsonObject
    body: JsonObject
    file: UploadedFile | None
    headers: Mapping[str, str]
    hold_ms: float = 0.0


Handler: TypeAlias = Callable[[Call], Any]


@dataclass(frozen=True, slots=True)
class Route:
    """One route.

    Attributes:
        operation: Key as in ``facts/endpoints.json``, such as ``message.send_text``.
        method: HTTP verb.
        path: ``{name}`` takes one segment, a last ``{name*}`` takes the rest.
        handler: Returns what the answer's JSON says, or a ready :class:`Reply`.
        status: Status of a success.
        schema: What the body must look like; None leaves it unchecked.
        guard: ``instance`` (exists, name free, key), ``key`` (global key only) or ``none``.
        multipart: Whether a file may be uploaded.
        bare_errors: Whether failures answer 400 with the bare error instead of the envelope.
        meta_errors: The context that failures name where they answer 400 in Meta's shape.
        merge_query: Whether the query overrides path parameters (most routes, a server hole).
    """

    operation: str
    method: str
    path: str
    handler: Handler
    status: int = 200
    schema: Schema | None = None
    guard: Guard = "instance"
    multipart: bool = False
    bare_errors: bool = False
    meta_errors: str | None = None
    merge_query: bool = True


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
        if len(segments) != size if self.rest is None else len(segments) <= size:
            return None
        found: dict[str, str] = {}
        for wanted, given in zip(self.segments, segments, strict=False):
            if wanted.startswith("{"):
                found[wanted[1:-1]] = given
            elif wanted.lower() != given.lower():
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
        self._patterns: dict[tuple[str, str], list[_Pattern]] = {}
        for route in routes:
            pattern = _Pattern.of(route)
            first = pattern.segments[0].lower() if pattern.segments else ""
            self._patterns.setdefault((route.method, first), []).append(pattern)

    def find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """The route for a request and its decoded path parameters.

        Paths are case-insensitive and may end in a slash; names in them are percent-decoded.

        Raises:
            ErrorThrown: A parameter is not valid percent-encoding (400, as Express answers).
        """
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
