"""Answers of the control routes."""

from __future__ import annotations

import base64
import binascii
import dataclasses
import hmac
import json
from collections.abc import Mapping, Sequence
from operator import attrgetter
from typing import Any, Protocol
from urllib.parse import unquote

from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.testing.fake.arrange_errors import NotArrangedError
from evolution_sdk.testing.fake.js import JsonObject, as_list, as_object
from evolution_sdk.testing.fake.reply import Reply, json_reply
from evolution_sdk.testing.fake.state import Instance

from .routes import PREFIX, ControlRoute, Field, routes_of

_LISTING = f"GET {PREFIX} lists the routes and what they take."


class _RefusedError(Exception):
    """The request is refused; ``field`` names the value that is wrong."""

    def __init__(self, status: int, field: str, rule: str) -> None:
        super().__init__(f"{field}: {rule}")
        self.status = status
        self.field = field


class _Fake(Protocol):
    """The fake; everything else about it is found by the names in the table."""

    @property
    def api_key(self) -> str: ...


class Control:
    """The control routes of one fake; they are neither recorded nor struck by faults.

    Args:
        fake: The fake.
    """

    def __init__(self, fake: _Fake) -> None:
        self._fake = fake
        self._routes = routes_of(type(fake))

    @staticmethod
    def owns(target: str) -> bool:
        """Tell if a request is for the control routes."""
        path = target.partition("?")[0]
        return path == PREFIX or path.startswith(f"{PREFIX}/")

    def handle(self, method: str, target: str, headers: Mapping[str, str], body: bytes) -> Reply:
        """Answer one request: ``{"result": …}``, or ``{"field": …, "message": …}``.

        Args:
            method: HTTP verb.
            target: Path with query, percent-encoded.
            headers: Names in any case.
            body: The raw body.
        """
        try:
            self._let_in(headers)
            return json_reply(200, {"result": self._run(method, target, body)})
        except _RefusedError as refused:
            return _refused(refused.status, refused.field, str(refused))
        except NotArrangedError as missing:
            return _refused(404, missing.variable, str(missing))
        except ConfigurationError as wrong:
            return _refused(400, wrong.variable, f"{wrong} {_LISTING}")
        except RequestValidationError as wrong:
            return _refused(400, wrong.field, f"{wrong} {_LISTING}")

    def _let_in(self, headers: Mapping[str, str]) -> None:
        given = next((value for name, value in headers.items() if name.lower() == "apikey"), "")
        key = self._fake.api_key
        if not hmac.compare_digest(given.encode(), key.encode()):
            rule = "must be a header with the fake's own key (fake.api_key, --api-key)."
            raise _RefusedError(401, "apikey", rule)

    def _run(self, method: str, target: str, body: bytes) -> Any:
        path = target.partition("?")[0].rstrip("/")
        if path == PREFIX and method == "GET":
            return listing(self._routes)
        route, given = _find(self._routes, method, path)
        values = _arguments(route, given, _decoded(body))
        member = attrgetter(route.member)(self._fake)
        if route.is_read:
            return shown(member)
        several = next((field.argument for field in route.fields if field.several), None)
        rest = values.pop(several, ()) if several is not None else ()
        return shown(member(*rest, **values))


def _refused(status: int, field: str | None, message: str) -> Reply:
    return json_reply(status, {"field": field, "message": message})


def listing(routes: Sequence[ControlRoute]) -> list[JsonObject]:
    """List routes: verb, path, a line about each, and the values it takes."""
    return [
        {
            "method": route.method,
            "path": route.full_path,
            "summary": route.summary,
            "takes": {
                field.name: f"{field.wants}{'' if field.required else ', optional'}"
                for field in route.fields
                if not field.in_path
            },
        }
        for route in routes
    ]


def _find(
    routes: Sequence[ControlRoute], method: str, path: str
) -> tuple[ControlRoute, dict[str, str]]:
    """Find the route of a request, and the arguments in its path.

    Raises:
        _RefusedError: There is none.
    """
    segments = path.split("/")
    verbs: list[str] = []
    for route in routes:
        wanted = route.full_path.split("/")
        if len(wanted) != len(segments):
            continue
        pairs = list(zip(wanted, segments, strict=True))
        if any(want != got for want, got in pairs if not want.startswith("{")):
            continue
        if route.method == method:
            return route, {w[1:-1]: unquote(g) for w, g in pairs if w.startswith("{")}
        verbs.append(route.method)
    if verbs:
        rule = f"{path} takes {' and '.join(verbs)}, not {method}. {_LISTING}"
        raise _RefusedError(405, "method", rule)
    raise _RefusedError(404, "path", f"the fake has no route {path}. {_LISTING}")


def _decoded(body: bytes) -> JsonObject:
    if not body:
        return {}
    try:
        values = as_object(json.loads(body))
    except ValueError as error:
        raise _RefusedError(
            400, "body", f"must be JSON ({error}). Send an object, or nothing."
        ) from None
    if values is None:
        raise _RefusedError(
            400, "body", "must be a JSON object, such as {}. Send an object, or nothing."
        )
    return values


def _arguments(route: ControlRoute, in_path: dict[str, str], body: JsonObject) -> dict[str, Any]:
    """Hold the values of a request against what the route takes.

    Raises:
        _RefusedError: One is missing, unknown or of a wrong kind.
    """
    fields = {field.name: field for field in route.fields if not field.in_path}
    for name in body:
        if name not in fields:
            takes = ", ".join(fields) or "nothing"
            at = f"{route.method} {route.full_path}"
            raise _RefusedError(400, name, f"is nothing that {at} takes; it takes {takes}.")
    values: dict[str, Any] = dict(in_path)
    for name, field in fields.items():
        if name in body:
            values[field.argument] = _checked(field, body[name])
        elif field.required:
            rule = f"is missing: it must be {field.wants}. Send it in the JSON body. {_LISTING}"
            raise _RefusedError(400, name, rule)
    return values


def _checked(field: Field, value: Any) -> Any:
    if field.binary and value is not None:
        try:
            return base64.b64decode(value, validate=True)
        except (TypeError, ValueError, binascii.Error):
            raise _RefusedError(400, field.name, "must be the file's bytes in base64.") from None
    items = as_list(value) if field.several else [value]
    for item in [object()] if items is None else items:
        problem = None if items is None else field.rule.test(item)
        if items is None or problem is not None:
            rule = (problem.rule if problem else "") or (
                f"must be {field.wants}, not {_kind(value)}"
            )
            where = problem.where if problem else ""
            raise _RefusedError(400, field.name, f"{where and where + ' '}{rule}. {_LISTING}")
    return value


def _kind(value: Any) -> str:
    """Name the kind of a value in the words of JSON."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, str):
        return "text"
    if isinstance(value, int | float):
        return "a number"
    return "an object" if as_list(value) is None else "a list"


def shown(value: Any) -> Any:
    """Turn what a member returned into JSON."""
    if isinstance(value, Instance):
        return {
            "name": value.name,
            "id": value.id,
            "integration": value.integration,
            "state": value.state,
            "token": value.token,
            "number": value.number,
            "owner": value.owner_jid,
        }
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {
            each.name: shown(getattr(value, each.name))
            for each in dataclasses.fields(value)
            if not each.name.startswith("_")
        }
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    members, items = as_object(value), as_list(value)
    if members is not None:
        return {name: shown(item) for name, item in members.items()}
    return value if items is None else [shown(item) for item in items]
