"""Acts of phones, as members that a fake in this process and one in another have alike."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from evolution_sdk._base.json_types import is_object
from evolution_sdk._common.arguments import checked
from evolution_sdk.errors import RequestValidationError
from evolution_sdk.models.base import json_of
from evolution_sdk.testing.fake import incoming
from evolution_sdk.testing.fake.incoming import Arrival
from evolution_sdk.testing.fake.js import JsonObject
from evolution_sdk.testing.fake.numbers import create_jid
from evolution_sdk.testing.fake.state import BAILEYS, Instance, ServerState

from .answers import choose, react, vote
from .changes import edit, revoke
from .context import context_of
from .history import sync_history
from .people import member_name, own_actor
from .signals import CallStatus, PresenceState, call, presence

_TEXT = "conversation"


@checked()
class PhoneActs(ABC):
    """Phones of contacts, and the own one, act: they write, vote, choose, edit, delete, call.

    Each act is told and stored as the server of the fake's version does it
    (`facts/versions/baileys.md` "Event → shape"). All but :meth:`receive_text` and
    :meth:`receive` are for WHATSAPP-BAILEYS.
    """

    @abstractmethod
    def _act(self, act: str, instance: str, /, **arguments: Any) -> Any:
        """Let an act happen."""

    def receive_text(
        self,
        instance: str,
        *,
        from_: str,
        text: str,
        push_name: str | None = None,
        key_id: str | None = None,
        participant: str | None = None,
        quote: str | None = None,
        mentions: Sequence[str] = (),
        from_me: bool = False,
    ) -> str:
        """Let a text arrive: it is stored and announced, with its contact and chat.

        Args:
            instance: Name of the instance that receives it.
            from_: The sender's number, or the JID of the chat (a group, a LID).
            text: The text.
            push_name: The sender's own name.
            key_id: Its WhatsApp id; made up when None.
            participant: JID of the author in a group.
            quote: Id of the stored message that it answers; 2.4 loses the quotes of texts.
            mentions: Numbers or LIDs of those that it mentions; 2.4 loses those of texts.
            from_me: Whether it was written on the own phone, to the chat ``from_``.

        Returns:
            Its WhatsApp id.

        Raises:
            KeyError: The fake has no such instance, or no such message to quote.
            ConfigurationError: The fake is in another process, and none answers.
        """
        return str(
            self._act(
                "receive_text",
                instance,
                from_=from_,
                text=text,
                push_name=push_name,
                key_id=key_id,
                participant=participant,
                quote=quote,
                mentions=mentions,
                from_me=from_me,
            )
        )

    def receive(
        self,
        instance: str,
        *,
        from_: str,
        message: dict[str, Any],
        kind: str,
        push_name: str | None = None,
        key_id: str | None = None,
        participant: str | None = None,
        content: bytes | None = None,
        quote: str | None = None,
        mentions: Sequence[str] = (),
        from_me: bool = False,
    ) -> str:
        """Let any message arrive; ``message`` and ``kind`` are stored unchanged.

        Args:
            instance: Name of the instance that receives it.
            from_: The sender's number, or the JID of the chat (a group, a LID).
            message: Its content, such as ``{"imageMessage": {…}}``.
            kind: Its ``messageType``, such as ``imageMessage``.
            push_name: The sender's own name.
            key_id: Its WhatsApp id; made up when None.
            participant: JID of the author in a group.
            content: The file of a media message, which can then be downloaded, and travels in
                the event where the webhook asks for ``base64``; its path is added to ``message``.
            quote: Id of the stored message that it answers, added to ``message``.
            mentions: Numbers or LIDs of those that it mentions, added to ``message``.
            from_me: Whether it was sent on the own phone, to the chat ``from_``.

        Returns:
            Its WhatsApp id.

        Raises:
            KeyError: The fake has no such instance, or no such message to quote.
            RequestValidationError: The message is not JSON.
            ConfigurationError: The fake is in another process, and none answers.
        """
        json_of("message", message)
        return str(
            self._act(
                "receive",
                instance,
                from_=from_,
                message=message,
                kind=kind,
                push_name=push_name,
                key_id=key_id,
                participant=participant,
                content=content,
                quote=quote,
                mentions=mentions,
                from_me=from_me,
            )
        )

    def vote(
        self,
        instance: str,
        *,
        poll: str,
        options: Sequence[str],
        from_: str | None = None,
        participant: str | None = None,
        push_name: str | None = None,
        key_id: str | None = None,
    ) -> str:
        """Let somebody vote in a poll; each vote replaces their earlier one.

        From 2.3.7 on it is a message with the names of the options. Before, votes are not told,
        but for those on a ``pollCreationMessage`` that has arrived, until 2.3.4.

        Args:
            instance: Name of the instance that has the poll.
            poll: Id of the message with the poll, sent or received. Of a poll that the instance
                has not stored the server cannot read the votes.
            options: Names of the options; none takes the vote back.
            from_: Number of the voter, or the JID of the chat; None for the other
                person of a chat of two. The own number is the own phone.
            participant: The voter, where ``from_`` names a group.
            push_name: The voter's own name.
            key_id: The WhatsApp id of the vote; made up when None.

        Returns:
            The WhatsApp id of the vote.

        Raises:
            KeyError: The fake has no such instance.
            ValueError: It is no poll, has no such option, or nobody is named who could vote.
            ConfigurationError: The fake is in another process, and none answers.
        """
        return str(
            self._act(
                "vote",
                instance,
                poll=poll,
                options=options,
                from_=from_,
                participant=participant,
                push_name=push_name,
                key_id=key_id,
            )
        )

    def choose(
        self,
        instance: str,
        *,
        message_id: str,
        id: str | None = None,  # noqa: A002 - the name that buttons and rows have for it
        title: str | None = None,
        from_: str | None = None,
        participant: str | None = None,
        push_name: str | None = None,
        key_id: str | None = None,
    ) -> str:
        """Let somebody press a button or choose a row of a list: it arrives as their answer.

        Args:
            instance: Name of the instance that has the message.
            message_id: Id of the message with the buttons or the list.
            id: Id of the button or row.
            title: Its text; either of the two will do.
            from_: Number of whoever chooses, or the JID of the chat; None for the other
                person of a chat of two. The own number is the own phone.
            participant: Whoever chooses, where ``from_`` names a group.
            push_name: Their own name.
            key_id: The WhatsApp id of the answer; made up when None.

        Returns:
            The WhatsApp id of the answer.

        Raises:
            KeyError: The fake has no such instance or message.
            ValueError: The message offers no such choice, or nobody is named who could choose.
            ConfigurationError: The fake is in another process, and none answers.
        """
        return str(
            self._act(
                "choose",
                instance,
                message_id=message_id,
                id=id,
                title=title,
                from_=from_,
                participant=participant,
                push_name=push_name,
                key_id=key_id,
            )
        )

    def react(
        self,
        instance: str,
        *,
        message_id: str,
        emoji: str,
        from_: str | None = None,
        participant: str | None = None,
        push_name: str | None = None,
        key_id: str | None = None,
    ) -> str:
        """Let somebody react to a message.

        Args:
            instance: Name of the instance that has the message.
            message_id: Id of the message.
            emoji: The emoji; empty takes the reaction back.
            from_: Number of whoever reacts, or the JID of the chat; None for the other
                person of a chat of two. The own number is the own phone.
            participant: Whoever reacts, where ``from_`` names a group.
            push_name: Their own name.
            key_id: The WhatsApp id of the reaction; made up when None.

        Returns:
            The WhatsApp id of the reaction.

        Raises:
            KeyError: The fake has no such instance or message.
            ValueError: Nobody is named who could react.
            ConfigurationError: The fake is in another process, and none answers.
        """
        return str(
            self._act(
                "react",
                instance,
                message_id=message_id,
                emoji=emoji,
                from_=from_,
                participant=participant,
                push_name=push_name,
                key_id=key_id,
            )
        )

    def edit(self, instance: str, message_id: str, text: str) -> None:
        """Let the author of a message edit it on their phone: a contact, or the own account.

        It is told as ``messages.edited``, with the key as that phone writes it, and from 2.3.7 on
        as ``messages.update`` as well; the row has the new content from 2.3.0 on.

        Args:
            instance: Name of the instance that has the message.
            message_id: Id of the message, a text or an image, a video or a document.
            text: Its new text or caption.

        Raises:
            KeyError: The fake has no such instance or message.
            ValueError: Messages of its kind cannot be edited.
            ConfigurationError: The fake is in another process, and none answers.
        """
        self._act("edit", instance, message_id=message_id, text=text)

    def revoke(self, instance: str, message_id: str, *, from_: str | None = None) -> None:
        """Let somebody delete a message for everyone: its author, or an admin of the group.

        It is told as ``messages.delete``, and from 2.3.1 on as ``messages.edited`` of type
        ``REVOKE`` as well; from then on the row has no content any more.

        Args:
            instance: Name of the instance that has the message.
            message_id: Id of the message.
            from_: Number or LID of the admin; None for the author.

        Raises:
            KeyError: The fake has no such instance or message.
            ValueError: It is somebody else's message in a chat of two.
            ConfigurationError: The fake is in another process, and none answers.
        """
        self._act("revoke", instance, message_id=message_id, from_=from_)

    def sync_history(
        self,
        instance: str,
        messages: Sequence[Mapping[str, Any]],
        *,
        contacts: Mapping[str, str] | None = None,
        progress: float | None = None,
        is_latest: bool | None = None,
    ) -> None:
        """Let the own phone send a batch of its history: chats, messages and contacts are set.

        ``progress`` and ``is_latest`` are told from 2.3.7 on; on 2.4 the batch with 100 percent is
        followed by a summary (``messaging-history.set``).

        Args:
            instance: Name of the instance.
            messages: The messages, as ``findMessages`` lists them: ``key`` with ``remoteJid``
                (``fromMe`` and ``id`` if wanted), ``message``, and if wanted ``messageTimestamp``
                (in seconds), ``pushName``, ``status``, ``messageType``.
            contacts: Names of contacts, by number or JID.
            progress: Part of the history that has come with it, in percent.
            is_latest: Whether it is the newest part.

        Raises:
            KeyError: The fake has no such instance.
            ValueError: A message has no chat or no content.
            RequestValidationError: The messages are no JSON objects.
            ConfigurationError: The fake is in another process, and none answers.
        """
        json_of("messages", list(messages))
        if not all(is_object(each) for each in messages):
            raise RequestValidationError("messages", "each must be a mapping: a message record")
        self._act(
            "sync_history",
            instance,
            messages=[dict(each) for each in messages],
            contacts=None if contacts is None else dict(contacts),
            progress=progress,
            is_latest=is_latest,
        )

    def presence(
        self,
        instance: str,
        *,
        from_: str,
        state: PresenceState = "composing",
        participant: str | None = None,
    ) -> None:
        """Show what somebody is doing: typing, recording, being there.

        Args:
            instance: Name of the instance that sees it.
            from_: Their number, or the JID of the chat.
            state: ``composing``, ``recording``, ``paused``, ``available`` or ``unavailable``.
            participant: Who it is, where ``from_`` names a group.

        Raises:
            KeyError: The fake has no such instance.
            ValueError: Nobody is named in a group.
            ConfigurationError: The fake is in another process, and none answers.
        """
        self._act("presence", instance, from_=from_, state=state, participant=participant)

    def call(
        self,
        instance: str,
        *,
        from_: str,
        status: CallStatus = "offer",
        call_id: str | None = None,
        is_video: bool = False,
    ) -> str:
        """Let somebody call, or let a call go on or end.

        Args:
            instance: Name of the instance that is called.
            from_: The caller's number, or the JID of the chat.
            status: ``offer`` rings; ``ringing``, ``accept``, ``reject``, ``timeout`` and
                ``terminate`` tell what became of a call.
            call_id: Id of the call; made up when None.
            is_video: Whether it is a video call.

        Returns:
            The id of the call.

        Raises:
            KeyError: The fake has no such instance.
            ConfigurationError: The fake is in another process, and none answers.
        """
        return str(
            self._act(
                "call", instance, from_=from_, status=status, call_id=call_id, is_video=is_video
            )
        )


def _receive(
    server: ServerState,
    instance: Instance,
    *,
    from_: str,
    message: JsonObject,
    kind: str,
    push_name: str | None,
    key_id: str | None,
    participant: str | None,
    quote: str | None,
    mentions: Sequence[str],
    from_me: bool,
    content: bytes | None = None,
) -> str:
    chat = create_jid(from_)
    if from_me and instance.integration == BAILEYS:
        own = own_actor(server, instance, chat, push_name)
        push_name, participant, from_me = own.name, own.member, own.known_as_own
    elif participant is not None:
        participant = member_name(server, chat, participant)
    context = context_of(server, instance, chat, quote, mentions)
    arrival = Arrival(push_name, key_id, participant, from_me=from_me, context=context)
    return incoming.receive(server, instance, chat, message, kind, arrival, content)


def _receive_text(server: ServerState, instance: Instance, *, text: str, **rest: Any) -> str:
    return _receive(server, instance, message={_TEXT: text}, kind=_TEXT, **rest)


def _sync_history(
    server: ServerState,
    instance: Instance,
    *,
    contacts: Mapping[str, str] | None,
    **rest: Any,
) -> None:
    sync_history(server, instance, contacts=contacts or {}, **rest)


ACTS: Final[Mapping[str, Callable[..., Any]]] = {
    "receive_text": _receive_text,
    "receive": _receive,
    "vote": vote,
    "choose": choose,
    "react": react,
    "edit": edit,
    "revoke": revoke,
    "sync_history": _sync_history,
    "presence": presence,
    "call": call,
}
"""The acts by their names, on the state of a fake in this process."""
