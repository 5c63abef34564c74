"""Who may call what: existence first, then free names, then keys, as the server orders them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .errors import HttpThrown, bad_request, database_error, not_found, unauthorized
from .js import as_object
from .router import Route
from .world import World

_FIND = "prismaRepository.instance.findMany()"


def check(world: World, route: Route, target: str, path: Mapping[str, str], body: Any,
          headers: Mapping[str, str]) -> None:  # fmt: skip
    """Let a request pass, or throw what the real guards throw.

    The server recognises two of its own routes by text in the URL, so that spelling them in
    another case changes the outcome; this does the same.
    """
    if route.guard == "none":
        return
    if route.guard == "instance":
        _instance_exists(world, target, path)
        _name_is_free(world, target, body)
    _key_fits(world, target, path, headers.get("apikey"))


def _instance_exists(world: World, target: str, path: Mapping[str, str]) -> None:
    if "/instance/create" in target or "/instance/fetchInstances" in target:
        return
    name = path.get("instance")
    if not name:
        raise bad_request('"instanceName" not provided.')
    if world.known(name) is None:
        raise not_found(f'The "{name}" instance does not exist')


def _name_is_free(world: World, target: str, body: Any) -> None:
    if "/instance/create" not in target:
        return
    given = as_object(body) or {}
    if "instanceName" not in given:
        # The database look-up has no filter then: any instance counts as this one.
        if world.rows():
            raise _taken("undefined")
        return
    name = given["instanceName"]
    if not isinstance(name, str):
        raise database_error(_FIND, "Argument `name`: expected a string.", wrapped=True)
    if world.known(name) is not None:
        raise _taken(name)


def _taken(name: str) -> HttpThrown:
    return HttpThrown(403, "Forbidden", f'This name "{name}" is already in use.')


def _key_fits(world: World, target: str, path: Mapping[str, str], key: str | None) -> None:
    if not key:
        raise unauthorized()
    if key == world.options.api_key:
        return
    name = path.get("instance")
    if name:
        instance = world.known(name)
        if instance is not None and instance.token == key:
            return
    elif "/instance/fetchInstances" in target and any(i.token == key for i in world.rows()):
        return
    raise unauthorized()
