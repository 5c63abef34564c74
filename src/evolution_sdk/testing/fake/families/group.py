"""Routes of ``/group/*``: checks of query and body, with errors that name each property."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from evolution_sdk.testing.fake.channels import on_channel
from evolution_sdk.testing.fake.errors import ErrorThrown, bad_request
from evolution_sdk.testing.fake.js import get, truthy
from evolution_sdk.testing.fake.router import Route, RouteCall
from evolution_sdk.testing.fake.schema import Schema, validate_properties
from evolution_sdk.testing.fake.schemas import group as schemas

_Check: TypeAlias = Callable[[RouteCall], None]
_SUFFIX = "@g.us"


def _body(schema: Schema) -> _Check:
    """Make a check of the body alone."""

    def check(call: RouteCall) -> None:
        problems = validate_properties(call.body, schema)
        if problems:
            raise bad_request(*problems)

    return check


def _with_group(schema: Schema) -> _Check:
    """Make a check that takes the group from body or query, completes its JID, and validates."""
    valid = _body(schema)

    def check(call: RouteCall) -> None:
        jid = get(call.body, "groupJid")
        jid = jid if truthy(jid) else get(call.query, "groupJid")
        if not truthy(jid):
            raise bad_request(
                "The group id needs to be informed in the query", 'ex: "groupJid=120362@g.us"'
            )
        if not isinstance(jid, str):
            raise ErrorThrown("groupJid.endsWith is not a function", name="TypeError")
        # Callers may leave the suffix out.
        call.body["groupJid"] = jid if jid.endswith(_SUFFIX) else f"{jid}{_SUFFIX}"
        valid(call)

    return check


def _with_query(name: str, schema: Schema, *refusal: str) -> _Check:
    """Make a check that takes a parameter from the query, and only from there, and validates."""
    valid = _body(schema)

    def check(call: RouteCall) -> None:
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


def _route(operation: str, member: str, check: _Check, *, status: int = 200) -> Route:
    """Make a group route; its query never reaches the path parameters."""
    return Route(f"group.{operation}", on_channel(member, check), status=status, merge_query=False)


ROUTES = [
    Route("group.create_group", on_channel("createGroup"), status=201, schema=schemas.CREATE),
    _route("update_group_subject", "updateGroupSubject", _with_group(schemas.SUBJECT), status=201),
    _route("update_group_picture", "updateGroupPicture", _with_group(schemas.PICTURE), status=201),
    _route(
        "update_group_description",
        "updateGroupDescription",
        _with_group(schemas.DESCRIPTION),
        status=201,
    ),
    _route("find_group_info", "findGroup", _ONE),
    _route("fetch_all_groups", "fetchAllGroups", _ALL),
    _route("find_group_participants", "findParticipants", _ONE),
    _route("fetch_invite_code", "inviteCode", _ONE),
    _route("find_group_by_invite_code", "inviteInfo", _INVITED),
    _route("accept_invite_code", "acceptInviteCode", _INVITED),
    _route("send_group_invite", "sendInvite", _body(schemas.SEND_INVITE)),
    _route("revoke_invite_code", "revokeInviteCode", _ONE, status=201),
    _route(
        "update_participants", "updateGParticipant", _with_group(schemas.PARTICIPANTS), status=201
    ),
    _route("update_group_setting", "updateGSetting", _with_group(schemas.SETTING), status=201),
    _route(
        "update_member_add_mode",
        "updateMemberAddMode",
        _with_group(schemas.MEMBER_ADD_MODE),
        status=201,
    ),
    _route("toggle_ephemeral", "toggleEphemeral", _with_group(schemas.EPHEMERAL), status=201),
    _route("leave_group", "leaveGroup", _ONE),
]
