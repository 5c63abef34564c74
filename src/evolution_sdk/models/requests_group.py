"""Bodies and queries of the /group routes, checked before they leave.

The server checks the form of a group's id on a few routes only. Here every route checks it, since
WhatsApp would not know such a group either.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from evolution_sdk.identity import Jid

from .base import RequestModel
from .requests_message import Picture
from .requests_text import Correspondent

_SUFFIX = "@g.us"
_GROUP_ID = re.compile(r"[0-9-]+@g\.us")
_INVITE_LINK = re.compile(r"(?:https?://)?chat\.whatsapp\.com/(?:invite/)?([^/?#]+).*")
_SHORTEST_NUMBER = 10

ParticipantAction = Literal["add", "remove", "promote", "demote"]
GroupSettingAction = Literal["announcement", "not_announcement", "locked", "unlocked"]
EphemeralSeconds = Literal[0, 86_400, 604_800, 7_776_000]


def _group_jid(value: Any) -> str:
    text = str(value).strip() if isinstance(value, str | Jid) else ""
    text = text if text.endswith(_SUFFIX) else text + _SUFFIX
    if not _GROUP_ID.fullmatch(text):
        raise ValueError("must be a group's id: digits and dashes, with or without @g.us")
    return text


def _invite_code(value: Any) -> Any:
    """Extract the code from an invitation link."""
    found = _INVITE_LINK.fullmatch(value.strip()) if isinstance(value, str) else None
    return found[1] if found else value


def _long_enough(number: str) -> str:
    """Write a short number as a JID: the server rejects fewer than 10 characters."""
    return number if len(number) >= _SHORTEST_NUMBER else f"{number}@s.whatsapp.net"


def _each_once(numbers: tuple[str, ...]) -> tuple[str, ...]:
    if len(set(numbers)) != len(numbers):
        raise ValueError("each number only once")
    return numbers


GroupJid = Annotated[str, BeforeValidator(_group_jid)]
Code = Annotated[str, BeforeValidator(_invite_code), Field(pattern=r"^[a-zA-Z0-9]{22}$")]
Member = Annotated[Correspondent, AfterValidator(_long_enough)]
Members = Annotated[tuple[Member, ...], Field(min_length=1), AfterValidator(_each_once)]


class CreateGroupRequest(RequestModel):
    """A new group. The server accepts a picture too, but ignores it."""

    subject: str = Field(min_length=1)
    participants: Members
    description: str | None = Field(default=None, min_length=1)
    promote_participants: bool | None = None


class GroupRef(RequestModel):
    """A group, by its JID."""

    group_jid: GroupJid


class GroupSubjectRequest(GroupRef):
    """A new name for a group."""

    subject: str = Field(min_length=1)


class GroupPictureRequest(GroupRef):
    """A new picture for a group, as URL or bare base64."""

    image: Picture


class GroupDescriptionRequest(GroupRef):
    """A new description for a group; the server rejects an empty one."""

    description: str = Field(min_length=1)


class FetchGroupsQuery(RequestModel):
    """The query of the list of groups; the server demands literally ``true`` or ``false``."""

    get_participants: Literal["true", "false"]


class InviteQuery(RequestModel):
    """An invitation, by its code."""

    invite_code: Code


class SendInviteRequest(GroupRef):
    """An invitation to send as a text message."""

    description: str = Field(min_length=1)
    numbers: Members


class ParticipantsRequest(GroupRef):
    """Participants to add, remove, promote or demote."""

    action: ParticipantAction
    participants: Members


class GroupSettingRequest(GroupRef):
    """A group setting: the people who may write, or who may edit the group's data."""

    action: GroupSettingAction


class MemberAddModeRequest(GroupRef):
    """The people who may add members."""

    mode: Literal["admin_add", "all_member_add"]


class EphemeralRequest(GroupRef):
    """The time after which messages disappear, in seconds; 0 switches this off."""

    called: ClassVar[Mapping[str, str]] = {"expiration": "expiration_seconds"}

    expiration: EphemeralSeconds
