"""The link of an instance to Chatwoot."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Unpack

from evolution_sdk._client.options import CallOptions, SendOptions
from evolution_sdk.models.chatwoot import ChatwootLink, ChatwootRequest
from evolution_sdk.operations.routes import chatwoot as ops

from .base import AsyncResourceApi


class AsyncChatwootApi(AsyncResourceApi):
    """Link of an instance to Chatwoot."""

    __slots__ = ()

    async def set(
        self,
        *,
        account_id: str,
        token: str,
        url: str,
        sign_msg: bool,
        reopen_conversation: bool,
        conversation_pending: bool,
        enabled: bool = True,
        sign_delimiter: str | None = None,
        name_inbox: str | None = None,
        merge_brazil_contacts: bool | None = None,
        import_contacts: bool | None = None,
        import_messages: bool | None = None,
        days_limit_import_messages: int | None = None,
        auto_create: bool | None = None,
        organization: str | None = None,
        logo: str | None = None,
        number: str | None = None,
        ignore_jids: Sequence[str] | None = None,
        **options: Unpack[SendOptions],
    ) -> ChatwootLink:
        """Store the link; missing values stay unchanged.

        Args:
            account_id: The account at Chatwoot, as text; at most 100 characters.
            token: An agent's access token there, at most 100 characters.
            url: Chatwoot's base URL, at most 500 characters.
            sign_msg: True to put the agent's name above each message.
            reopen_conversation: True if a new message reopens the previous conversation.
            conversation_pending: True if new conversations begin as pending.
            enabled: True to use the link. Default True.
            sign_delimiter: Text between the agent's name and the message.
            name_inbox: Name of the inbox. Default of the server: the instance's name.
            merge_brazil_contacts: True to merge numbers with and without the ninth digit.
            import_contacts: True to copy contacts to Chatwoot.
            import_messages: True to copy earlier messages to Chatwoot.
            days_limit_import_messages: Age of the oldest messages to copy, in days.
            auto_create: True to create the inbox and the bot's contact at Chatwoot, and to open a
                conversation with it; each call opens one more.
            organization: Name of the bot's contact.
            logo: URL of its picture, at most 500 characters.
            number: The phone number, for the first conversation.
            ignore_jids: Chats that are not copied, as JIDs.
            **options: Options of one call, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            An echo of the request, with ``webhook_url``, the URL for Chatwoot's events.

        Raises:
            RequestValidationError: A value breaks a rule.
            FeatureDisabledError: The server has Chatwoot switched off.
            SendOutcomeUnknownError: No answer arrived; check the stored link with :meth:`find`.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = ChatwootRequest.check(
            enabled=enabled,
            account_id=account_id,
            token=token,
            url=url,
            sign_msg=sign_msg,
            reopen_conversation=reopen_conversation,
            conversation_pending=conversation_pending,
            sign_delimiter=sign_delimiter,
            name_inbox=name_inbox,
            merge_brazil_contacts=merge_brazil_contacts,
            import_contacts=import_contacts,
            import_messages=import_messages,
            days_limit_import_messages=days_limit_import_messages,
            auto_create=auto_create,
            organization=organization,
            logo=logo,
            number=number,
            ignore_jids=None if ignore_jids is None else tuple(ignore_jids),
        )
        return await self._act(ops.SET_CHATWOOT, request.body(), options)

    async def find(self, **options: Unpack[CallOptions]) -> ChatwootLink:
        """Read the link.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The link; if none was ever set, the server's placeholder, disabled and with an empty
            URL.

        Raises:
            FeatureDisabledError: The server has Chatwoot switched off.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.FIND_CHATWOOT, self._target, options=options)
