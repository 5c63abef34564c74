"""The server without a socket: one function from a request to an answer."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from evolution_sdk.operations.routes import OPERATIONS

from . import builds, guards, license_gate
from .body import flat_pairs, parse_body
from .errors import Thrown, bad_request, not_found
from .faults import BEFORE, Fault, Faults
from .js import JsonObject, as_list
from .meta import meta_envelope
from .multipart import UploadedFile, parse_multipart
from .records import SeenRequest
from .reply import Cut, Reply, json_reply
from .router import Route, RouteCall, Router
from .schema import Schema, schema_of, validate
from .state import ServerState

_FAILED = 400


class Kernel:
    """Answers requests; safe for several threads.

    Args:
        server: The state.
        router: The routes.
        faults: The failures to inject.
    """

    def __init__(self, server: ServerState, router: Router, faults: Faults) -> None:
        self._server = server
        self._router = router
        self._faults = faults
        self._schemas: dict[str, Schema] = {}

    @property
    def server(self) -> ServerState:
        """The state that the requests read and change."""
        return self._server

    @property
    def lock(self) -> threading.RLock:
        """Held while a request is handled; hold it to change the state from another thread."""
        return self._server.lock

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request, without I/O and without waiting.

        Args:
            method: HTTP verb.
            target: Path with query, percent-encoded.
            headers: Names in any case.
            body: The raw body.

        Returns:
            The answer, with the time it is held back and the cut of the connection, if any.
        """
        with self._server.lock:
            return self._handle(method.upper(), target, headers, body)

    def _handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        lower = {name.lower(): value for name, value in headers.items()}
        path, _, query = target.partition("?")
        at = self._server.now_ms()
        found: tuple[Route, dict[str, str]] | None = None
        unreadable: Thrown | None = None
        try:
            found = self._find(method, path or "/")
        # Kept for later: a fault may strike first, and Express answers a bad path only after it has
        # read the body.
        except Thrown as thrown:
            unreadable = thrown
        operation = found[0].operation if found else None
        instance = found[1].get("instance") if found else None
        fault = self._faults.draw(operation or "unknown", instance)
        # A fault before acting must leave the state as it was, so the handler is not run at all.
        if fault is not None and fault.kind in BEFORE:
            reply = fault.strike(Reply(0))
        else:
            reply = self._answer(method, target, query, lower, body, found, unreadable)
            reply = fault.strike(reply) if fault is not None else reply
        self._record(method, target, operation, instance, reply, fault, at)
        return reply

    def _find(self, method: str, path: str) -> tuple[Route, dict[str, str]] | None:
        """Find the route of a request among those that a server of this version has."""
        found = self._router.find(method, path)
        operation = OPERATIONS.get(found[0].operation) if found else None
        if operation is not None and self._server.profile.lacks(operation) is not None:
            return None
        return found

    def _schema(self, operation: str, schema: Schema) -> Schema:
        """Take the version's part of a schema, once for each route."""
        if operation not in self._schemas:
            self._schemas[operation] = schema_of(schema, self._server.profile)
        return self._schemas[operation]

    def _gated(self) -> bool:
        return self._server.profile.has("license_gate") and not self._server.options.licensed

    def _record(
        self,
        method: str,
        target: str,
        operation: str | None,
        instance: str | None,
        reply: Reply,
        fault: Fault | None,
        at: float,
    ) -> None:
        status = reply.status if reply.cut is Cut.NONE else None
        kind = fault.kind.value if fault else None
        seen = SeenRequest(method, target, operation, instance, status, kind, at)
        self._server.requests.append(seen)

    def _answer(
        self,
        method: str,
        target: str,
        query: str,
        headers: Mapping[str, str],
        body: bytes,
        found: tuple[Route, dict[str, str]] | None,
        unreadable: Thrown | None,
    ) -> Reply:
        # CORS answers preflights before any route is looked up.
        if method == "OPTIONS":
            return Reply(204, (("access-control-allow-methods", "POST,GET,PUT,DELETE"),))
        try:
            # The order is the middlewares': body parser, license gate, router. It shows in which of
            # several mistakes is answered.
            data = parse_body(headers.get("content-type", ""), body)
            if self._gated() and license_gate.refuses(target):
                return json_reply(503, license_gate.refusal(headers))
            if unreadable is not None:
                raise unreadable
            if found is None:
                raise not_found(f"Cannot {method} {target}")
            route, path = found
            reply = self._run(route, target, path, flat_pairs(query), data, headers, body)
        except Thrown as thrown:
            reply = json_reply(thrown.status, thrown.envelope())
        if reply.status >= _FAILED and self._server.options.minified:
            reply = builds.minified(reply)
        # Express runs the GET handler for HEAD and drops the body.
        return reply if method != "HEAD" else Reply(reply.status, reply.headers)

    def _run(
        self,
        route: Route,
        target: str,
        path: dict[str, str],
        query: JsonObject,
        data: Any,
        headers: Mapping[str, str],
        body: bytes,
    ) -> Reply:
        guards.check(self._server, route, target, path, data, headers)
        fields, file = _upload(route, headers, body, data)
        # A hole of the server: the query wins over the path after the guards have checked the path
        # (`facts/semantics.md` §1).
        params: JsonObject = {**path, **query} if route.merge_query else dict(path)
        name: Any = path.get("instance", "")
        if route.merge_query and "instanceName" in query:
            name = query["instanceName"]
        call = RouteCall(self._server, route, str(name), params, query, fields, file, headers)
        try:
            if route.schema is not None:
                problems = validate(call.body, self._schema(route.operation, route.schema))
                if problems:
                    raise bad_request(problems)
            answer = route.handler(call)
        except Thrown as thrown:
            # These families catch everything themselves, validation included (shapes B and C of
            # `facts/semantics.md` §2).
            if not self._server.profile.has("route_error_shapes"):
                raise
            if route.meta_errors is not None:
                shown = meta_envelope(thrown, route.meta_errors, self._server.now_ms())
                return json_reply(400, shown)
            if not route.bare_errors:
                raise
            return json_reply(400, thrown.raw())
        reply = answer if isinstance(answer, Reply) else json_reply(route.status, answer)
        # The handler has acted by now; only its answer waits.
        if call.hold_ms:
            return Reply(reply.status, reply.headers, reply.body, call.hold_ms)
        return reply


def _upload(
    route: Route, headers: Mapping[str, str], body: bytes, data: Any
) -> tuple[JsonObject, UploadedFile | None]:
    kind = headers.get("content-type", "")
    if route.multipart and kind.lower().startswith("multipart/form-data"):
        return parse_multipart(body, kind)
    items = as_list(data)
    if items is not None:
        # Object.assign of a list copies its indexes as keys.
        return {str(index): item for index, item in enumerate(items)}, None
    return data, None
