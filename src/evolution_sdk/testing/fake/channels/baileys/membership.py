"""Who is in a group: joining, leaving, being added, removed and promoted, and who hears of it."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.groups import Group, member_shown
from evolution_sdk.testing.fake.js import JsonObject, truthy
from evolution_sdk.testing.fake.numbers import is_user
from evolution_sdk.testing.fake.state import BAILEYS, Instance
from evolution_sdk.testing.fake.world import World

_INVITATION_LASTS_S = 3 * 24 * 3600


def own(instance: Instance) -> str:
    """The JID of an instance's own phone."""
    return instance.owner_jid or ""


def seconds(world: World) -> int:
    """The server's time in seconds."""
    return int(world.now_ms() / 1000)


def _listeners(world: World, group: Group) -> list[Instance]:
    """The connected accounts in a group that listen to groups."""
    return [
        instance
        for instance in world.all_loaded()
        if instance.integration == BAILEYS
        and instance.state == "open"
        and group.has(own(instance), world.network.lids)
        and not truthy((instance.setting or {}).get("groupsIgnore"))
    ]


def announce(world: World, group: Group, event: str, data: Any) -> None:
    """Tell every connected account in a group."""
    for instance in _listeners(world, group):
        world.emit(instance, event, data)


def refuses(world: World, jid: str) -> str | None:
    """With which code somebody refuses to be put into groups; None for who does not."""
    phone = jid if is_user(jid) else world.network.lids.phone(jid)
    return world.network.group_refusals.get(phone or jid)


def change(world: World, group: Group, jid: str, action: str) -> JsonObject:
    """Do to one person what the caller asked; returns their result, whose status is text."""
    error = _obstacle(world, group, jid, action)
    if error is None:
        _apply(world, group, jid, action)
    attrs = {"jid": jid} if error is None else {"jid": jid, "error": error}
    node: JsonObject = {"tag": "participant", "attrs": attrs}
    if error == "403" and action == "add":
        # Somebody who may not be added can be sent an invitation with this code.
        until = str(seconds(world) + _INVITATION_LASTS_S)
        code = {"code": world.ids.invite_code(), "expiration": until}
        node["content"] = [{"tag": "add_request", "attrs": code}]
    return {"status": error or "200", "jid": jid, "content": node}


def _obstacle(world: World, group: Group, jid: str, action: str) -> str | None:
    inside = group.find(jid, world.network.lids) is not None
    if action != "add":
        return None if inside else "404"
    if inside:
        return "409"
    if is_user(jid) and world.network.find(jid) is None:
        return "404"
    return refuses(world, jid)


def _apply(world: World, group: Group, jid: str, action: str) -> None:
    lids = world.network.lids
    if action == "add":
        group.add(jid, lids)
        return
    if action == "remove":
        group.remove(jid, lids)
        return
    member = group.find(jid, lids)
    if member is not None:
        member.admin = "admin" if action == "promote" else None


def report(world: World, group: Group, author: str, jids: list[str], action: str) -> None:
    """Announce a change of members: as objects, the way the bundled library delivers them."""
    if not jids:
        return
    lids = world.network.lids
    shown: list[JsonObject] = []
    for jid in jids:
        member = group.find(jid, lids)
        gone = {"id": lids.of(jid) if group.by_lid else jid, "admin": None}
        shown.append(gone if member is None else member_shown(member, lids))
    data = {"id": group.jid, "author": lids.of(author), "participants": shown, "action": action}
    heard = _listeners(world, group)
    heard += [i for i in world.all_loaded() if own(i) in jids and i not in heard]
    for instance in heard:
        world.emit(instance, "group-participants.update", data)


def join(world: World, group: Group, jid: str) -> None:
    """Enter by invitation."""
    group.add(jid, world.network.lids)
    report(world, group, jid, [jid], "add")


def leave(world: World, group: Group, jid: str) -> None:
    """Leave a group."""
    group.remove(jid, world.network.lids)
    report(world, group, jid, [jid], "remove")
