"""Chats, contacts, stored messages and profiles: the server's /chat routes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Literal, Unpack

from evolution_sdk._async.fetching import as_text, plan_file
from evolution_sdk._async.presence import DEFAULT_RENEW_MS, AsyncPresence
from evolution_sdk._client.compose import MediaLike
from evolution_sdk._client.options import CACHE_KEYS, CacheOptions, CallOptions
from evolution_sdk._client.paging import MergedCursor
from evolution_sdk._client.references import (
    KeyLike,
    key_of,
    keys_of,
    last_message_of,
    media_reference,
)
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity._server import pick_existing
from evolution_sdk.identity.chat_forms import person_jid
from evolution_sdk.models import requests_chat as req
from evolution_sdk.models.chat import (
    ArchiveAck,
    BlockAck,
    BusinessProfile,
    ChannelPage,
    Chat,
    ChatRow,
    Contact,
    MediaContent,
    NumberCheck,
    PlayedAck,
    PollVotes,
    PrivacySettings,
    Profile,
    ProfilePicture,
    ReadAck,
    UnreadAck,
    UpdateAck,
)
from evolution_sdk.models.instance import PresenceAck
from evolution_sdk.models.message import (
    Message,
    MessagePage,
    ProtocolMessage,
    StatusUpdate,
    StoredMessage,
)
from evolution_sdk.models.requests_message import KeyRef
from evolution_sdk.operations.routes import chat as ops

from .base import AsyncResourceApi

_NUMBERS_AT_ONCE = 50
_BEGINNING = datetime(1970, 1, 2, tzinfo=UTC)
_ONE_DAY = timedelta(days=1)


class AsyncChatsApi(AsyncResourceApi):
    """Chats, contacts, stored messages, and the account's profile."""

    __slots__ = ()

    async def check_whatsapp_numbers(
        self, numbers: Sequence[str | PhoneNumber | Jid], **options: Unpack[CacheOptions]
    ) -> list[NumberCheck]:
        """Ask WhatsApp which numbers it knows.

        The numbers go in batches of 50, because bulk checks get numbers banned (issue 2228 of the
        server). If the cache is on, it answers for the numbers that it knows.

        Args:
            numbers: Phone numbers or JIDs; each once.
            **options: Options of one call, see :class:`~evolution_sdk.CacheOptions`.

        Returns:
            One result per number, in the server's own order: match by ``number``.

        Raises:
            RequestValidationError: A text is no number, or there is none.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            ChannelNotSupportedError: Only WHATSAPP-BAILEYS supports it.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.WhatsappNumbersRequest.check(numbers=tuple(numbers))

        async def ask(some: Sequence[str]) -> list[NumberCheck]:
            found: list[NumberCheck] = []
            for start in range(0, len(some), _NUMBERS_AT_ONCE):
                answers = await self._pipeline.call(
                    ops.CHECK_WHATSAPP_NUMBERS,
                    self._target,
                    {"numbers": some[start : start + _NUMBERS_AT_ONCE]},
                    options=options,
                    known_options=CACHE_KEYS,
                )
                found.extend(answers)
            return found

        found = self._pipeline.cache_for("number check", options)
        if found is None:
            return await ask(request.numbers)
        cache, fresh = found
        return await cache.numbers(self._target.instance, request.numbers, ask, fresh=fresh)

    async def resolve_number(
        self, number: str | PhoneNumber, **options: Unpack[CacheOptions]
    ) -> Jid | None:
        """Ask WhatsApp for the JID of a line, trying its national variants.

        Brazilian, Mexican and Argentine lines exist with and without an extra digit, and no rule
        decides which (issue 2062 of the server), so the server is asked about each.

        Args:
            number: The number.
            **options: Options of one call, see :class:`~evolution_sdk.CacheOptions`.

        Returns:
            The JID to write to, or None if no variant is on WhatsApp.

        Raises:
            RequestValidationError: It is not a phone number.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        line = number if isinstance(number, PhoneNumber) else PhoneNumber.parse(number)
        # As JIDs, because the server rewrites plain numbers first (`facts/semantics.md` §5).
        variants = [candidate.jid for candidate in line.candidates()]
        answers = await self.check_whatsapp_numbers(variants, **options)
        found = pick_existing(line, [answer.raw for answer in answers])
        return None if found is None else Jid.parse(str(found["jid"]))

    async def mark_message_as_read(
        self, messages: KeyLike | Iterable[KeyLike], **options: Unpack[CallOptions]
    ) -> ReadAck:
        """Mark messages as read. The server silently skips those in ``@lid`` chats.

        Args:
            messages: Messages, or their keys.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: A key is incomplete.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.ReadMessagesRequest.check(read_messages=keys_of(messages))
        return await self._call(ops.MARK_MESSAGE_AS_READ, request, options)

    async def mark_message_as_played(
        self, messages: KeyLike | Iterable[KeyLike], **options: Unpack[CallOptions]
    ) -> PlayedAck:
        """Mark voice notes as played (server 2.4). Those in ``@lid`` chats are silently skipped.

        Args:
            messages: Messages, or their keys.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: A key is incomplete.
            UnsupportedByServerError: The server is older than 2.4.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            ChannelNotSupportedError: The instance is not WHATSAPP-BAILEYS.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.PlayedMessagesRequest.check(played_messages=keys_of(messages))
        return await self._call(ops.MARK_MESSAGE_AS_PLAYED, request, options)

    async def get_poll_vote(self, message: KeyLike, **options: Unpack[CallOptions]) -> PollVotes:
        """Count the votes of a poll that the server has stored (server 2.4).

        The server counts every vote for the account's own number, and of those only the newest
        (recorded: two voters, one vote; `facts/versions/baileys.md`). ``messages.upsert`` events
        of poll votes tell more.

        Args:
            message: The message with the poll, or its key.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The question, and votes and voters by choice.

        Raises:
            RequestValidationError: The key is incomplete.
            UnsupportedByServerError: The server is older than 2.4.
            ServerError: The server does not know the poll.
            ChannelNotSupportedError: The instance is not WHATSAPP-BAILEYS.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        key = key_of(message)
        request = req.PollVotesRequest.check(
            message={"key": {"id": key["id"]}}, remote_jid=key["remote_jid"]
        )
        return await self._call(ops.GET_POLL_VOTE, request, options)

    async def find_channels(
        self,
        *,
        page: int | None = None,
        limit: int | None = None,
        **options: Unpack[CallOptions],
    ) -> ChannelPage:
        """List the channels (``…@newsletter``) of which messages are stored (server 2.4).

        Args:
            page: Number of the page, from 1. Default 1.
            limit: Channels of a page. Default: the server's, 50.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            One page, with the number of pages.

        Raises:
            RequestValidationError: A value breaks a rule.
            UnsupportedByServerError: The server is older than 2.4.
            ChannelNotSupportedError: The instance is not WHATSAPP-BAILEYS.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.FindChannelsRequest.check(page=page, limit=limit)
        return await self._call(ops.FIND_CHANNELS, request, options)

    async def archive(
        self, last_message: Message, *, archive: bool = True, **options: Unpack[CallOptions]
    ) -> ArchiveAck:
        """Archive or unarchive a chat.

        Args:
            last_message: The chat's newest message; with only a JID the server fails (2.3.6).
            archive: False to unarchive it. Default True.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement, with ``archived`` true in both cases.

        Raises:
            RequestValidationError: The message has no key or time.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.ArchiveChatRequest.check(
            archive=archive,
            last_message=last_message_of(last_message),
            chat=last_message.remote_jid,
        )
        return await self._call(ops.ARCHIVE_CHAT, request, options)

    async def mark_unread(self, last_message: Message, **options: Unpack[CallOptions]) -> UnreadAck:
        """Mark a chat as unread.

        Args:
            last_message: The chat's newest message.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: The message has no key or time.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.MarkUnreadRequest.check(
            last_message=last_message_of(last_message), chat=last_message.remote_jid
        )
        return await self._call(ops.MARK_CHAT_UNREAD, request, options)

    async def delete_message_for_everyone(
        self, message: KeyLike, **options: Unpack[CallOptions]
    ) -> ProtocolMessage:
        """Delete a message for everyone in the chat.

        Args:
            message: The message or its key; in groups including the participant.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The raw revocation.

        Raises:
            RequestValidationError: The key is incomplete.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = KeyRef.check(**key_of(message))
        return await self._call(ops.DELETE_MESSAGE_FOR_EVERYONE, request, options)

    async def update_message(
        self, message: KeyLike, text: str, **options: Unpack[CallOptions]
    ) -> ProtocolMessage:
        """Edit the text of a message of this account, or the caption of an image or video.

        Args:
            message: The message or its key.
            text: The new text.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The raw edit.

        Raises:
            RequestValidationError: The key is incomplete or the text empty.
            BadRequestError: The server has not stored the message, or it cannot be edited.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        key = key_of(message)
        key.pop("participant", None)
        request = req.UpdateMessageRequest.check(number=key["remote_jid"], text=text, key=key)
        return await self._call(ops.UPDATE_MESSAGE, request, options)

    async def send_presence(
        self,
        number: str | PhoneNumber | Jid,
        presence: req.PresenceState = "composing",
        *,
        delay_ms: int = 1_000,
        **options: Unpack[CallOptions],
    ) -> PresenceAck:
        """Show "typing…" or "recording…" in a chat; the answer comes when it is over.

        Args:
            number: The chat.
            presence: The presence to show. Default ``composing``.
            delay_ms: Time to show it, in milliseconds. Default 1 000.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The presence that was shown.

        Raises:
            RequestValidationError: No such presence, or a negative time.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.SendPresenceRequest.check(number=number, presence=presence, delay=delay_ms)
        return await self._pipeline.call(
            ops.SEND_PRESENCE, self._target, request.body(), hold_ms=delay_ms, options=options
        )

    def typing(
        self, number: str | PhoneNumber | Jid, *, renew_ms: int = DEFAULT_RENEW_MS
    ) -> AsyncPresence:
        """Show "typing…" in a chat while a block runs: ``async with chats.typing(number): …``.

        The presence is renewed until the block ends, for five minutes at most, and then ended. That
        it cannot be shown harms nothing and is not raised.

        Args:
            number: The chat.
            renew_ms: Time of one presence, in milliseconds, at least 1 000. The server holds one
                call for that long; what was asked for last may be shown to its end.

        Returns:
            A context manager.

        Raises:
            RequestValidationError: ``renew_ms`` is too short.
        """
        return AsyncPresence(self, self._pipeline.ports, number, "composing", renew_ms)

    def recording(
        self, number: str | PhoneNumber | Jid, *, renew_ms: int = DEFAULT_RENEW_MS
    ) -> AsyncPresence:
        """Show "recording audio…" in a chat while a block runs; as :meth:`typing`.

        Args:
            number: The chat.
            renew_ms: Time of one presence, in milliseconds, at least 1 000.

        Returns:
            A context manager.

        Raises:
            RequestValidationError: ``renew_ms`` is too short.
        """
        return AsyncPresence(self, self._pipeline.ports, number, "recording", renew_ms)

    async def update_block_status(
        self,
        number: str | PhoneNumber | Jid,
        status: Literal["block", "unblock"],
        **options: Unpack[CallOptions],
    ) -> BlockAck:
        """Block or unblock a number.

        Args:
            number: The number.
            status: ``block`` or ``unblock``.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: The number or the status is wrong.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.BlockRequest.check(number=number, status=status)
        return await self._call(ops.UPDATE_BLOCK_STATUS, request, options)

    async def get_base64_from_media_message(
        self,
        message: KeyLike | str,
        *,
        convert_to_mp4: bool = False,
        **options: Unpack[CallOptions],
    ) -> MediaContent:
        """Download the media of a stored message.

        Args:
            message: The message, its key, or its WhatsApp id; on BUSINESS the message.
            convert_to_mp4: True to convert audio to MP4. Default False.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The file; its bytes are in ``content``.

        Raises:
            BadRequestError: It is not stored, has no media, or WhatsApp no longer has it.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.MediaBase64Request.check(
            message=media_reference(message),
            convert_to_mp4=convert_to_mp4 or None,
        )
        return await self._call(ops.GET_BASE64_FROM_MEDIA_MESSAGE, request, options)

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
        return await self._call(ops.FIND_CHATS, request, options)

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
        return await self._call(ops.FIND_CONTACTS, request, options)

    async def find_messages(
        self,
        *,
        remote_jid: str | Jid | None = None,
        remote_jid_alt: str | Jid | None = None,
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

        It asks one question as it is put: messages of the same person under another id (``@lid``
        or phone) are not on the page.

        Args:
            remote_jid: Only this chat, by the JID under which it is stored.
            remote_jid_alt: With ``remote_jid``: messages that name this JID beside their chat's as
                well, such as the phone of a ``@lid``. Server 2.3.7 and later; earlier ones ignore
                it there, and some of them ignore it alone, too, and show every chat.
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
        key = _where(
            id=message_id,
            remote_jid=remote_jid,
            remote_jid_alt=remote_jid_alt,
            from_me=from_me,
            participant=participant,
        )
        where = _where(
            key=key,
            message_type=message_type,
            source=source,
            message_timestamp=self._range(since, until),
        )
        request = req.FindMessagesRequest.check(where=where, offset=page_size, page=page)
        return await self._call(ops.FIND_MESSAGES, request, options)

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

        A person's messages may be stored under the phone and under the hidden id (``@lid``), while
        events name the phone (servers since 2.3.7). Both are asked for: rows that name both ids are
        found by either, and further ids are those that this client has learned.

        Args:
            remote_jid: Only this chat, by any id of it.
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
        chat = None if remote_jid is None else str(remote_jid)
        merged: MergedCursor[StoredMessage] = MergedCursor(
            (chat, *self._other_ids(chat)), until or self._open_end(), page_size
        )
        while (asked := merged.wanting()) is not None:
            # Since 2.3.7 a row that names the other id beside its own is found by either; before,
            # the second filter changes nothing (`fetchMessages` in the server's source).
            found = await self.find_messages(
                remote_jid=asked.chat,
                remote_jid_alt=person_jid(asked.chat),
                from_me=True if from_me else None,
                participant=participant,
                message_type=message_type,
                since=since,
                until=asked.position.until,
                page_size=asked.position.page_size,
                **options,
            )
            asked.accept(found.records)
            # The answer may have told the other id.
            merged.also(self._other_ids(chat))
            for message in merged.ready():
                if from_me is None or message.from_me is from_me:
                    yield message

    def _other_ids(self, chat: str | None) -> tuple[str, ...]:
        """Return the other ids of a person that this client knows for sure."""
        person = person_jid(chat)
        return () if person is None else self._pipeline.parts.reconciler.lids.forms([person])

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
        return await self._call(ops.FIND_STATUS_MESSAGE, request, options)

    def _open_end(self) -> datetime:
        """Return an upper end that no clock difference can put before the newest message."""
        return datetime.fromtimestamp(self._pipeline.ports.wall(), tz=UTC) + _ONE_DAY

    def _range(self, since: datetime | None, until: datetime | None) -> dict[str, datetime] | None:
        """Return both ends of a range, because the server ignores a range with only one."""
        if since is None and until is None:
            return None
        return {"gte": since or _BEGINNING, "lte": until or self._open_end()}

    async def fetch_profile_picture_url(
        self, number: str | PhoneNumber | Jid, **options: Unpack[CacheOptions]
    ) -> ProfilePicture:
        """Look up a profile picture. If the cache is on, it may answer.

        Args:
            number: Number of the person, or JID of the group.
            **options: Options of one call, see :class:`~evolution_sdk.CacheOptions`.

        Returns:
            The URL, which expires; None if it is hidden or missing, or if the look-up failed.

        Raises:
            RequestValidationError: It is not a number.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        body = req.NumberRequest.check(number=number).body()
        return await self._remembered(
            ops.FETCH_PROFILE_PICTURE_URL,
            "picture look-up",
            body["number"],
            _has_no_picture,
            options,
            body=body,
        )

    async def fetch_business_profile(
        self, number: str | PhoneNumber | Jid | None = None, **options: Unpack[CallOptions]
    ) -> BusinessProfile:
        """Look up a business profile.

        Args:
            number: Number of the business or person. Default: the account itself.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The profile, or one with ``is_business`` False.

        Raises:
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.OptionalNumberRequest.check(number=number)
        return await self._call(ops.FETCH_BUSINESS_PROFILE, request, options)

    async def fetch_profile(
        self, number: str | PhoneNumber | Jid | None = None, **options: Unpack[CallOptions]
    ) -> Profile:
        """Look up a profile.

        Args:
            number: Number of the business or person. Default: the account itself.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The profile; ``degraded`` if the server failed inside and answered nulls.

        Raises:
            RecipientNotFoundError: The number is not on WhatsApp.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.OptionalNumberRequest.check(number=number)
        return await self._call(ops.FETCH_PROFILE, request, options)

    async def update_profile_name(self, name: str, **options: Unpack[CallOptions]) -> UpdateAck:
        """Change the account's name.

        Args:
            name: The new name.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: The name is empty.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.ProfileNameRequest.check(name=name)
        return await self._call(ops.UPDATE_PROFILE_NAME, request, options)

    async def update_profile_status(self, status: str, **options: Unpack[CallOptions]) -> UpdateAck:
        """Change the account's about text.

        Args:
            status: The new text.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.ProfileStatusRequest.check(status=status)
        return await self._call(ops.UPDATE_PROFILE_STATUS, request, options)

    async def update_profile_picture(
        self, picture: MediaLike, **options: Unpack[CallOptions]
    ) -> UpdateAck:
        """Change the account's picture; the server reconnects afterwards.

        Args:
            picture: The image; a URL is left to the server, like one of ``messages.send_media``.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            RequestValidationError: It is not an image that the server accepts; nothing was changed.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        operation = ops.UPDATE_PROFILE_PICTURE
        text = await as_text(await plan_file(self._pipeline, operation, picture, "picture"))
        request = req.ProfilePictureRequest.check(picture=text)
        return await self._call(operation, request, options)

    async def remove_profile_picture(self, **options: Unpack[CallOptions]) -> UpdateAck:
        """Remove the account's picture; the server reconnects afterwards.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement.

        Raises:
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.REMOVE_PROFILE_PICTURE, self._target, options=options)

    async def fetch_privacy_settings(self, **options: Unpack[CallOptions]) -> PrivacySettings:
        """Read the privacy settings.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The settings. They may come from the server's cache, so they do not prove a connection.

        Raises:
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.FETCH_PRIVACY_SETTINGS, self._target, options=options)

    async def update_privacy_settings(
        self,
        *,
        readreceipts: Literal["all", "none"],
        profile: req.PrivacyValue,
        status: req.PrivacyValue,
        online: Literal["all", "match_last_seen"],
        last: req.PrivacyValue,
        groupadd: req.PrivacyValue,
        **options: Unpack[CallOptions],
    ) -> UpdateAck:
        """Change the privacy settings, all six at once; the server reconnects afterwards.

        Args:
            readreceipts: People who get read receipts.
            profile: People who see the picture.
            status: People who see the about text.
            online: People who see that the account is online.
            last: People who see the time it was last seen.
            groupadd: People who may add it to groups.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Acknowledgement with an echo.

        Raises:
            RequestValidationError: There is no such value.
            InstanceNotConnectedError: The instance has no working WhatsApp session.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.PrivacyRequest.check(
            readreceipts=readreceipts,
            profile=profile,
            status=status,
            online=online,
            last=last,
            groupadd=groupadd,
        )
        return await self._call(ops.UPDATE_PRIVACY_SETTINGS, request, options)


def _where(**filters: object) -> dict[str, object] | None:
    """Return the given filters with JIDs as text, or None if there are none."""
    given = {
        name: str(value) if isinstance(value, Jid) else value
        for name, value in filters.items()
        if value is not None
    }
    return given or None


def _has_no_picture(picture: ProfilePicture) -> bool:
    return picture.profile_picture_url is None
