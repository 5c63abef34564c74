"""Methods for the server's store: chats, contacts, messages, status changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Literal, Unpack

from evolution_sdk._client.options import CallOptions
from evolution_sdk._client.paging import TimeCursor
from evolution_sdk.identity import Jid
from evolution_sdk.models import requests_chat as req
from evolution_sdk.models.chat import Chat, ChatRow, Contact
from evolution_sdk.models.message import MessagePage, StatusUpdate, StoredMessage
from evolution_sdk.operations.routes import chat as ops

from .base import AsyncResourceApi

_BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)
_ONE_DAY = timedelta(days=1)


class AsyncStoreApi(AsyncResourceApi):
    """The server's store; part of :class:`AsyncChatsApi`."""

    __slots__ = ()

    async def find(
        self,
        *,
        remote_jid: str | Jid | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        take: int | None = None,
        skip: int | None = None,
        **options: Unpack[CallOptions],
    ) -> list[Chat]:
        """List chats that have stored messages, latest activity first.

        Args:
            remote_jid: Only this chat.
            since: Only chats with messages from this time on (aware).
            until: Only chats with messages up to this time (aware). Default: no limit.
            take: Most chats to return. Default: all.
            skip: Number of chats to skip. Default: none.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The chats.

        Raises:
            RequestValidationError: A time is naive, or a number out of range.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        where = _where(remote_jid=remote_jid, message_timestamp=self._range(since, until))
        request = req.FindChatsRequest.check(where=where, take=take, skip=skip)
        return await self._pipeline.call(
            ops.FIND_CHATS, self._target, request.body(), options=options
        )

    async def find_by_remote_jid(
        self, remote_jid: str | Jid, **options: Unpack[CallOptions]
    ) -> ChatRow | None:
        """Read a chat's own row.

        Args:
            remote_jid: The chat.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The row, or None if there is none.

        Raises:
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(
            ops.FIND_CHAT_BY_REMOTE_JID,
            self._target,
            query={"remoteJid": str(remote_jid)},
            options=options,
        )

    async def find_contacts(
        self,
        *,
        remote_jid: str | Jid | None = None,
        page: int | None = None,
        page_size: int | None = None,
        **options: Unpack[CallOptions],
    ) -> list[Contact]:
        """List contacts from the server's store.

        Args:
            remote_jid: Only this contact; the only filter that the server honours.
            page: Number of the page, from 1; needs ``page_size``.
            page_size: Most contacts per page. Default: all.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The contacts, in no order.

        Raises:
            RequestValidationError: There is a page without a page size, or a number out of range.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.FindContactsRequest.check(
            where=_where(remote_jid=remote_jid), offset=page_size, page=page
        )
        return await self._pipeline.call(
            ops.FIND_CONTACTS, self._target, request.body(), options=options
        )

    async def find_messages(
        self,
        *,
        remote_jid: str | Jid | None = None,
        message_id: str | None = None,
        from_me: Literal[True] | None = None,
        participant: str | None = None,
        message_type: str | None = None,
        source: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        page: int = 1,
        page_size: int = 50,
        **options: Unpack[CallOptions],
    ) -> MessagePage:
        """Read one page of stored messages, newest first; see :meth:`iter_messages` for all.

        Args:
            remote_jid: Only this chat, by the JID under which it is stored.
            message_id: Only this message, by its WhatsApp id.
            from_me: True for own messages; the server cannot filter for those of others.
            participant: Only messages by this group member.
            message_type: Only this kind, such as ``conversation``.
            source: Only messages from this kind of device.
            since: Only messages from this time on (aware).
            until: Only messages up to this time (aware). Default: no limit.
            page: Number of the page, from 1. Default 1.
            page_size: Most messages per page. Default 50.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The page; empty as well if the server does not store messages.

        Raises:
            RequestValidationError: A time is naive, or a number out of range.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        key = _where(id=message_id, remote_jid=remote_jid, from_me=from_me, participant=participant)
        where = _where(
            key=key,
            message_type=message_type,
            source=source,
            message_timestamp=self._range(since, until),
        )
        request = req.FindMessagesRequest.check(where=where, offset=page_size, page=page)
        return await self._pipeline.call(
            ops.FIND_MESSAGES, self._target, request.body(), options=options
        )

    async def iter_messages(
        self,
        *,
        remote_jid: str | Jid | None = None,
        from_me: bool | None = None,
        participant: str | None = None,
        message_type: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        page_size: int = 100,
        **options: Unpack[CallOptions],
    ) -> AsyncIterator[StoredMessage]:
        """Iterate over all stored messages, newest first, each once.

        Messages may arrive or be deleted meanwhile, because it pages by time and not by page
        number. Messages that arrive after the first call are not included.

        Args:
            remote_jid: Only this chat, by the JID under which it is stored.
            from_me: True for own messages, False for those of others (filtered by the client).
            participant: Only messages by this group member.
            message_type: Only this kind, such as ``conversation``.
            since: Only messages from this time on (aware).
            until: Only messages up to this time (aware). Default: no limit.
            page_size: Messages per call. Default 100.
            **options: Options of each call, see :class:`~evolution_sdk.CallOptions`.

        Yields:
            The messages.

        Raises:
            RequestValidationError: A time is naive, or a number out of range.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        cursor = TimeCursor(until or self._open_end(), page_size)
        while not cursor.done:
            found = await self.find_messages(
                remote_jid=remote_jid,
                from_me=True if from_me else None,
                participant=participant,
                message_type=message_type,
                since=since,
                until=cursor.until,
                page_size=cursor.page_size,
                **options,
            )
            for message in cursor.accept(found.records):
                if from_me is None or message.from_me is from_me:
                    yield message

    async def find_status_message(
        self,
        *,
        message_id: str | None = None,
        remote_jid: str | Jid | None = None,
        page: int = 1,
        page_size: int = 50,
        **options: Unpack[CallOptions],
    ) -> list[StatusUpdate]:
        """Read recorded status changes, which are unordered and may be incomplete.

        Args:
            message_id: Only changes of this message, by its WhatsApp id.
            remote_jid: Only changes in this chat.
            page: Number of the page, from 1. Default 1.
            page_size: Most changes per page. Default 50.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The changes; order them by ``status.rank``.

        Raises:
            RequestValidationError: A number is out of range.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        where = _where(id=message_id, remote_jid=remote_jid)
        request = req.FindStatusRequest.check(where=where, offset=page_size, page=page)
        return await self._pipeline.call(
            ops.FIND_STATUS_MESSAGE, self._target, request.body(), options=options
        )

    def _open_end(self) -> datetime:
        """Return an upper end that no clock difference can put before the newest message."""
        return datetime.fromtimestamp(self._pipeline.ports.wall(), tz=UTC) + _ONE_DAY

    def _range(self, since: datetime | None, until: datetime | None) -> dict[str, datetime] | None:
        """Return both ends of a range, because the server ignores a range with only one."""
        if since is None and until is None:
            return None
        return {"gte": since or _BEGINNING, "lte": until or self._open_end()}


def _where(**filters: object) -> dict[str, object] | None:
    """Return the given filters with JIDs as text, or None if there are none."""
    given = {
        name: str(value) if isinstance(value, Jid) else value
        for name, value in filters.items()
        if value is not None
    }
    return given or None
