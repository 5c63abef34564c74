"""Groups on WHATSAPP-BAILEYS, with WhatsApp's refusals as the server words them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evolution_sdk.testing.fake.channels.base import Method, to_jid
from evolution_sdk.testing.fake.errors import (
    ErrorThrown,
    HttpThrown,
    Thrown,
    bad_request,
    internal,
    not_found,
)
from evolution_sdk.testing.fake.groups import Description, Group, metadata, summary
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, defined, get, truthy
from evolution_sdk.testing.fake.media import is_base64, is_url
from evolution_sdk.testing.fake.network import Profile
from evolution_sdk.testing.fake.numbers import is_group, is_user
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.state import Instance

from . import membership, socket
from .membership import announce, own, seconds
from .numbers import check_numbers
from .sending import SendMode, send

_INVITATION = "https://chat.whatsapp.com/"


def _failing_with(error: Callable[..., HttpThrown], *words: str) -> Callable[[Method], Method]:
    """Turn all failures of a method into one exception: the words, then the cause's text."""

    def wrap(method: Method) -> Method:
        def guarded(call: RouteCall, instance: Instance) -> Any:
            try:
                return method(call, instance)
            except Thrown as thrown:
                raise error(*words, thrown.text) from None

        return guarded

    return wrap


def _reach(call: RouteCall, instance: Instance, member: str) -> Group:
    """Ask WhatsApp for the group that the body names.

    Raises:
        Thrown: The socket is missing or closed, there is no such group, or it is closed to us.
    """
    socket.query(instance, member)
    return _visible(call, instance)


def _visible(call: RouteCall, instance: Instance) -> Group:
    network = call.server.network
    group = network.group(call.body["groupJid"])
    if group is None:
        # WhatsApp's own words, which the server passes on.
        raise ErrorThrown("item-not-found")
    if not group.has(own(instance), network.lids):
        # Groups are visible to their members only.
        raise ErrorThrown("forbidden")
    return group


def _as_admin(call: RouteCall, instance: Instance, member: str) -> Group:
    """Ask for the group, for a change that only admins may make."""
    group = _reach(call, instance, member)
    _need_admin(call, instance, group)
    return group


def _need_admin(call: RouteCall, instance: Instance, group: Group) -> None:
    if not group.is_admin(own(instance), call.server.network.lids):
        raise ErrorThrown("not-authorized")


def _editable(call: RouteCall, instance: Instance, member: str) -> Group:
    """Ask for the group, for a change that members may make unless the group is locked."""
    group = _reach(call, instance, member)
    if group.restrict:
        _need_admin(call, instance, group)
    return group


def _picture_of(call: RouteCall, group: Group) -> str | None:
    return call.server.network.profile(group.jid).picture


@_failing_with(internal, "Error creating group")
def _create(call: RouteCall, instance: Instance) -> JsonObject:
    server, body = call.server, call.body
    found = check_numbers(server, instance, body["participants"])
    # Numbers without WhatsApp are dropped in silence, here and on the network.
    wanted = [result["jid"] for result in found if result["exists"]]
    socket.query(instance, "groupCreate")
    lids, now = server.network.lids, seconds(server)
    me = lids.of(own(instance))
    group = Group(server.ids.group(), body["subject"], created_s=now, subject_s=now, owner=me,
                  subject_owner=me, invite_code=server.ids.invite_code())  # fmt: skip
    group.add(own(instance), lids, "superadmin")
    for jid in wanted:
        # WhatsApp drops those who cannot be added: groups, doubles, and who refuses.
        people = is_user(jid) or jid.endswith("@lid")
        if people and group.find(jid, lids) is None and not membership.refuses(server, jid):
            group.add(jid, lids, "admin" if truthy(get(body, "promoteParticipants")) else None)
    server.network.groups[group.jid] = group
    if truthy(get(body, "description")):
        _describe(call, group, me, body["description"])
    answer = metadata(group, lids)
    announce(server, group, "groups.upsert", [{**answer, "author": me}])
    return answer


def _describe(call: RouteCall, group: Group, author: str, text: str) -> None:
    # An empty description removes the one that was there.
    if not text:
        group.description = None
        return
    ids = call.server.ids
    group.description = Description(text, ids.whatsapp(), author, seconds(call.server))


def _changed(call: RouteCall, instance: Instance, group: Group, **change: Any) -> None:
    author = call.server.network.lids.of(own(instance))
    announce(call.server, group, "groups.update", [{"id": group.jid, **change, "author": author}])


@_failing_with(internal, "Error updating group subject")
def _subject(call: RouteCall, instance: Instance) -> JsonObject:
    group = _editable(call, instance, "groupUpdateSubject")
    group.subject = call.body["subject"]
    group.subject_s = seconds(call.server)
    group.subject_owner = call.server.network.lids.of(own(instance))
    _changed(call, instance, group, subject=group.subject)
    return {"update": "success"}


@_failing_with(internal, "Error update group picture")
def _picture(call: RouteCall, instance: Instance) -> JsonObject:
    image = call.body["image"]
    if not is_url(image) and not is_base64(image):
        raise bad_request('"profilePicture" must be a url or a base64')
    # The library reads its own JID before it asks for the group.
    socket.send(instance, "updateProfilePicture")
    group = _visible(call, instance)
    if group.restrict:
        _need_admin(call, instance, group)
    secret = call.server.ids.secret(8).hex()
    url = f"https://pps.whatsapp.net/v/t61.24694-24/{secret}.jpg?ccb=11-4&oh=01&oe=00"
    call.server.network.profiles[group.jid] = Profile(picture=url, about=None)
    return {"update": "success"}


@_failing_with(internal, "Error updating group description")
def _description(call: RouteCall, instance: Instance) -> JsonObject:
    group = _editable(call, instance, "groupUpdateDescription")
    author = call.server.network.lids.of(own(instance))
    _describe(call, group, author, call.body["description"])
    _changed(call, instance, group, desc=call.body["description"])
    return {"update": "success"}


@_failing_with(not_found, "Error fetching group")
def _find(call: RouteCall, instance: Instance) -> JsonObject:
    group = _reach(call, instance, "groupMetadata")
    return summary(group, call.server.network.lids, _picture_of(call, group))


def _find_all(call: RouteCall, instance: Instance) -> list[JsonObject]:
    # The server loops over the answer of a client that is not there.
    if not instance.has_client:
        raise ErrorThrown("Cannot convert undefined or null to object", name="TypeError")
    socket.query(instance, "groupFetchAllParticipating")
    lids = call.server.network.lids
    listed = call.body["getParticipants"] == "true"
    return [
        summary(group, lids, _picture_of(call, group), participants=listed)
        for group in call.server.network.groups.values()
        if group.has(own(instance), lids)
    ]


@_failing_with(not_found, "No participants")
def _participants(call: RouteCall, instance: Instance) -> JsonObject:
    group = _reach(call, instance, "groupMetadata")
    server = call.server
    people = metadata(group, server.network.lids)["participants"]
    for person in people:
        contact = instance.contact(person["id"])
        # Names and pictures come from the server's own contacts, not from WhatsApp.
        person["name"] = contact["pushName"] if contact else UNDEFINED
        person["imgUrl"] = contact["profilePicUrl"] if contact else UNDEFINED
        # Members are on WhatsApp, and the server remembers that.
        if is_user(person["id"]):
            server.network.cache(person["id"], server.now_ms())
    return {"participants": people}


def _code(call: RouteCall, instance: Instance) -> str:
    return _as_admin(call, instance, "groupInviteCode").invite_code


@_failing_with(not_found, "No invite code")
def _invite_code(call: RouteCall, instance: Instance) -> JsonObject:
    code = _code(call, instance)
    return {"inviteUrl": f"{_INVITATION}{code}", "inviteCode": code}


def _invited(call: RouteCall, instance: Instance, member: str) -> Group:
    socket.query(instance, member)
    code = call.body["inviteCode"]
    for group in call.server.network.groups.values():
        if group.invite_code == code:
            return group
    raise ErrorThrown("item-not-found")


def _invite_info(call: RouteCall, instance: Instance) -> JsonObject:
    try:
        group = _invited(call, instance, "groupGetInviteInfo")
    except Thrown:
        # The cause is dropped; the code stands in its place.
        raise not_found("No invite info", call.body["inviteCode"]) from None
    return metadata(group, call.server.network.lids)


@_failing_with(not_found, "Accept invite error")
def _accept(call: RouteCall, instance: Instance) -> JsonObject:
    group = _invited(call, instance, "groupAcceptInvite")
    if not group.has(own(instance), call.server.network.lids):
        # Accepting again is no error.
        membership.join(call.server, group, own(instance))
    return {"accepted": True, "groupJid": group.jid}


def _send_invite(call: RouteCall, instance: Instance) -> JsonObject:
    try:
        url = f"{_INVITATION}{_code(call, instance)}"
        text = f"{call.body['description']}\n\n{url}"
        for number in [to_jid(number) for number in call.body["numbers"]]:
            message = {"conversation": text}
            send(call, instance, number, message, SendMode.TEXT, options=False)
    except Thrown:
        # Whoever came before the failure has got the invitation.
        raise not_found("No send invite") from None
    return {"send": True, "inviteUrl": url}


@_failing_with(not_found, "Revoke error")
def _revoke(call: RouteCall, instance: Instance) -> JsonObject:
    group = _as_admin(call, instance, "groupRevokeInvite")
    group.invite_code = call.server.ids.invite_code()
    _changed(call, instance, group, inviteCode=group.invite_code)
    return {"revoked": True, "inviteCode": group.invite_code}


@_failing_with(bad_request, "Error updating participants")
def _update_participants(call: RouteCall, instance: Instance) -> JsonObject:
    # Rewritten before the socket is looked at: a wrong type fails even when disconnected.
    people = [to_jid(name) for name in call.body["participants"]]
    group = _as_admin(call, instance, "groupParticipantsUpdate")
    results = [
        membership.change(call.server, group, jid, call.body["action"])
        for jid in people
        if not is_group(jid)
    ]
    # Only real changes are announced; refusals show in the answer alone.
    done = [result["jid"] for result in results if result["status"] == "200"]
    membership.report(call.server, group, own(instance), done, call.body["action"])
    return {"updateParticipants": results}


_SETTINGS = {
    "announcement": {"announce": True},
    "not_announcement": {"announce": False},
    "locked": {"restrict": True},
    "unlocked": {"restrict": False},
}


@_failing_with(bad_request, "Error updating setting")
def _setting(call: RouteCall, instance: Instance) -> JsonObject:
    group = _as_admin(call, instance, "groupSettingUpdate")
    change = _SETTINGS[call.body["action"]]
    group.announce = change.get("announce", group.announce)
    group.restrict = change.get("restrict", group.restrict)
    _changed(call, instance, group, **change)
    # The library answers nothing, so that the only member of the answer is undefined.
    return defined(updateSetting=UNDEFINED)


@_failing_with(bad_request, "Error updating member add mode")
def _member_add_mode(call: RouteCall, instance: Instance) -> JsonObject:
    group = _as_admin(call, instance, "groupMemberAddMode")
    mode = call.body["mode"]
    _changed(call, instance, group, memberAddMode=mode == "all_member_add")
    return {"update": "success", "mode": mode}


@_failing_with(bad_request, "Error updating setting")
def _ephemeral(call: RouteCall, instance: Instance) -> JsonObject:
    group = _editable(call, instance, "groupToggleEphemeral")
    group.ephemeral_s = int(call.body["expiration"])
    _changed(call, instance, group, ephemeralDuration=group.ephemeral_s)
    return {"success": True}


@_failing_with(bad_request, "Unable to leave the group")
def _leave(call: RouteCall, instance: Instance) -> JsonObject:
    group = _reach(call, instance, "groupLeave")
    membership.leave(call.server, group, own(instance))
    return {"groupJid": group.jid, "leave": True}


METHODS: dict[str, Method] = {
    "createGroup": _create,
    "updateGroupSubject": _subject,
    "updateGroupPicture": _picture,
    "updateGroupDescription": _description,
    "findGroup": _find,
    "fetchAllGroups": _find_all,
    "findParticipants": _participants,
    "inviteCode": _invite_code,
    "inviteInfo": _invite_info,
    "acceptInviteCode": _accept,
    "sendInvite": _send_invite,
    "revokeInviteCode": _revoke,
    "updateGParticipant": _update_participants,
    "updateGSetting": _setting,
    "updateMemberAddMode": _member_add_mode,
    "toggleEphemeral": _ephemeral,
    "leaveGroup": _leave,
}
