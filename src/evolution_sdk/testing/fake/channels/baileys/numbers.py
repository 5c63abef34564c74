"""``whatsappNumber``: who is on WhatsApp, from the cache or by asking."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.channels.base import to_jid
from evolution_sdk.testing.fake.errors import bad_request
from evolution_sdk.testing.fake.groups import Group
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, defined
from evolution_sdk.testing.fake.numbers import USER_SUFFIX, is_group, variants
from evolution_sdk.testing.fake.state import Instance
from evolution_sdk.testing.fake.world import World

from . import socket


def check_numbers(world: World, instance: Instance, numbers: list[Any]) -> list[JsonObject]:
    """Look numbers up, in the server's order: broadcast, groups, then people.

    Raises:
        Thrown: The socket is missing or closed and a number is not in the cache.
    """
    broadcast: list[JsonObject] = []
    groups: list[JsonObject] = []
    people: list[tuple[str, str]] = []
    for number in numbers:
        jid = to_jid(number)
        if is_group(jid):
            groups.append(_group(world, instance, jid, number))
        elif jid == "status@broadcast":
            broadcast.append({"jid": jid, "exists": False, "number": number})
        else:
            people.append((number, jid))
    return broadcast + groups + _people(world, instance, people)


def _group(world: World, instance: Instance, jid: str, number: str) -> JsonObject:
    group = _seen(world, instance, jid)
    if group is None:
        return {"jid": jid, "exists": False, "number": number}
    return {"jid": group.jid, "exists": True, "number": number, "name": group.subject}


def _seen(world: World, instance: Instance, jid: str) -> Group | None:
    """A group as WhatsApp tells of it over an open socket: only to its members."""
    group = world.network.group(jid) if instance.state == "open" else None
    if group is None or not group.has(instance.owner_jid or "", world.network.lids):
        return None
    return group


def _people(world: World, instance: Instance, people: list[tuple[str, str]]) -> list[JsonObject]:
    now = world.now_ms()
    cached = {jid: world.network.cached(jid, now) for _, jid in people}
    asked = [jid for _, jid in people if cached[jid] is None and "@lid" not in jid]
    if asked:
        socket.query(instance, "onWhatsApp")
    verified = {found for jid in asked if (found := world.network.find(jid)) is not None}
    results: list[JsonObject] = []
    for number, jid in people:
        hit = cached[jid]
        if hit is not None:
            results.append(_result(instance, hit[0], number, lid=hit[1]))
        elif "@lid" in jid:
            results.append(_result(instance, jid, number, lid="lid"))
        else:
            found = _variant(number, verified) or (jid if jid in verified else None)
            results.append(_result(instance, found or jid, number, exists=found is not None))
    for result in results:
        if result["exists"] and world.network.cached(result["jid"], now) is None:
            world.network.cache(result["jid"], now, lid=result.get("lid") == "lid")
    return results


def _variant(number: str, verified: set[str]) -> str | None:
    """The spelling of this number that WhatsApp knows."""
    for spelling in variants(number) or ():
        if spelling + USER_SUFFIX in verified:
            return spelling + USER_SUFFIX
    return None


def _result(
    instance: Instance, jid: str, number: str, *, exists: bool = True, lid: str | None = None
) -> JsonObject:
    contact = instance.contact(jid) or {}
    return defined(
        jid=jid,
        exists=exists,
        number=number,
        name=contact.get("pushName") if contact else UNDEFINED,
        lid=lid or UNDEFINED,
    )


def recipient(world: World, instance: Instance, number: Any) -> str:
    """Resolve the recipient of a send.

    Raises:
        HttpThrown: Not on WhatsApp (400 with the look-up's result).
    """
    found = check_numbers(world, instance, [number])[0]
    jid: str = found["jid"]
    if not found["exists"] and not is_group(jid) and "@broadcast" not in jid:
        raise bad_request(found)
    return jid


def group_metadata(world: World, instance: Instance, jid: str) -> Group | None:
    """A group's metadata: from the server-wide cache, or by asking over an open socket."""
    if jid in world.network.cached_groups:
        return world.network.group(jid)
    group = _seen(world, instance, jid)
    if group is not None:
        world.network.cached_groups.add(jid)
    return group
