"""Guards of the routes, in the server's order: instance exists, name is free, key fits."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import HttpThrown, bad_request, database_error, not_found, unauthorized
from .js import as_object
from .router import Route
from .state import ServerState

_FIND = "prismaRepository.instance.findMany()"

_NO_TEXT = "Argument `name`: Invalid value provided. Expected StringFilter or String, provided Int."


def check(
    server: ServerState,
    route: Route,
    target: str,
    path: Mapping[str, str],
    body: Any,
    headers: Mapping[str, str],
) -> None:
    """Let a request pass, or throw what the real guards throw.

    The server recognises two of its own routes by text in the URL, so that spelling them in
    another case changes the outcome; this does the same.
    """
    # The order shows: an unknown instance is 404 and a taken name 403 even without a key
    # (`facts/observed.md` "Errors" 6).
    if route.guard == "none":
        return
    if route.guard == "instance":
        _instance_exists(server, target, path)
        _name_is_free(server, target, body)
    _key_fits(server, target, path, headers.get("apikey"))


def _instance_exists(server: ServerState, target: str, path: Mapping[str, str]) -> None:
    if "/instance/create" in target or "/instance/fetchInstances" in target:
        return
    # Taken from the path alone. The handlers later let the query override it, the hole through
    # which a key of one instance reaches another.
    name = path.get("instance")
    if not name:
        raise bad_request('"instanceName" not provided.')
    if server.known(name) is None:
        raise not_found(f'The "{name}" instance does not exist')


def _name_is_free(server: ServerState, target: str, body: Any) -> None:
    if "/instance/create" not in target:
        return
    given = as_object(body) or {}
    if "instanceName" not in given:
        # The database look-up has no filter then: any instance counts as this one.
        if server.rows():
            raise _taken("undefined")
        return
    name = given["instanceName"]
    if not isinstance(name, str):
        # The guard asks the database with whatever the body holds.
        raise database_error(_FIND, _NO_TEXT, wrapped=True)
    if server.known(name) is not None:
        raise _taken(name)


def _taken(name: str) -> HttpThrown:
    return HttpThrown(403, "Forbidden", f'This name "{name}" is already in use.')


def _key_fits(server: ServerState, target: str, path: Mapping[str, str], key: str | None) -> None:
    if not key:
        raise unauthorized()
    # The global key opens every route, and every instance.
    if key == server.options.api_key:
        return
    name = path.get("instance")
    if name:
        instance = server.known(name)
        if instance is not None and instance.token == key:
            return
    # Any instance's own token lists instances; the handler then shows its own only.
    elif "/instance/fetchInstances" in target and any(i.token == key for i in server.rows()):
        return
    raise unauthorized()
