"""Number look-ups (``whatsappNumber``): from the cache, or by asking WhatsApp."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.channels.base import to_jid
from evolution_sdk.testing.fake.errors import bad_request
from evolution_sdk.testing.fake.groups import Group
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, defined
from evolution_sdk.testing.fake.numbers import USER_SUFFIX, is_channel, is_group, variants
from evolution_sdk.testing.fake.state import Instance, ServerState

from . import socket


def check_numbers(server: ServerState, instance: Instance, numbers: list[Any]) -> list[JsonObject]:
    """Look numbers up, in the server's order: broadcast, groups, then people.

    Raises:
        Thrown: The socket is missing or closed and a number is not in the cache.
    """
    broadcast: list[JsonObject] = []
    groups: list[JsonObject] = []
    people: list[tuple[str, str]] = []
    for number in numbers:
        jid = _jid(server, number)
        if is_group(jid):
            groups.append(_group(server, instance, jid, number))
        elif jid == "status@broadcast":
            broadcast.append({"jid": jid, "exists": False, "number": number})
        else:
            people.append((number, jid))
    # Grouped by kind, not in the order of the request: clients must match by number.
    return broadcast + groups + _people(server, instance, people)


def _jid(server: ServerState, number: Any) -> str:
    jid = to_jid(number)
    if not is_channel(jid) or server.profile.has("channel_recipients"):
        return jid
    # Its domain means nothing yet, and so many digits are a group.
    return to_jid(jid.partition("@")[0])


def _group(server: ServerState, instance: Instance, jid: str, number: str) -> JsonObject:
    group = _seen(server, instance, jid)
    if group is None:
        return {"jid": jid, "exists": False, "number": number}
    return {"jid": group.jid, "exists": True, "number": number, "name": group.subject}


def _seen(server: ServerState, instance: Instance, jid: str) -> Group | None:
    """Find a group over an open socket; WhatsApp shows it only to its members."""
    group = server.network.group(jid) if instance.state == "open" else None
    if group is None or not group.has(instance.owner_jid or "", server.network.lids):
        return None
    return group


def _people(
    server: ServerState, instance: Instance, people: list[tuple[str, str]]
) -> list[JsonObject]:
    now = server.now_ms()
    cached = {jid: server.network.cached(jid, now) for _, jid in people}
    # LIDs are never asked: the server takes every one for valid.
    asked = [jid for _, jid in people if cached[jid] is None and "@lid" not in jid]
    # The socket is needed only for numbers that are not in the cache, so that a disconnected
    # instance still resolves the others.
    if asked:
        socket.query(instance, "onWhatsApp")
    verified = {found for jid in asked if (found := server.network.find(jid)) is not None}
    results: list[JsonObject] = []
    for number, jid in people:
        hit = cached[jid]
        if hit is not None:
            results.append(_result(instance, hit[0], number, lid=hit[1]))
        elif "@lid" in jid:
            valid = server.profile.has("lids_accepted")
            mark = "lid" if valid else None
            results.append(_result(instance, jid, number, exists=valid, lid=mark))
        else:
            found = _variant(number, verified) or (jid if jid in verified else None)
            results.append(_result(instance, found or jid, number, exists=found is not None))
    # Only positive answers are remembered, for seven days.
    for result in results:
        if result["exists"] and server.network.cached(result["jid"], now) is None:
            server.network.cache(result["jid"], now, lid=result.get("lid") == "lid")
    if server.profile.has("numbers_without_lid"):
        return [
            {name: value for name, value in result.items() if name != "lid"} for result in results
        ]
    return results


def _variant(number: str, verified: set[str]) -> str | None:
    """Find the spelling of a number that WhatsApp knows."""
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


def recipient(server: ServerState, instance: Instance, number: Any) -> str:
    """Resolve the recipient of a send.

    Raises:
        HttpThrown: Not on WhatsApp (400 with the look-up's result).
    """
    found = check_numbers(server, instance, [number])[0]
    jid: str = found["jid"]
    # Groups are checked later, by their metadata, and broadcasts not at all.
    if not found["exists"] and not is_group(jid) and "@broadcast" not in jid:
        raise bad_request(found)
    return jid


def group_metadata(server: ServerState, instance: Instance, jid: str) -> Group | None:
    """Read a group's metadata from the server-wide cache, or over an open socket."""
    if jid in server.network.cached_groups:
        return server.network.group(jid)
    group = _seen(server, instance, jid)
    if group is not None:
        server.network.cached_groups.add(jid)
    return group
