"""``/group/*``: checks that look at query and body, and errors that name each property."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from evolution_sdk.testing.fake.channels import on_channel
from evolution_sdk.testing.fake.errors import ErrorThrown, bad_request
from evolution_sdk.testing.fake.js import get, truthy
from evolution_sdk.testing.fake.router import Call, Route
from evolution_sdk.testing.fake.schema import Schema, validate_properties
from evolution_sdk.testing.fake.schemas import group as schemas

_Check: TypeAlias = Callable[[Call], None]
_SUFFIX = "@g.us"


def _body(schema: Schema) -> _Check:
    """Validate the body alone."""

    def check(call: Call) -> None:
        problems = validate_properties(call.body, schema)
        if problems:
            raise bad_request(*problems)

    return check


def _with_group(schema: Schema) -> _Check:
    """Take the group from body or query, complete its JID, then validate."""
    valid = _body(schema)

    def check(call: Call) -> None:
        jid = get(call.body, "groupJid")
        jid = jid if truthy(jid) else get(call.query, "groupJid")
        if not truthy(jid):
            raise bad_request(
                "The group id needs to be informed in the query", 'ex: "groupJid=120362@g.us"'
            )
        if not isinstance(jid, str):
            raise ErrorThrown("groupJid.endsWith is not a function", name="TypeError")
        call.body["groupJid"] = jid if jid.endswith(_SUFFIX) else f"{jid}{_SUFFIX}"
        valid(call)

    return check


def _with_query(name: str, schema: Schema, *refusal: str) -> _Check:
    """Take a parameter from the query, and only from there, then validate."""
    valid = _body(schema)

    def check(call: Call) -> None:
        if not truthy(get(call.query, name)):
            raise bad_request(*refusal)
        call.body.update(call.query)
        valid(call)

    return check


_INVITED = _with_query(
    "inviteCode",
    schemas.INVITE_CODE,
    "The group invite code id needs to be informed in the query",
    'ex: "inviteCode=F1EX5QZxO181L3TMVP31gY" (Obtained from group join link)',
)
_ALL = _with_query(
    "getParticipants",
    schemas.GET_PARTICIPANTS,
    "The getParticipants needs to be informed in the query",
)
_ONE = _with_group(schemas.GROUP_JID)


def _route(
    operation: str, method: str, path: str, member: str, check: _Check, *, status: int | None = None
) -> Route:
    """A group route; a POST answers 201 unless told otherwise."""
    usual = 201 if method == "POST" else 200
    return Route(
        f"group.{operation}",
        method,
        f"/group/{path}/{{instance}}",
        on_channel(member, check),
        status=status or usual,
        merge_query=False,
    )


ROUTES = [
    Route("group.create_group", "POST", "/group/create/{instance}", on_channel("createGroup"),
          status=201, schema=schemas.CREATE),
    _route("update_group_subject", "POST", "updateGroupSubject", "updateGroupSubject",
           _with_group(schemas.SUBJECT)),
    _route("update_group_picture", "POST", "updateGroupPicture", "updateGroupPicture",
           _with_group(schemas.PICTURE)),
    _route("update_group_description", "POST", "updateGroupDescription", "updateGroupDescription",
           _with_group(schemas.DESCRIPTION)),
    _route("find_group_info", "GET", "findGroupInfos", "findGroup", _ONE),
    _route("fetch_all_groups", "GET", "fetchAllGroups", "fetchAllGroups", _ALL),
    _route("find_group_participants", "GET", "participants", "findParticipants", _ONE),
    _route("fetch_invite_code", "GET", "inviteCode", "inviteCode", _ONE),
    _route("find_group_by_invite_code", "GET", "inviteInfo", "inviteInfo", _INVITED),
    _route("accept_invite_code", "GET", "acceptInviteCode", "acceptInviteCode", _INVITED),
    _route("send_group_invite", "POST", "sendInvite", "sendInvite", _body(schemas.SEND_INVITE),
           status=200),
    _route("revoke_invite_code", "POST", "revokeInviteCode", "revokeInviteCode", _ONE),
    _route("update_participants", "POST", "updateParticipant", "updateGParticipant",
           _with_group(schemas.PARTICIPANTS)),
    _route("update_group_setting", "POST", "updateSetting", "updateGSetting",
           _with_group(schemas.SETTING)),
    _route("toggle_ephemeral", "POST", "toggleEphemeral", "toggleEphemeral",
           _with_group(schemas.EPHEMERAL)),
    _route("leave_group", "DELETE", "leaveGroup", "leaveGroup", _ONE),
]  # fmt: skip
