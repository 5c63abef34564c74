"""Methods for existing chats, contacts and messages."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal, Unpack

from evolution_sdk._client.options import CACHE_KEYS, CacheOptions, CallOptions
from evolution_sdk._client.references import KeyLike, key_of, last_message_of
from evolution_sdk.identity import Jid, PhoneNumber
from evolution_sdk.identity._server import pick_existing
from evolution_sdk.models import requests_chat as req
from evolution_sdk.models.chat import (
    ArchiveAck,
    BlockAck,
    MediaContent,
    NumberCheck,
    ReadAck,
    UnreadAck,
)
from evolution_sdk.models.instance import PresenceAck
from evolution_sdk.models.message import Message, ProtocolMessage
from evolution_sdk.models.requests_message import KeyRef
from evolution_sdk.operations.routes import chat as ops

from .profile import AsyncProfileApi
from .store import AsyncStoreApi

_NUMBERS_AT_ONCE = 50


class AsyncChatsApi(AsyncStoreApi, AsyncProfileApi):
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
        many = [messages] if isinstance(messages, KeyLike) else list(messages)
        keys = [key_of(message, f"messages[{at}]") for at, message in enumerate(many)]
        for key in keys:
            key.pop("participant", None)  # the server drops it
        request = req.ReadMessagesRequest.check(read_messages=keys)
        return await self._pipeline.call(
            ops.MARK_MESSAGE_AS_READ, self._target, request.body(), options=options
        )

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
        return await self._pipeline.call(
            ops.ARCHIVE_CHAT, self._target, request.body(), options=options
        )

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
        return await self._pipeline.call(
            ops.MARK_CHAT_UNREAD, self._target, request.body(), options=options
        )

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
        return await self._pipeline.call(
            ops.DELETE_MESSAGE_FOR_EVERYONE, self._target, request.body(), options=options
        )

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
        return await self._pipeline.call(
            ops.UPDATE_MESSAGE, self._target, request.body(), options=options
        )

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
        return await self._pipeline.call(
            ops.UPDATE_BLOCK_STATUS, self._target, request.body(), options=options
        )

    async def get_base64_from_media_message(
        self,
        message: KeyLike | str,
        *,
        convert_to_mp4: bool = False,
        **options: Unpack[CallOptions],
    ) -> MediaContent:
        """Download the media of a stored message.

        Args:
            message: The message, its key, or its WhatsApp id.
            convert_to_mp4: True to convert audio to MP4. Default False.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The file; its bytes are in ``content``.

        Raises:
            BadRequestError: It is not stored, has no media, or WhatsApp no longer has it.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        message_id = message if isinstance(message, str) else key_of(message)["id"]
        request = req.MediaBase64Request.check(
            message={"key": {"id": message_id}},
            convert_to_mp4=convert_to_mp4 or None,
        )
        return await self._pipeline.call(
            ops.GET_BASE64_FROM_MEDIA_MESSAGE, self._target, request.body(), options=options
        )
