"""Invitations to groups."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from evolution_sdk._client.options import CallOptions, SendOptions
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.models import requests_group as req
from evolution_sdk.models.group import Group, InviteCode, InviteSent, JoinedGroup, RevokedInvite
from evolution_sdk.operations.operation import Operation
from evolution_sdk.operations.routes import group as ops

from .base import AsyncResourceApi, T

# The server writes to the numbers one by one, and asks WhatsApp about each.
_PER_NUMBER_MS = 5_000


class AsyncGroupInvitesApi(AsyncResourceApi):
    """Invitations to groups; part of :class:`AsyncGroupsApi`, like the server's /group routes."""

    __slots__ = ()

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
