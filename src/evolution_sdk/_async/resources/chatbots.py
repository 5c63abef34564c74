"""Methods that the seven chatbots share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar, Unpack

from evolution_sdk._client.options import CallOptions, SendOptions
from evolution_sdk.identity import Jid
from evolution_sdk.models import requests_chatbots as req
from evolution_sdk.models.base import RequestModel
from evolution_sdk.models.chatbots import (
    BotSession,
    Chatbot,
    ChatbotSettings,
    DeletedChatbot,
    IgnoredJids,
    StatusChange,
)
from evolution_sdk.operations.build import check_segment
from evolution_sdk.operations.operation import Operation
from evolution_sdk.operations.routes.chatbots import ChatbotOperations

from .base import AsyncResourceApi

F = TypeVar("F", bound=Mapping[str, object])
B = TypeVar("B", bound=Chatbot)
D = TypeVar("D", bound=Mapping[str, object])
S = TypeVar("S", bound=ChatbotSettings)
R = TypeVar("R")


class AsyncChatbotApi(AsyncResourceApi, Generic[F, B, D, S]):
    """Methods of every chatbot.

    A kind is made of the fields of its bots, what its bots look like, the fields of its
    settings, and what its settings look like.
    """

    __slots__ = ()

    _routes: ChatbotOperations[B, S]
    _bot_body: ClassVar[type[RequestModel]]
    _settings_body: ClassVar[type[RequestModel]]

    async def create(self, bot: F, **options: Unpack[SendOptions]) -> B:
        """Make a bot.

        Args:
            bot: Its fields, by the names of :class:`~evolution_sdk.models.ChatbotFields` and of
                its kind: ``{"trigger_type": "all", …}``.
            **options: Options of one call, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The bot, with what it copied from the defaults.

        Raises:
            RequestValidationError: A field breaks a rule, is missing, or does not exist.
            BadRequestError: Another bot of this kind and instance has this trigger, or (but for
                Typebot and ``evolution_bot``) is the same. The server answers 500.
            FeatureDisabledError: The server has this kind switched off.
            SendOutcomeUnknownError: No answer came; look with :meth:`find` before retrying.
        """
        return await self._act(self._routes.create, self._body(self._bot_body, bot), options)

    async def find(self, **options: Unpack[CallOptions]) -> list[B]:
        """List the instance's bots of this kind.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The bots, with their keys (secret).

        Raises:
            FeatureDisabledError: The server has this kind switched off.
            EvolutionAPIError: The server refused; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(self._routes.find, self._target, options=options)

    async def fetch(self, bot_id: str, **options: Unpack[CallOptions]) -> B | None:
        """Look a bot up.

        Args:
            bot_id: Its id. The server finds bots of other instances as well.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The bot, or None when there is none with this id.

        Raises:
            RequestValidationError: The id is empty.
            FeatureDisabledError: The server has this kind switched off.
            EvolutionAPIError: The server refused; see :mod:`evolution_sdk.errors`.
        """
        return await self._of_one(self._routes.fetch, bot_id, None, options)

    async def update(self, bot_id: str, bot: F, **options: Unpack[CallOptions]) -> B:
        """Replace a bot; optional fields that are left out keep their values.

        Args:
            bot_id: Its id.
            bot: Its fields, as for :meth:`create`; mandatory ones are so here as well.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The bot.

        Raises:
            RequestValidationError: A field breaks a rule, is missing, or does not exist.
            BadRequestError: The instance has no such bot, or another one has this trigger or is
                the same. The server answers 500, with one text for all of them.
            FeatureDisabledError: The server has this kind switched off.
        """
        body = self._body(self._bot_body, bot)
        return await self._of_one(self._routes.update, bot_id, body, options)

    async def delete(self, bot_id: str, **options: Unpack[CallOptions]) -> DeletedChatbot:
        """Remove a bot and its sessions.

        Args:
            bot_id: Its id.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Its id.

        Raises:
            RequestValidationError: The id is empty.
            BadRequestError: The instance has no such bot (the server answers 500).
            FeatureDisabledError: The server has this kind switched off.
        """
        return await self._of_one(self._routes.delete, bot_id, None, options)

    async def set_settings(self, settings: D, **options: Unpack[CallOptions]) -> S:
        """Store the defaults for bots of this kind.

        Args:
            settings: The defaults, by the names of
                :class:`~evolution_sdk.models.ChatbotSettingsFields`, which tells what is
                mandatory for which kind.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            What is stored now.

        Raises:
            RequestValidationError: A field breaks a rule, is missing, or does not exist.
            BadRequestError: The fallback (or OpenAI's key) does not exist or cannot be stored.
                The server answers 500.
            FeatureDisabledError: The server has this kind switched off.
        """
        body = self._body(self._settings_body, settings)
        return await self._pipeline.call(
            self._routes.set_settings, self._target, body, options=options
        )

    async def fetch_settings(self, **options: Unpack[CallOptions]) -> S:
        """Read the defaults for bots of this kind.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The instance's own, or those built into the server, which have no id.

        Raises:
            FeatureDisabledError: The server has this kind switched off.
            EvolutionAPIError: The server refused; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(self._routes.fetch_settings, self._target, options=options)

    async def change_status(
        self, remote_jid: str | Jid, status: req.BotStatusName, **options: Unpack[CallOptions]
    ) -> StatusChange:
        """Pause, open, close or delete the sessions of a chat.

        Args:
            remote_jid: The chat, exactly as the sessions have it.
            status: ``opened``, ``paused``, ``closed`` or ``delete``. The last two act on the
                sessions that all instances and all kinds of bots have with this chat; ``closed``
                deletes them unless the defaults say ``keep_open``.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            What was asked for, and how many sessions it changed. An unknown chat is no error:
            its ``count`` is 0.

        Raises:
            RequestValidationError: It is not a JID, or there is no such status.
            FeatureDisabledError: The server has this kind switched off.
            EvolutionAPIError: The server refused; see :mod:`evolution_sdk.errors`.
        """
        request = req.ChangeStatusRequest.check(remote_jid=remote_jid, status=status)
        return await self._pipeline.call(
            self._routes.change_status, self._target, request.body(), options=options
        )

    async def fetch_sessions(self, bot_id: str, **options: Unpack[CallOptions]) -> list[BotSession]:
        """List the sessions of a bot.

        Args:
            bot_id: Its id. For an unknown one the server lists those of all bots of this kind.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The sessions; ``bot_id`` says whose. ``parameters`` may hold the server's global key.

        Raises:
            RequestValidationError: The id is empty.
            FeatureDisabledError: The server has this kind switched off.
            EvolutionAPIError: The server refused; see :mod:`evolution_sdk.errors`.
        """
        return await self._of_one(self._routes.fetch_sessions, bot_id, None, options)

    async def ignore_jid(
        self, remote_jid: str | Jid, action: req.IgnoreAction, **options: Unpack[CallOptions]
    ) -> IgnoredJids:
        """Put a chat on the list of those that bots of this kind do not answer, or take it off.

        Args:
            remote_jid: The chat; ``@g.us`` stands for all groups, ``@s.whatsapp.net`` for all
                contacts.
            action: ``add`` or ``remove``.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The whole list.

        Raises:
            RequestValidationError: It is not a JID, or there is no such action.
            BadRequestError: No settings are stored yet; see ``set_settings``.
            FeatureDisabledError: The server has this kind switched off.
        """
        request = req.IgnoreJidRequest.check(remote_jid=remote_jid, action=action)
        return await self._pipeline.call(
            self._routes.ignore_jid, self._target, request.body(), options=options
        )

    def _body(self, model: type[RequestModel], fields: Mapping[str, object]) -> dict[str, Any]:
        return model.check(**fields).body()

    async def _of_one(
        self,
        operation: Operation[R],
        bot_id: str,
        body: dict[str, Any] | None,
        options: CallOptions,
    ) -> R:
        path = {self._routes.bot_id: check_segment("bot_id", bot_id)}
        return await self._pipeline.call(operation, self._target, body, path=path, options=options)
