"""What can be done about a message, right from its event."""

from __future__ import annotations

from typing import Any, TypeAlias

from ._base import D_co, Event

ActionResult: TypeAlias = Any
"""The result with a sync client, an awaitable of it with an async one."""


class Answerable(Event[D_co]):
    """An event that can be answered once a client is attached (``event.bind(client)``).

    With a sync client each action returns its result, with an async one something to await. For
    exact types write ``event.actions(client).reply_text(…)`` instead.
    """

    __slots__ = ()

    def reply_text(self, text: str, *, quote: bool = True, **options: Any) -> ActionResult:
        """Answer in the same chat; a story is answered to whoever posted it.

        Args:
            text: The text.
            quote: Whether to quote the message.
            **options: As of ``messages.send_text``.

        Returns:
            The sent message (awaitable with an async client).

        Raises:
            ConfigurationError: No client is attached.
            RequestValidationError: The event does not say where to answer.
        """
        return self._bound().reply_text(text, quote=quote, **options)

    def reply_media(self, media: Any, *, quote: bool = True, **options: Any) -> ActionResult:
        """Answer with a file in the same chat.

        Args:
            media: A ``Media``, or whatever ``messages.send_media`` takes.
            quote: Whether to quote the message.
            **options: As of ``messages.send_media``, such as ``caption``.

        Returns:
            The sent message (awaitable with an async client).

        Raises:
            ConfigurationError: No client is attached.
            RequestValidationError: The event does not say where to answer.
        """
        return self._bound().reply_media(media, quote=quote, **options)

    def react(self, emoji: str, **options: Any) -> ActionResult:
        """React to the message.

        Args:
            emoji: One emoji; empty takes a reaction back.
            **options: As of ``messages.send_reaction``.

        Returns:
            The sent reaction (awaitable with an async client).

        Raises:
            ConfigurationError: No client is attached.
        """
        return self._bound().react(emoji, **options)

    def mark_read(self, **options: Any) -> ActionResult:
        """Mark the message as read; own messages are left alone.

        Args:
            **options: As of ``chats.mark_message_as_read``.

        Returns:
            The server's word, or None for an own message (awaitable with an async client).

        Raises:
            ConfigurationError: No client is attached.
        """
        return self._bound().mark_read(**options)

    def download_media(self, **options: Any) -> ActionResult:
        """Get the file: from the event itself, else from its public address, else from the server.

        Args:
            **options: ``max_bytes``, ``use_url`` and the options of a call.

        Returns:
            The file's bytes (awaitable with an async client).

        Raises:
            ConfigurationError: No client is attached.
            RequestValidationError: The message has no file, or it is larger than allowed.
        """
        return self._bound().download_media(**options)
