"""Groups (WHATSAPP-BAILEYS only)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from evolution_sdk._base.effect import Effect
from evolution_sdk.media import MediaKind
from evolution_sdk.media._plan import MediaRule
from evolution_sdk.models.chat import UpdateAck
from evolution_sdk.models.group import (
    EphemeralAck,
    Group,
    GroupParticipants,
    GroupSettingAck,
    InviteCode,
    InviteSent,
    JoinedGroup,
    LeftGroup,
    MemberAddModeAck,
    ParticipantUpdates,
    RevokedInvite,
)
from evolution_sdk.models.readers import list_of, optional
from evolution_sdk.operations.error_facts import ErrorFacts, Habit, pattern
from evolution_sdk.operations.operation import Operation, TimeoutKind

from ._declare import BAILEYS, NO_MULTIPART, Family

T = TypeVar("T")

# After the list the server asks for one profile picture per group, one after the other
# (`facts/endpoints.json`, group.fetch_all_groups).
_ALL_PICTURES_MS = 240_000
# Number look-up, creation, description, promotion, read-back: each waits for WhatsApp.
_FIVE_STEPS_MS = 60_000


_READS_OWN_ID = frozenset[Habit]({"reads_own_id"})
_group = Family("group", session=True, errors=ErrorFacts(habits=_READS_OWN_ID))


def _find(name: str, route: str, read: Callable[[Any], T], key: str = "groupJid") -> Operation[T]:
    """A look-up, of one group by its JID unless another key is named."""
    return _group(
        name,
        "GET",
        route,
        Effect.READ,
        read,
        channels=BAILEYS,
        query=(key,),
        # Of groups and their members the server tells both ids.
        teaches_lids=True,
    )


def _change(
    name: str,
    route: str,
    read: Callable[[Any], T],
    *,
    effect: Effect = Effect.IDEMPOTENT,
    timeout: TimeoutKind = TimeoutKind.READ,
) -> Operation[T]:
    """A change of one group; these take its JID in the body, and in the query as well."""
    return _group(
        name,
        "POST",
        route,
        effect,
        read,
        channels=BAILEYS,
        query=("groupJid",),
        timeout=timeout,
        invalidates=("group",),
    )


CREATE_GROUP = _group(
    "create_group",
    "POST",
    "create",
    Effect.SEND,
    Group.from_wire,
    channels=BAILEYS,
    timeout=TimeoutKind.SEND,
    patience_ms=_FIVE_STEPS_MS,
    teaches_lids=True,
    # It takes several steps, so that "not sent" may be said of the second one.
    errors=ErrorFacts(
        habits=_READS_OWN_ID,
        may_have_acted=pattern(r"^Error creating group; (?!TypeError: .*reading 'onWhatsApp')"),
    ),
)
UPDATE_GROUP_SUBJECT = _change("update_group_subject", "updateGroupSubject", UpdateAck.from_wire)
UPDATE_GROUP_PICTURE = replace(
    _change(
        "update_group_picture",
        "updateGroupPicture",
        UpdateAck.from_wire,
        timeout=TimeoutKind.MEDIA,
    ),
    media=MediaRule("image", MediaKind.IMAGE, NO_MULTIPART),
)
UPDATE_GROUP_DESCRIPTION = _change(
    "update_group_description", "updateGroupDescription", UpdateAck.from_wire
)
FIND_GROUP_INFO = replace(
    _find("find_group_info", "findGroupInfos", optional(Group)), cached_as="group"
)
FETCH_ALL_GROUPS = replace(
    _find("fetch_all_groups", "fetchAllGroups", list_of(Group), key="getParticipants"),
    patience_ms=_ALL_PICTURES_MS,
    slow=True,
    errors=ErrorFacts(habits=frozenset({"reads_own_id", "maps_list"})),
)
FIND_GROUP_PARTICIPANTS = _find(
    "find_group_participants", "participants", GroupParticipants.from_wire
)
FETCH_INVITE_CODE = _find("fetch_invite_code", "inviteCode", InviteCode.from_wire)
FIND_GROUP_BY_INVITE_CODE = _find(
    "find_group_by_invite_code", "inviteInfo", Group.from_wire, key="inviteCode"
)
ACCEPT_INVITE_CODE = replace(
    _find("accept_invite_code", "acceptInviteCode", JoinedGroup.from_wire, key="inviteCode"),
    effect=Effect.IDEMPOTENT,  # a GET that joins; joining twice ends in the same state
    invalidates=("group",),
)
SEND_GROUP_INVITE = _group(
    "send_group_invite",
    "POST",
    "sendInvite",
    Effect.SEND,
    InviteSent.from_wire,
    channels=BAILEYS,
    timeout=TimeoutKind.SEND,
    invalidates=("group",),
)
REVOKE_INVITE_CODE = replace(
    _change(
        "revoke_invite_code",
        "revokeInviteCode",
        RevokedInvite.from_wire,
        effect=Effect.SEND,  # a repeat voids the code that the first call made
    ),
    # A connection may close after the one thing was asked of WhatsApp.
    errors=ErrorFacts(habits=_READS_OWN_ID, may_have_acted=pattern(r"Connection Closed")),
)
UPDATE_PARTICIPANTS = replace(
    _change("update_participants", "updateParticipant", ParticipantUpdates.from_wire),
    teaches_lids=True,
)
UPDATE_GROUP_SETTING = _change("update_group_setting", "updateSetting", GroupSettingAck.from_wire)
UPDATE_MEMBER_ADD_MODE = replace(
    _change("update_member_add_mode", "updateMemberAddMode", MemberAddModeAck.from_wire),
    since="2.4",
)
TOGGLE_EPHEMERAL = _change("toggle_ephemeral", "toggleEphemeral", EphemeralAck.from_wire)
LEAVE_GROUP = replace(
    _change("leave_group", "leaveGroup", LeftGroup.from_wire),
    method="DELETE",
    effect=Effect.DESTRUCTIVE,  # who was invited back meanwhile would leave again
)
