"""Groups, their participants and invitations; WHATSAPP-BAILEYS only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, Unpack

from evolution_sdk._async.fetching import as_text, plan_file
from evolution_sdk._client.compose import MediaLike
from evolution_sdk._client.options import CacheOptions, CallOptions, SendOptions
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models import requests_group as req
from evolution_sdk.models.chat import UpdateAck
from evolution_sdk.models.group import (
    EphemeralAck,
    Group,
    GroupParticipant,
    GroupSettingAck,
    InviteCode,
    InviteSent,
    JoinedGroup,
    LeftGroup,
    MemberAddModeAck,
    ParticipantUpdates,
    RevokedInvite,
)
from evolution_sdk.operations.operation import Operation
from evolution_sdk.operations.routes import group as ops

from .base import AsyncResourceApi, T

# The server writes to the numbers one by one, and asks WhatsApp about each.
_PER_NUMBER_MS = 5_000


class AsyncGroupsApi(AsyncResourceApi):
    """Groups: create, find and change them, their participants and invitations."""

    __slots__ = ()

    async def create(
        self,
        subject: str,
        participants: Sequence[str | PhoneNumber | Jid],
        *,
        description: str | None = None,
        promote_participants: bool | None = None,
        **options: Unpack[SendOptions],
    ) -> Group:
        """Create a group. The server silently leaves out people who are not on WhatsApp.

        Args:
            subject: Its name.
            participants: The members, at least one, each once.
            description: Its description.
            promote_participants: True to make all of them admins.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`. ``resend`` does
                not send again, because a look-up cannot tell if the group was created.

        Returns:
            The group, with its actual participants.

        Raises:
            RequestValidationError: A value breaks a rule.
            InstanceNotConnectedError: The instance was never connected.
            ChannelNotSupportedError: Only WHATSAPP-BAILEYS has groups.
            SendOutcomeUnknownError: It failed half-way, or no answer arrived; the group may exist,
                because the server takes several steps. Check with :meth:`fetch_all`.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.CreateGroupRequest.check(
            subject=subject,
            participants=tuple(participants),
            description=description,
            promote_participants=promote_participants,
        )
        return await self._act(ops.CREATE_GROUP, request.body(), options)

    async def find_info(
        self, group_jid: str | Jid, **options: Unpack[CacheOptions]
    ) -> Group | None:
        """Look up a group with its participants. If the cache is on, it may answer.

        Args:
            group_jid: The group's JID, or its id without ``@g.us``.
            **options: Options of one call, see :class:`~evolution_sdk.CacheOptions`.

        Returns:
            The group, or None if the server answers ``null``.

        Raises:
            RequestValidationError: It is not a group's id.
            NotFoundError: There is no such group, or the account is not in it.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        query = req.GroupRef.check(group_jid=group_jid).body()
        return await self._remembered(
            ops.FIND_GROUP_INFO,
            "group look-up",
            query["groupJid"],
            _is_none,
            options,
            query=query,
        )

    async def fetch_all(
        self, *, get_participants: bool = False, **options: Unpack[CallOptions]
    ) -> list[Group]:
        """List all groups of the account.

        This is slow, because the server asks WhatsApp for one picture per group, one after the
        other. The call has four more minutes than others; with hundreds of groups pass a longer
        ``timeout_ms``.

        Args:
            get_participants: True to include the participants. Default False.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The groups; ``participants`` is None unless requested.

        Raises:
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            ChannelNotSupportedError: Only WHATSAPP-BAILEYS has groups.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        query = req.FetchGroupsQuery.check(get_participants="true" if get_participants else "false")
        return await self._pipeline.call(
            ops.FETCH_ALL_GROUPS, self._target, query=query.body(), options=options
        )

    async def find_participants(
        self, group_jid: str | Jid, **options: Unpack[CallOptions]
    ) -> tuple[GroupParticipant, ...]:
        """List the participants of a group, with names and pictures from the server's store.

        Args:
            group_jid: The group's JID, or its id without ``@g.us``.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The participants; many are named by ``@lid`` only.

        Raises:
            RequestValidationError: It is not a group's id.
            NotFoundError: There is no such group, or the account is not in it.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        found = await self._ask(ops.FIND_GROUP_PARTICIPANTS, group_jid, options)
        return found.participants

    async def update_subject(
        self, group_jid: str | Jid, subject: str, **options: Unpack[CallOptions]
    ) -> UpdateAck:
        """Rename a group.

        Args:
            group_jid: The group's JID, or its id without ``@g.us``.
            subject: Its new name.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: A value breaks a rule.
            PermissionDeniedError: The account may not do that in this group.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.GroupSubjectRequest.check(group_jid=group_jid, subject=subject)
        return await self._call(ops.UPDATE_GROUP_SUBJECT, request, options)

    async def update_picture(
        self, group_jid: str | Jid, image: MediaLike, **options: Unpack[CallOptions]
    ) -> UpdateAck:
        """Change a group's picture.

        Args:
            group_jid: The group's JID, or its id without ``@g.us``.
            image: The image; a URL is left to the server, like one of ``messages.send_media``.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: A value breaks a rule.
            PermissionDeniedError: The account may not do that in this group.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        operation = ops.UPDATE_GROUP_PICTURE
        req.GroupRef.check(group_jid=group_jid)
        text = await as_text(await plan_file(self._pipeline, operation, image, "image"))
        request = req.GroupPictureRequest.check(group_jid=group_jid, image=text)
        return await self._call(operation, request, options)

    async def update_description(
        self, group_jid: str | Jid, description: str, **options: Unpack[CallOptions]
    ) -> UpdateAck:
        """Change a group's description.

        Args:
            group_jid: The group's JID, or its id without ``@g.us``.
            description: The new text; the server refuses an empty one.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: A value breaks a rule.
            PermissionDeniedError: The account may not do that in this group.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.GroupDescriptionRequest.check(group_jid=group_jid, description=description)
        return await self._call(ops.UPDATE_GROUP_DESCRIPTION, request, options)

    async def update_participants(
        self,
        group_jid: str | Jid,
        action: req.ParticipantAction,
        participants: Sequence[str | PhoneNumber | Jid],
        **options: Unpack[CallOptions],
    ) -> ParticipantUpdates:
        """Add or remove people, or grant and revoke admin rights.

        Args:
            group_jid: The group's JID, or its id without ``@g.us``.
            action: ``add``, ``remove``, ``promote`` or ``demote``.
            participants: The people, at least one, each once.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            One result per person. The call succeeds even if the change failed for some; see
            ``failed``.

        Raises:
            RequestValidationError: A value breaks a rule.
            PermissionDeniedError: The account is no admin of this group.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.ParticipantsRequest.check(
            group_jid=group_jid, action=action, participants=tuple(participants)
        )
        return await self._call(ops.UPDATE_PARTICIPANTS, request, options)

    async def update_setting(
        self, group_jid: str | Jid, action: req.GroupSettingAction, **options: Unpack[CallOptions]
    ) -> GroupSettingAck:
        """Choose the members who may write, or who may edit the group's data.

        Args:
            group_jid: The group's JID, or its id without ``@g.us``.
            action: ``announcement`` (only admins write), ``not_announcement``, ``locked`` (only
                admins edit) or ``unlocked``.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement without details.

        Raises:
            RequestValidationError: A value breaks a rule.
            PermissionDeniedError: The account is no admin of this group.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.GroupSettingRequest.check(group_jid=group_jid, action=action)
        return await self._call(ops.UPDATE_GROUP_SETTING, request, options)

    async def update_member_add_mode(
        self,
        group_jid: str | Jid,
        mode: Literal["admin_add", "all_member_add"],
        **options: Unpack[CallOptions],
    ) -> MemberAddModeAck:
        """Choose who may add members to a group (server 2.4).

        Args:
            group_jid: The group's JID, or its id without ``@g.us``.
            mode: ``admin_add`` (only admins) or ``all_member_add``.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: A value breaks a rule.
            UnsupportedByServerError: The server is older than 2.4.
            PermissionDeniedError: The account is no admin of this group.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.MemberAddModeRequest.check(group_jid=group_jid, mode=mode)
        return await self._call(ops.UPDATE_MEMBER_ADD_MODE, request, options)

    async def toggle_ephemeral(
        self,
        group_jid: str | Jid,
        expiration_seconds: req.EphemeralSeconds,
        **options: Unpack[CallOptions],
    ) -> EphemeralAck:
        """Set the time after which messages disappear.

        Args:
            group_jid: The group's JID, or its id without ``@g.us``.
            expiration_seconds: Time in seconds: 86400 (a day), 604800 (a week), 7776000 (90 days),
                or 0 for never.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: A value breaks a rule.
            PermissionDeniedError: The account may not do that in this group.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.EphemeralRequest.check(group_jid=group_jid, expiration=expiration_seconds)
        return await self._call(ops.TOGGLE_EPHEMERAL, request, options)

    async def leave(self, group_jid: str | Jid, **options: Unpack[CallOptions]) -> LeftGroup:
        """Leave a group.

        Args:
            group_jid: The group's JID, or its id without ``@g.us``.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: It is not a group's id.
            NotFoundError: There is no such group, or the account is not in it.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._ask(ops.LEAVE_GROUP, group_jid, options)

    async def fetch_invite_code(
        self, group_jid: str | Jid, **options: Unpack[CallOptions]
    ) -> InviteCode:
        """Read a group's invitation.

        Args:
            group_jid: The group's JID, or its id without ``@g.us``.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The code, and the link with it.

        Raises:
            RequestValidationError: It is not a group's id.
            PermissionDeniedError: The account is not an admin of this group.
            NotFoundError: There is no such group.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._ask(ops.FETCH_INVITE_CODE, group_jid, options)

    async def find_by_invite_code(self, invite_code: str, **options: Unpack[CallOptions]) -> Group:
        """Look up the group that an invitation leads to, without joining it.

        Args:
            invite_code: The code of 22 letters and digits, or the link with it.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The group.

        Raises:
            RequestValidationError: It is not an invitation.
            NotFoundError: The invitation is void, or the session does not work: the server gives
                the same answer to every failure.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._by_code(ops.FIND_GROUP_BY_INVITE_CODE, invite_code, options)

    async def accept_invite_code(
        self, invite_code: str, **options: Unpack[CallOptions]
    ) -> JoinedGroup:
        """Join a group by an invitation. The server's route is a GET, although it changes state.

        Args:
            invite_code: The code of 22 letters and digits, or the link with it.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The group's JID.

        Raises:
            RequestValidationError: It is not an invitation.
            PermissionDeniedError: The group does not admit the account.
            NotFoundError: The invitation is void.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._by_code(ops.ACCEPT_INVITE_CODE, invite_code, options)

    async def send_invite(
        self,
        group_jid: str | Jid,
        numbers: Sequence[str | PhoneNumber | Jid],
        description: str,
        **options: Unpack[SendOptions],
    ) -> InviteSent:
        """Send a group's invitation to people, as a text message to each.

        Args:
            group_jid: The group's JID, or its id without ``@g.us``.
            numbers: The recipients, at least one, each once.
            description: The text above the link.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`. ``resend`` does
                not send again, because a look-up cannot tell who was written to.

        Returns:
            Confirmation that all got the message, with the link.

        Raises:
            RequestValidationError: A value breaks a rule.
            ChannelNotSupportedError: Only WHATSAPP-BAILEYS has groups.
            SendOutcomeUnknownError: It failed, and some may have got the message: the server gives
                the same answer to every failure, even to a dead session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.SendInviteRequest.check(
            group_jid=group_jid, numbers=tuple(numbers), description=description
        )
        hold_ms = _PER_NUMBER_MS * (len(request.numbers) - 1)
        return await self._act(ops.SEND_GROUP_INVITE, request.body(), options, hold_ms=hold_ms)

    async def revoke_invite_code(
        self, group_jid: str | Jid, **options: Unpack[SendOptions]
    ) -> RevokedInvite:
        """Revoke a group's invitation and make a new one.

        Args:
            group_jid: The group's JID, or its id without ``@g.us``.
            **options: Options of one send, see :class:`~evolution_sdk.SendOptions`. A repeat only
                revokes the code once more.

        Returns:
            The new code.

        Raises:
            RequestValidationError: It is not a group's id.
            PermissionDeniedError: The account is not an admin of this group.
            NotFoundError: There is no such group.
            SendOutcomeUnknownError: The connection broke half-way, or no answer arrived; read the
                valid code with :meth:`fetch_invite_code`.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.GroupRef.check(group_jid=group_jid)
        return await self._act(ops.REVOKE_INVITE_CODE, request.body(), options)

    async def _ask(self, operation: Operation[T], group_jid: str | Jid, options: CallOptions) -> T:
        """Make a call about one group, on a route that takes its JID in the query."""
        query = req.GroupRef.check(group_jid=group_jid).body()
        return await self._pipeline.call(operation, self._target, query=query, options=options)

    async def _by_code(self, operation: Operation[T], invite_code: str, options: CallOptions) -> T:
        query = req.InviteQuery.check(invite_code=invite_code).body()
        return await self._pipeline.call(operation, self._target, query=query, options=options)


def _is_none(group: Group | None) -> bool:
    return group is None
