"""Answers about groups."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from pydantic import Field

from evolution_sdk.identity import Jid, PhoneNumber

from .base import Model, Number, OpenEnum, UnixTime
from .people import jid_at, person_ids, real_name


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


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a group, in whatever form the server told it.

    Attributes:
        jid: The id by which the group knows the member: often an ``@lid``.
        lid: The hidden id, if it was told.
        phone: The phone number, if it was told; never the digits of the hidden id.
        role: The member's role as told; None for an ordinary member, and where not told.
        is_admin: True for an administrator; None where that was not told.
        name: The name, if the server knows one; not the digits that it writes otherwise.
        picture_url: The URL of the picture, if the server knows one.
        username: The name that the person chose as an address, if told.
    """

    jid: Jid | None = None
    lid: Jid | None = None
    phone: PhoneNumber | None = None
    role: GroupRole | None = None
    is_admin: bool | None = None
    name: str | None = field(default=None, repr=False)
    picture_url: str | None = field(default=None, repr=False)
    username: str | None = field(default=None, repr=False)

    @property
    def is_told(self) -> bool:
        """True if at least one id of the member is known."""
        return self.jid is not None


class GroupParticipant(Model):
    """One participant. ``id`` is often an ``@lid``; ``phone_number`` is then the phone's JID."""

    shown: ClassVar[tuple[str, ...]] = ("id", "admin")
    expected: ClassVar[tuple[str, ...]] = ("id",)

    id: str = ""
    lid: str | None = None
    phone_number: str | None = None
    admin: GroupRole | None = None
    name: str | None = None
    notify: str | None = None
    username: str | None = None
    img_url: str | None = None

    @property
    def member(self) -> Member:
        """The participant with parsed ids."""
        ids = person_ids((self.id, self.lid), (self.phone_number,))
        told = "admin" in self.model_fields_set
        return Member(
            *ids,
            role=self.admin,
            is_admin=is_admin(self.admin) if told else None,
            name=real_name(ids, self.name, self.notify),
            picture_url=self.img_url,
            username=self.username,
        )


def is_admin(role: GroupRole | None) -> bool | None:
    """Tell if a role is that of an administrator.

    Args:
        role: The role; None is an ordinary member.

    Returns:
        The answer; None for a role unknown to this SDK.
    """
    return role is not None if role is None or role.is_known else None


class Group(Model):
    """A group. ``participants`` is None if they were not asked for.

    A new or invited group comes as WhatsApp reports it; a found one comes with its picture, and
    with ``size`` counted by the server. In ``groups.update`` only the changed fields are there; see
    ``told``.

    Attributes:
        author: The member who created or changed it, where an event tells that.
        announce: True if only administrators may write.
        restrict: True if only administrators may change the settings.
        member_add_mode: True if every member may add others.
        join_approval_mode: True if an administrator must let people in.
        linked_parent: The community that the group belongs to.
        invite_code: The code of the invitation. Anyone who has it can join.
        ephemeral_duration: Seconds until messages disappear.
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
    invite_code: str | None = None
    notify: str | None = None
    author: str | None = None
    author_pn: str | None = None
    author_username: str | None = None
    owner_username: str | None = None
    owner_country_code: str | None = Field(default=None, alias="owner_country_code")
    subject_owner_username: str | None = None
    desc_owner_username: str | None = None

    @property
    def jid(self) -> Jid | None:
        """The group's JID."""
        return jid_at(self.id)

    @property
    def community(self) -> Jid | None:
        """The community that the group belongs to."""
        return jid_at(self.linked_parent)

    @property
    def members(self) -> tuple[Member, ...]:
        """The participants with parsed ids; empty if they were not told."""
        return tuple(each.member for each in self.participants or ())

    @property
    def owner_phone(self) -> PhoneNumber | None:
        """The owner's phone number, if it was told."""
        return person_ids((self.owner,), (self.owner_pn,)).phone

    @property
    def author_phone(self) -> PhoneNumber | None:
        """The phone number of who changed it, if it was told."""
        return person_ids((self.author,), (self.author_pn,)).phone

    @property
    def told(self) -> frozenset[str]:
        """The names of the fields that were told, without those that say which group, and by whom.

        In ``groups.update`` these are the fields that changed.
        """
        found = self.model_fields_set & type(self).model_fields.keys()
        return frozenset(found) - _NOT_SETTINGS


_NOT_SETTINGS = frozenset({"id", "notify", "author", "author_pn", "author_username"})


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
