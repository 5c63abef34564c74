"""Reads of the server's store: chats, contacts, messages, status changes."""

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
    """Reads of the server's store; part of :class:`AsyncChatsApi`."""

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
            since: Only with messages from this time on (aware).
            until: Only with messages up to this time (aware); default: no limit.
            take: At most so many; default: all.
            skip: Leave out so many.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The chats.

        Raises:
            RequestValidationError: A time is naive, or a number out of range.
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
            The row, or None when there is none.

        Raises:
            EvolutionAPIError: The server refused; see :mod:`evolution_sdk.errors`.
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
            remote_jid: Only this one; the only filter the server honours.
            page: Which page, from 1; needs ``page_size``.
            page_size: How many at most; default: all.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The contacts, in no order.

        Raises:
            RequestValidationError: A page without a page size, or out of range.
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
            participant: Only by this group member.
            message_type: Only this kind, such as ``conversation``.
            source: Only from this kind of device.
            since: From this time on (aware).
            until: Up to this time (aware); default: no limit.
            page: Which page, from 1.
            page_size: How many at most.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The page; empty also when the server does not store messages.

        Raises:
            RequestValidationError: A time is naive, or a number out of range.
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
        """Go through all stored messages, newest first, each once.

        Safe while messages arrive or are deleted: it pages by time, not by page number. Messages
        that arrive after the first call are not among them.

        Args:
            remote_jid: Only this chat, by the JID under which it is stored.
            from_me: True for own messages, False for those of others (filtered here).
            participant: Only by this group member.
            message_type: Only this kind, such as ``conversation``.
            since: From this time on (aware).
            until: Up to this time (aware); default: no limit.
            page_size: How many per call.
            **options: Options of each call, see :class:`~evolution_sdk.CallOptions`.

        Yields:
            The messages.

        Raises:
            RequestValidationError: A time is naive, or a number out of range.
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
        """Read recorded status changes; unordered, some may be missing.

        Args:
            message_id: Only of this message, by its WhatsApp id.
            remote_jid: Only of this chat.
            page: Which page, from 1.
            page_size: How many at most.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The changes; rank them with ``status.rank``.

        Raises:
            RequestValidationError: A number is out of range.
        """
        where = _where(id=message_id, remote_jid=remote_jid)
        request = req.FindStatusRequest.check(where=where, offset=page_size, page=page)
        return await self._pipeline.call(
            ops.FIND_STATUS_MESSAGE, self._target, request.body(), options=options
        )

    def _open_end(self) -> datetime:
        """An upper end that no clock difference can put before the newest message."""
        return datetime.fromtimestamp(self._pipeline.ports.wall(), tz=UTC) + _ONE_DAY

    def _range(self, since: datetime | None, until: datetime | None) -> dict[str, datetime] | None:
        """Both ends of a range, because the server ignores a half one."""
        if since is None and until is None:
            return None
        return {"gte": since or _BEGINNING, "lte": until or self._open_end()}


def _where(**filters: object) -> dict[str, object] | None:
    """The filters that were given, JIDs as text; None when there are none."""
    given = {
        name: str(value) if isinstance(value, Jid) else value
        for name, value in filters.items()
        if value is not None
    }
    return given or None
