"""Groups of the simulated phone network, arranged by a test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from evolution_sdk._common.arguments import checked

from .arrange_errors import ArrangementError, NotArrangedError
from .channels.baileys.membership import change, report
from .groups import Description, Group, Member
from .numbers import create_jid
from .state import ServerState


@checked()
class FakeGroups(Mapping[str, Group]):
    """The groups by JID, at ``fake.groups``, made through the API or added here.

    Read them as a mapping; change them by requests, as a client does, or as their members do on
    their phones, by :meth:`change`.

    Args:
        server: The state of the fake.
    """

    def __init__(self, server: ServerState) -> None:
        self._server = server

    def __getitem__(self, jid: str) -> Group:
        with self._server.lock:
            return self._server.network.groups[jid]

    def __iter__(self) -> Iterator[str]:
        # A copy: a request in another thread may add a group meanwhile.
        with self._server.lock:
            return iter(list(self._server.network.groups))

    def __len__(self) -> int:
        return len(self._server.network.groups)

    def __repr__(self) -> str:
        return f"FakeGroups({list(self)!r})"

    def add(
        self,
        jid: str,
        subject: str = "Group",
        participants: Sequence[str] = (),
        *,
        admins: Sequence[str] = (),
        owner: str | None = None,
        description: str | None = None,
        invite_code: str | None = None,
        joined: bool = True,
        cached: bool = False,
    ) -> None:
        """Add a group that somebody made on a phone; sends to groups that do not exist fail.

        Args:
            jid: Its JID, ending in ``@g.us``.
            subject: Its name.
            participants: JIDs of the members, phones or LIDs.
            admins: JIDs of those members that are admins.
            owner: JID of the member who made it, an admin as well; None for nobody known.
            description: Its description; None for a group without one.
            invite_code: Code of its invitation link; made up when None.
            joined: Whether connected instances whose account is not listed are members and
                admins all the same; else they have to be invited.
            cached: Whether the server has its metadata already.

        Raises:
            ValueError: An admin or the owner is not among the participants.
        """
        strangers = {*admins, *([] if owner is None else [owner])} - {*participants}
        if strangers:
            names = ", ".join(sorted(map(str, strangers)))
            raise ArrangementError(
                f"admins and owner: must be among the participants: {names} is not. "
                "Add the JID to participants.",
                variable="admins",
            )
        server = self._server
        with server.lock:
            ids, now = server.ids, int(server.now_ms() / 1000)
            about = Description(description, ids.whatsapp(), owner, now) if description else None
            group = Group(
                jid,
                subject,
                created_s=now,
                subject_s=now,
                owner=owner,
                subject_owner=owner,
                description=about,
                invite_code=invite_code or ids.invite_code(),
                assumed=joined,
            )
            for person in participants:
                rank: Literal["admin"] | None = "admin" if person in admins else None
                group.members.append(Member(person, "superadmin" if person == owner else rank))
            server.network.groups[jid] = group
            # Without its metadata the first send asks WhatsApp, which needs an open socket.
            if cached:
                server.network.cached_groups.add(jid)

    def refuse(self, *numbers: str, status: str = "403") -> None:
        """Let people refuse to be added to groups.

        Args:
            *numbers: Their numbers.
            status: Status that adding them answers: ``403`` (their privacy settings; an
                invitation code comes with it) or ``408`` (they left recently).
        """
        with self._server.lock:
            for number in numbers:
                self._server.network.group_refusals[create_jid(number)] = status

    def change(
        self,
        jid: str,
        action: Literal["add", "remove", "promote", "demote"],
        participants: Sequence[str],
        *,
        author: str,
    ) -> None:
        """Let an admin change members on their phone: instances in the group hear of it.

        The event is ``group-participants.update``. Members that are there already, or are not
        there at all, are left out of it.

        Args:
            jid: The group.
            action: ``add``, ``remove``, ``promote`` or ``demote``.
            participants: Numbers or JIDs of the members.
            author: Number or JID of the admin; a member who leaves is their own author.

        Raises:
            KeyError: There is no such group.
        """
        server = self._server
        with server.lock:
            group = server.network.group(jid)
            if group is None:
                raise NotArrangedError(
                    f"jid: the fake has no group {jid!r}. Add it with groups.add() first.",
                    variable="jid",
                )
            named = create_jid(author)
            phone = server.network.lids.phone(named) or named
            changed = [
                each
                for each in map(create_jid, participants)
                if change(server, group, each, action)["status"] == "200"
            ]
            report(server, group, phone, changed, action)
