"""Groups of the simulated phone network: members, rights, settings, and how WhatsApp shows them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from .js import UNDEFINED, JsonObject, defined, or_undefined
from .lids import LID_SUFFIX, Lids
from .numbers import is_user

Rank: TypeAlias = Literal["admin", "superadmin"]


@dataclass(slots=True)
class Member:
    """One member.

    Attributes:
        jid: Their name in the group: a LID in a LID-addressed group, else the phone's JID.
        admin: Their rank; None is an ordinary member.
    """

    jid: str
    admin: Rank | None = None


@dataclass(slots=True)
class Description:
    """A group's description with its author and time (in seconds since the epoch)."""

    text: str
    id: str
    owner: str | None
    at_s: int


@dataclass(slots=True)
class Group:
    """A group.

    Attributes:
        created_s: Time of its creation, in seconds since the epoch.
        subject_s: Time of its last naming, in seconds since the epoch.
        restrict: Whether only admins change subject, picture, description and expiry.
        announce: Whether only admins write.
        ephemeral_s: Life of its messages, in seconds; 0 for ever.
        assumed: Whether own accounts that are not listed count as members and admins, so that a
            test need not list them; those that left do not.
    """

    jid: str
    subject: str
    members: list[Member] = field(default_factory=list[Member])
    created_s: int = 0
    subject_s: int = 0
    owner: str | None = None
    subject_owner: str | None = None
    description: Description | None = None
    restrict: bool = False
    announce: bool = False
    ephemeral_s: int = 0
    invite_code: str = ""
    assumed: bool = False
    left: set[str] = field(default_factory=set[str])

    @property
    def participants(self) -> list[str]:
        """The members' JIDs."""
        return [member.jid for member in self.members]

    @property
    def by_lid(self) -> bool:
        """True if it addresses its members by LID."""
        return any(member.jid.endswith(LID_SUFFIX) for member in self.members)

    def find(self, jid: str, lids: Lids) -> Member | None:
        """Find a member by phone or LID."""
        wanted = lids.of(jid)
        return next((m for m in self.members if lids.of(m.jid) == wanted), None)

    def has(self, jid: str, lids: Lids) -> bool:
        """Tell if an own account is in the group."""
        return self.find(jid, lids) is not None or (self.assumed and jid not in self.left)

    def is_admin(self, jid: str, lids: Lids) -> bool:
        """Tell if an own account has the rights of an admin."""
        member = self.find(jid, lids)
        return self.has(jid, lids) if member is None else member.admin is not None

    def add(self, jid: str, lids: Lids, admin: Rank | None = None) -> Member:
        """Add a member, named as this group names its members."""
        # An empty group is new, and new groups are addressed by LID.
        by_phone = self.members and not self.by_lid
        member = Member(jid if by_phone else lids.of(jid), admin)
        self.members.append(member)
        self.left.discard(jid)
        return member

    def remove(self, jid: str, lids: Lids) -> None:
        """Remove a member."""
        member = self.find(jid, lids)
        if member is not None:
            self.members.remove(member)
        # Also for an account that was never listed: else it would count as a member again.
        self.left.add(jid)


def member_shown(member: Member, lids: Lids) -> JsonObject:
    """Show a member as WhatsApp does: with the phone behind a LID, or the LID beside a phone."""
    by_lid = member.jid.endswith(LID_SUFFIX)
    return defined(
        id=member.jid,
        phoneNumber=or_undefined(lids.phone(member.jid) if by_lid else None),
        lid=or_undefined(lids.known(member.jid) if not by_lid else None),
        admin=member.admin,
    )


def metadata(group: Group, lids: Lids) -> JsonObject:
    """Show all that WhatsApp tells of a group, as create and invitation look-ups answer it."""
    about = group.description
    return defined(
        id=group.jid,
        addressingMode="lid" if group.by_lid else "pn",
        subject=group.subject,
        **_person("subjectOwner", group.subject_owner, group, lids),
        subjectTime=group.subject_s,
        size=len(group.members),
        creation=group.created_s,
        **_person("owner", group.owner, group, lids),
        desc=about.text if about else UNDEFINED,
        descId=about.id if about else UNDEFINED,
        descOwner=or_undefined(about.owner) if about else UNDEFINED,
        descTime=about.at_s if about else UNDEFINED,
        restrict=group.restrict,
        announce=group.announce,
        isCommunity=False,
        isCommunityAnnounce=False,
        joinApprovalMode=False,
        memberAddMode=True,
        participants=[member_shown(member, lids) for member in group.members],
        ephemeralDuration=group.ephemeral_s or UNDEFINED,
    )


def _person(name: str, jid: str | None, group: Group, lids: Lids) -> JsonObject:
    if jid is None:
        return {}
    phone = jid if is_user(jid) else lids.phone(jid)
    # The field ending in Pn exists only in groups that are addressed by LID.
    if not group.by_lid:
        return {name: phone or jid}
    return {name: lids.of(jid), f"{name}Pn": or_undefined(phone)}


_SUMMARY = (
    "id", "subject", "subjectOwner", "subjectTime", "pictureUrl", "size", "creation", "owner",
    "desc", "descId", "restrict", "announce", "isCommunity", "isCommunityAnnounce", "participants",
)  # fmt: skip


def summary(
    group: Group, lids: Lids, picture: str | None, *, participants: bool = True
) -> JsonObject:
    """Show what the server keeps of the metadata in its own group answers.

    Args:
        group: The group.
        lids: The pairs of phones and LIDs.
        picture: URL of its picture.
        participants: Whether the members are listed.
    """
    whole = {**metadata(group, lids), "pictureUrl": picture}
    wanted = _SUMMARY if participants else _SUMMARY[:-1]
    return {name: whole[name] for name in wanted if name in whole}
