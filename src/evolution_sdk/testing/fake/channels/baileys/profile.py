"""Profiles, privacy settings and the own presence on WHATSAPP-BAILEYS."""

from __future__ import annotations

from typing import Any

from evolution_sdk.testing.fake.channels.base import Method, as_400, to_jid
from evolution_sdk.testing.fake.errors import Thrown, bad_request, internal
from evolution_sdk.testing.fake.js import UNDEFINED, JsonObject, defined, get, truthy
from evolution_sdk.testing.fake.media import is_base64, is_url
from evolution_sdk.testing.fake.router import RouteCall
from evolution_sdk.testing.fake.schemas.chat import PRIVACY_SETTINGS
from evolution_sdk.testing.fake.state import Instance

from . import socket
from .numbers import check_numbers

_PRIVACY = {"status": "contacts", "last": "contacts"}
_ABOUT_SET_AT = "2023-11-14T22:13:20.000Z"


def _picture_of(call: RouteCall, instance: Instance, jid: str) -> str | None:
    """Return a picture's URL; any failure, a closed socket among them, gives none."""
    return call.server.network.profile(jid).picture if instance.state == "open" else None


def _picture(call: RouteCall, instance: Instance) -> JsonObject:
    jid = to_jid(get(call.body, "number"))
    return {"wuid": jid, "profilePictureUrl": _picture_of(call, instance, jid)}


def business_profile(call: RouteCall, instance: Instance, number: Any) -> JsonObject:
    """Look up the business profile of a number or of the own account.

    Raises:
        HttpThrown: The look-up failed (500).
    """
    try:
        # Before a login the own JID is undefined, which createJid then trips over.
        jid = to_jid(number) if truthy(number) else instance.owner_jid or UNDEFINED
        socket.query(instance, "getBusinessProfile")
        to_jid(jid)
        profile = call.server.network.profile(str(jid)).business
        if profile is not None:
            return {"isBusiness": True, **profile}
        found = check_numbers(call.server, instance, [jid])[0]
    except Thrown as thrown:
        raise internal("Error updating profile name", thrown.text) from None
    return {"isBusiness": False, "message": "Not is business profile", **found}


def _business_profile(call: RouteCall, instance: Instance) -> JsonObject:
    return business_profile(call, instance, get(call.body, "number"))


def _profile(call: RouteCall, instance: Instance) -> JsonObject:
    number = get(call.body, "number")
    given = truthy(number)
    jid: Any = to_jid(number) if given else own_id(instance)
    found = check_numbers(call.server, instance, [jid])[0]
    if not found["exists"]:
        raise bad_request(found)
    try:
        business = business_profile(call, instance, found["jid"] if given else jid)
    except Thrown:
        empty = ("name", "picture", "status", "os")
        # The catch block answers an empty profile with 200
        # (`facts/observed.md` "2xx that are not successes" 5).
        return {"wuid": jid, **dict.fromkeys(empty), "isBusiness": False}
    shared = _business_part(business)
    if not given:
        # The server reads members of a list here, so that the own name and picture are missing.
        return defined(wuid=jid, numberExists=True, **shared)
    about = call.server.network.profile(found["jid"]).about
    return defined(
        wuid=found["jid"],
        name=get(found, "name"),
        numberExists=True,
        picture=_picture_of(call, instance, found["jid"]),
        status=None if about is None else {"status": about, "setAt": _ABOUT_SET_AT},
        **shared,
    )


def _business_part(business: JsonObject) -> JsonObject:
    sites = get(business, "website")
    return {
        "isBusiness": business["isBusiness"],
        "email": get(business, "email"),
        "description": get(business, "description"),
        "website": sites[0] if isinstance(sites, list) and sites else UNDEFINED,
    }


def own_id(instance: Instance) -> Any:
    """Return the own id with its device, as Baileys keeps it; undefined before a login."""
    if not instance.logged_in or instance.owner_jid is None:
        return UNDEFINED
    user, _, domain = instance.owner_jid.partition("@")
    return f"{user}:12@{domain}"


def _update(words: str, member: str, gate: Any) -> Method:
    def method(_: RouteCall, instance: Instance) -> JsonObject:
        try:
            gate(instance, member)
        except Thrown as thrown:
            raise internal(words, thrown.text) from None
        return {"update": "success"}

    return method


_set_picture = _update(
    "Error updating profile picture", "updateProfilePicture", socket.update_own_picture
)


def _update_picture(call: RouteCall, instance: Instance) -> Any:
    picture = get(call.body, "picture")
    if not is_url(picture) and not is_base64(picture):
        # An exception inside the catch block's reach: its text is lost as [object Object].
        refused = bad_request('"profilePicture" must be a url or a base64')
        raise internal("Error updating profile picture", refused.text)
    return _set_picture(call, instance)


def _fetch_privacy(_: RouteCall, instance: Instance) -> JsonObject:
    socket.query(instance, "fetchPrivacySettings")
    return {
        name: instance.privacy.get(name, _PRIVACY.get(name, "all")) for name in PRIVACY_SETTINGS
    }


def _update_privacy(call: RouteCall, instance: Instance) -> JsonObject:
    try:
        socket.query(instance, "updateReadReceiptsPrivacy")
    except Thrown as thrown:
        raise internal("Error updating privacy settings", thrown.text) from None
    instance.privacy = {name: call.body[name] for name in PRIVACY_SETTINGS}
    return {"update": "success", "data": dict(instance.privacy)}


def _set_presence(call: RouteCall, instance: Instance) -> JsonObject:
    try:
        socket.presence(instance)
    except Thrown as thrown:
        raise as_400(thrown) from None
    instance.presence = call.body["presence"]
    return {"presence": instance.presence}


METHODS: dict[str, Method] = {
    "profilePicture": _picture,
    "fetchProfile": _profile,
    "fetchBusinessProfile": _business_profile,
    "updateProfileName": _update(
        "Error updating profile name", "updateProfileName", socket.patch_chat
    ),
    "updateProfileStatus": _update(
        "Error updating profile status", "updateProfileStatus", socket.query
    ),
    "updateProfilePicture": _update_picture,
    "removeProfilePicture": _update(
        "Error removing profile picture", "removeProfilePicture", socket.update_own_picture
    ),
    "fetchPrivacySettings": _fetch_privacy,
    "updatePrivacySettings": _update_privacy,
    "setPresence": _set_presence,
}
