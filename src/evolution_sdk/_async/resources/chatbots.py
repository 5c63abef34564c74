"""Methods shared by the seven chatbots."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Generic, TypeVar, Unpack

from evolution_sdk._client.options import CallOptions, SendOptions
from evolution_sdk.errors import NotFoundError
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
    """Methods of all chatbots.

    The type parameters of a kind are the fields of its bots, the model of its bots, the fields of
    its settings, and the model of its settings.
    """

    __slots__ = ()

    _routes: ChatbotOperations[B, S]
    _bot_body: ClassVar[type[RequestModel]]
    _settings_body: ClassVar[type[RequestModel]]

    async def create(self, bot: F, **options: Unpack[SendOptions]) -> B:
        """Create a bot.

        Args:
            bot: Its fields, by the names of :class:`~evolution_sdk.models.ChatbotFields` and of
                its kind: ``{"trigger_type": "all", …}``.
            **options: Options of one call, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The bot, with the fields copied from the defaults.

        Raises:
            RequestValidationError: A field breaks a rule, is missing, or does not exist.
            BadRequestError: Another bot of this kind and instance has this trigger, or (except for
                Typebot and ``evolution_bot``) is identical. The server answers 500.
            FeatureDisabledError: The server has this kind switched off.
            SendOutcomeUnknownError: No answer arrived; check with :meth:`find` before retrying.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
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
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(self._routes.find, self._target, options=options)

    async def fetch(self, bot_id: str, **options: Unpack[CallOptions]) -> B | None:
        """Look up a bot.

        Args:
            bot_id: Id of the bot. The server also finds bots of other instances.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The bot, or None if there is none with this id.

        Raises:
            RequestValidationError: The id is empty.
            FeatureDisabledError: The server has this kind switched off.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        try:
            return await self._of_one(self._routes.fetch, bot_id, None, options)
        except NotFoundError as error:
            # 2.2 fails where later servers answer null; a missing instance or route is another
            # matter (`facts/versions/versions.md` §4 "unknown bot id").
            if type(error) is not NotFoundError:
                raise
            return None

    async def update(self, bot_id: str, bot: F, **options: Unpack[CallOptions]) -> B:
        """Replace a bot; missing optional fields keep their values.

        Args:
            bot_id: Id of the bot.
            bot: Its fields, with the same mandatory ones as for :meth:`create`.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The bot.

        Raises:
            RequestValidationError: A field breaks a rule, is missing, or does not exist.
            BadRequestError: The instance has no such bot, or another bot has this trigger or is
                identical. The server answers 500, with one text for all of these; server 2.2
                tells a missing bot apart (``NotFoundError``).
            FeatureDisabledError: The server has this kind switched off.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        body = self._body(self._bot_body, bot)
        return await self._of_one(self._routes.update, bot_id, body, options)

    async def delete(self, bot_id: str, **options: Unpack[CallOptions]) -> DeletedChatbot:
        """Remove a bot and its sessions.

        Args:
            bot_id: Id of the bot.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Its id.

        Raises:
            RequestValidationError: The id is empty.
            BadRequestError: The instance has no such bot (the server answers 500); from server 2.2
                it is a ``NotFoundError``.
            FeatureDisabledError: The server has this kind switched off.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._of_one(self._routes.delete, bot_id, None, options)

    async def set_settings(self, settings: D, **options: Unpack[CallOptions]) -> S:
        """Store the defaults for bots of this kind.

        Args:
            settings: The defaults, by the names of
                :class:`~evolution_sdk.models.ChatbotSettingsFields`, which lists the mandatory
                ones of each kind.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The stored settings.

        Raises:
            RequestValidationError: A field breaks a rule, is missing, or does not exist.
            BadRequestError: The fallback (or OpenAI's key) does not exist or cannot be stored.
                The server answers 500.
            FeatureDisabledError: The server has this kind switched off.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
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
            The instance's own defaults, or those built into the server, which have no id.

        Raises:
            FeatureDisabledError: The server has this kind switched off.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(self._routes.fetch_settings, self._target, options=options)

    async def change_status(
        self, remote_jid: str | Jid, status: req.BotStatusName, **options: Unpack[CallOptions]
    ) -> StatusChange:
        """Pause, open, close or delete the sessions of a chat.

        Args:
            remote_jid: The chat, exactly as stored in the sessions.
            status: ``opened``, ``paused``, ``closed`` or ``delete``. The last two affect the
                sessions of all instances and all kinds of bots with this chat; ``closed`` deletes
                them unless ``keep_open`` is set in the defaults.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The requested status, and the number of sessions changed. An unknown chat is no error:
            its ``count`` is 0.

        Raises:
            RequestValidationError: It is not a JID, or there is no such status.
            FeatureDisabledError: The server has this kind switched off.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.ChangeStatusRequest.check(remote_jid=remote_jid, status=status)
        return await self._call(self._routes.change_status, request, options)

    async def fetch_sessions(self, bot_id: str, **options: Unpack[CallOptions]) -> list[BotSession]:
        """List the sessions of a bot.

        Args:
            bot_id: Id of the bot. For an unknown one the server lists those of every bot.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The sessions, with the id of their bot. ``parameters`` may hold the server's global key.

        Raises:
            RequestValidationError: The id is empty.
            FeatureDisabledError: The server has this kind switched off.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._of_one(self._routes.fetch_sessions, bot_id, None, options)

    async def ignore_jid(
        self, remote_jid: str | Jid, action: req.IgnoreAction, **options: Unpack[CallOptions]
    ) -> IgnoredJids:
        """Add a chat to the list of chats that bots of this kind ignore, or remove it.

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
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.IgnoreJidRequest.check(remote_jid=remote_jid, action=action)
        return await self._call(self._routes.ignore_jid, request, options)

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
