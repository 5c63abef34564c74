"""Answers about groups."""

from __future__ import annotations

from typing import Any, ClassVar

from .base import Model, Number, OpenEnum, UnixTime


class GroupRole(OpenEnum):
    """The role of a participant; None for an ordinary member."""

    ADMIN = "admin"
    SUPERADMIN = "superadmin"


class AddressingMode(OpenEnum):
    """The ids a group uses for its participants: phone numbers or hidden ids."""

    LID = "lid"
    PN = "pn"


class MemberAddMode(OpenEnum):
    """The people who may add members to a group."""

    ADMINS = "admin_add"
    ALL_MEMBERS = "all_member_add"


class GroupParticipant(Model):
    """One participant. ``id`` is often an ``@lid``; ``phone_number`` is then the phone's JID."""

    shown: ClassVar[tuple[str, ...]] = ("id", "admin")
    expected: ClassVar[tuple[str, ...]] = ("id",)

    id: str = ""
    lid: str | None = None
    phone_number: str | None = None
    admin: GroupRole | None = None
    name: str | None = None
    img_url: str | None = None


class Group(Model):
    """A group. ``participants`` is None if they were not asked for.

    A new or invited group comes as WhatsApp reports it; a found one comes with its picture, and
    with ``size`` counted by the server.
    """

    shown: ClassVar[tuple[str, ...]] = ("id", "size")
    expected: ClassVar[tuple[str, ...]] = ("id",)

    id: str = ""
    addressing_mode: AddressingMode | None = None
    subject: str | None = None
    subject_owner: str | None = None
    subject_owner_pn: str | None = None
    subject_time: UnixTime | None = None
    picture_url: str | None = None
    size: Number | None = None
    creation: UnixTime | None = None
    owner: str | None = None
    owner_pn: str | None = None
    desc: str | None = None
    desc_id: str | None = None
    desc_owner: str | None = None
    desc_owner_pn: str | None = None
    desc_time: UnixTime | None = None
    restrict: bool | None = None
    announce: bool | None = None
    participants: tuple[GroupParticipant, ...] | None = None
    is_community: bool | None = None
    is_community_announce: bool | None = None
    linked_parent: str | None = None
    join_approval_mode: bool | None = None
    member_add_mode: bool | None = None
    ephemeral_duration: Number | None = None


class GroupParticipants(Model):
    """The participants of a group, with names and pictures from the server's store."""

    shown: ClassVar[tuple[str, ...]] = ("participants",)
    expected: ClassVar[tuple[str, ...]] = ("participants",)

    participants: tuple[GroupParticipant, ...] = ()


class InviteCode(Model):
    """The invitation to a group. Anyone who has it can join, so ``repr`` shows nothing."""

    expected: ClassVar[tuple[str, ...]] = ("inviteCode",)

    invite_url: str = ""
    invite_code: str = ""


class RevokedInvite(Model):
    """The answer to revoking an invitation; ``invite_code`` is the new code."""

    shown: ClassVar[tuple[str, ...]] = ("revoked",)
    expected: ClassVar[tuple[str, ...]] = ("revoked",)

    revoked: bool = False
    invite_code: str | None = None


class JoinedGroup(Model):
    """The answer to accepting an invitation."""

    shown: ClassVar[tuple[str, ...]] = ("accepted", "group_jid")
    expected: ClassVar[tuple[str, ...]] = ("accepted",)

    accepted: bool = False
    group_jid: str | None = None


class InviteSent(Model):
    """The answer to sending an invitation to every number."""

    shown: ClassVar[tuple[str, ...]] = ("send",)
    expected: ClassVar[tuple[str, ...]] = ("send",)

    send: bool = False
    invite_url: str | None = None


class ParticipantUpdate(Model):
    """The outcome for one participant; the answer as a whole is a success even if it failed.

    ``status`` is a code as text: ``200``, or for example ``403`` (the person does not allow being
    added), ``408`` or ``409``. ``content`` is WhatsApp's own node.
    """

    shown: ClassVar[tuple[str, ...]] = ("status", "jid")
    expected: ClassVar[tuple[str, ...]] = ("status",)

    status: str = ""
    jid: str | None = None
    content: Any = None

    @property
    def ok(self) -> bool:
        """Tell whether the change was made."""
        return self.status == "200"


class ParticipantUpdates(Model):
    """The outcome for each participant."""

    shown: ClassVar[tuple[str, ...]] = ("update_participants",)
    expected: ClassVar[tuple[str, ...]] = ("updateParticipants",)

    update_participants: tuple[ParticipantUpdate, ...] = ()

    @property
    def failed(self) -> tuple[ParticipantUpdate, ...]:
        """The participants for whom the change was not made."""
        return tuple(update for update in self.update_participants if not update.ok)


class GroupSettingAck(Model):
    """Answer to a change of a setting; an empty object in 2.3.6."""

    update_setting: Any = None


class MemberAddModeAck(Model):
    """The answer to choosing who may add members."""

    shown: ClassVar[tuple[str, ...]] = ("update", "mode")
    expected: ClassVar[tuple[str, ...]] = ("update",)

    update: str = ""
    mode: MemberAddMode | None = None


class EphemeralAck(Model):
    """The answer to switching disappearing messages."""

    shown: ClassVar[tuple[str, ...]] = ("success",)
    expected: ClassVar[tuple[str, ...]] = ("success",)

    success: bool = False


class LeftGroup(Model):
    """The answer to leaving a group."""

    shown: ClassVar[tuple[str, ...]] = ("group_jid", "leave")
    expected: ClassVar[tuple[str, ...]] = ("leave",)

    group_jid: str = ""
    leave: bool = False
