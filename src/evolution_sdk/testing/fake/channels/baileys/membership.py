"""Membership of groups: joining, leaving, changes by admins, and their events."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.groups import Group, member_shown
from evolution_sdk.testing.fake.js import JsonObject, truthy
from evolution_sdk.testing.fake.numbers import is_user
from evolution_sdk.testing.fake.state import BAILEYS, Instance, ServerState

_INVITATION_LASTS_S = 3 * 24 * 3600


def own(instance: Instance) -> str:
    """Return the JID of an instance's own phone; empty before a login."""
    return instance.owner_jid or ""


def seconds(server: ServerState) -> int:
    """Return the server's time, in seconds since the epoch."""
    return int(server.now_ms() / 1000)


def _listeners(server: ServerState, group: Group) -> list[Instance]:
    """List the connected accounts in a group that do not ignore groups."""
    return [
        instance
        for instance in server.all_loaded()
        if instance.integration == BAILEYS
        and instance.state == "open"
        and group.has(own(instance), server.network.lids)
        and not truthy((instance.setting or {}).get("groupsIgnore"))
    ]


def announce(server: ServerState, group: Group, event: str, data: Any) -> None:
    """Emit an event to every connected account in a group."""
    for instance in _listeners(server, group):
        server.emit(instance, event, data)


def refuses(server: ServerState, jid: str) -> str | None:
    """Return the code with which a person refuses to be added to groups; None if they do not."""
    phone = jid if is_user(jid) else server.network.lids.phone(jid)
    return server.network.group_refusals.get(phone or jid)


def change(server: ServerState, group: Group, jid: str, action: str) -> JsonObject:
    """Apply an action to one person, and return their result, whose status is text."""
    error = _obstacle(server, group, jid, action)
    if error is None:
        _apply(server, group, jid, action)
    attrs = {"jid": jid} if error is None else {"jid": jid, "error": error}
    node: JsonObject = {"tag": "participant", "attrs": attrs}
    if error == "403" and action == "add":
        # Somebody who may not be added can be sent an invitation with this code.
        until = str(seconds(server) + _INVITATION_LASTS_S)
        code = {"code": server.ids.invite_code(), "expiration": until}
        node["content"] = [{"tag": "add_request", "attrs": code}]
    return {"status": error or "200", "jid": jid, "content": node}


def _obstacle(server: ServerState, group: Group, jid: str, action: str) -> str | None:
    inside = group.find(jid, server.network.lids) is not None
    # Everything but adding needs a member.
    if action != "add":
        return None if inside else "404"
    if inside:
        return "409"
    if is_user(jid) and server.network.find(jid) is None:
        return "404"
    return refuses(server, jid)


def _apply(server: ServerState, group: Group, jid: str, action: str) -> None:
    lids = server.network.lids
    if action == "add":
        group.add(jid, lids)
        return
    if action == "remove":
        group.remove(jid, lids)
        return
    member = group.find(jid, lids)
    if member is not None:
        member.admin = "admin" if action == "promote" else None


def report(server: ServerState, group: Group, author: str, jids: list[str], action: str) -> None:
    """Announce a change of members."""
    if not jids:
        return
    lids = server.network.lids
    shown: list[JsonObject] = []
    for jid in jids:
        member = group.find(jid, lids)
        # Who was removed is no member any more, and is named as the group names its members.
        gone = {"id": lids.of(jid) if group.by_lid else jid, "admin": None}
        shown.append(gone if member is None else member_shown(member, lids))
    data: JsonObject = {"id": group.jid, "author": lids.of(author), "action": action}
    if server.profile.has("participant_objects"):
        data["participants"] = shown
        data["authorPn"] = author
        # The server takes the objects for texts.
        data["participantsData"] = [
            {"jid": member, "phoneNumber": "[object Object]"} for member in shown
        ]
    else:
        data["participants"] = [member["id"] for member in shown]
    # Those who left hear of it as well.
    heard = _listeners(server, group)
    heard += [i for i in server.all_loaded() if own(i) in jids and i not in heard]
    for instance in heard:
        server.emit(instance, "group-participants.update", data)


def join(server: ServerState, group: Group, jid: str) -> None:
    """Join a group by invitation."""
    group.add(jid, server.network.lids)
    report(server, group, jid, [jid], "add")


def leave(server: ServerState, group: Group, jid: str) -> None:
    """Leave a group."""
    group.remove(jid, server.network.lids)
    report(server, group, jid, [jid], "remove")
