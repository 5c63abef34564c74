"""The seven chatbots, each with the fields of its kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Unpack

from evolution_sdk._client.options import CallOptions, SendOptions
from evolution_sdk.identity import Jid
from evolution_sdk.models import chatbot_fields as fields
from evolution_sdk.models import requests_chatbots as req
from evolution_sdk.models.chatbots import (
    ChatbotSettings,
    DeletedCreds,
    DifyBot,
    EvoaiBot,
    EvolutionBot,
    FlowiseBot,
    N8nBot,
    OpenaiBot,
    OpenaiCreds,
    OpenaiModel,
    OpenaiSettings,
    TypebotBot,
    TypebotStartAck,
)
from evolution_sdk.operations.build import check_segment
from evolution_sdk.operations.routes import chatbots as ops

from .chatbots import AsyncChatbotApi


class AsyncTypebotApi(
    AsyncChatbotApi[fields.TypebotFields, TypebotBot, fields.ChatbotSettingsFields, ChatbotSettings]
):
    """Bots of Typebot; their fields are :class:`~evolution_sdk.models.TypebotFields`."""

    __slots__ = ()
    _routes = ops.TYPEBOT
    _bot_body = req.TypebotRequest
    _settings_body = req.TypebotSettingsRequest

    async def start(
        self,
        remote_jid: str | Jid,
        *,
        url: str,
        typebot: str,
        start_session: bool | None = None,
        variables: Mapping[str, str] | None = None,
        **options: Unpack[SendOptions],
    ) -> TypebotStartAck:
        """Start a bot in a chat, which sends its first messages. It takes at least two seconds.

        Args:
            remote_jid: The chat, by its exact JID; otherwise the contact's answers miss the bot.
            url: Address of the Typebot viewer.
            typebot: The bot's public id there.
            start_session: True replaces the chat's sessions by one that continues with the
                contact's answers, and stores the bot if it is new; failures are then not
                reported. Default of the server: only send the bot's first messages.
            variables: Initial values of variables, by name.
            **options: Options of one call, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            An echo of the request.

        Raises:
            RequestValidationError: A value breaks a rule, or it is ``status@broadcast``.
            BadRequestError: The chat is on the list of ignored chats, or no settings are stored
                yet; see ``set_settings``.
            SendOutcomeUnknownError: No answer arrived, or an empty one, which means that Typebot
                could not be reached or that sending failed half-way.
            FeatureDisabledError: The server has Typebot switched off.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        pairs = [{"name": name, "value": value} for name, value in (variables or {}).items()]
        request = req.StartTypebotRequest.check(
            remote_jid=remote_jid,
            url=url,
            typebot=typebot,
            start_session=start_session,
            variables=tuple(pairs) or None,
        )
        return await self._act(ops.START_TYPEBOT, request.body(), options)


class AsyncOpenaiApi(
    AsyncChatbotApi[fields.OpenaiFields, OpenaiBot, fields.OpenaiSettingsFields, OpenaiSettings]
):
    """Bots of OpenAI, and the keys that they use.

    Their fields are :class:`~evolution_sdk.models.OpenaiFields`.
    """

    __slots__ = ()
    _routes = ops.OPENAI
    _bot_body = req.OpenaiRequest
    _settings_body = req.OpenaiSettingsRequest

    async def create_creds(
        self, name: str, api_key: str, **options: Unpack[SendOptions]
    ) -> OpenaiCreds:
        """Store a key of OpenAI.

        Args:
            name: Name of the key; unique on the whole server, at most 255 characters.
            api_key: The key; unique on the whole server.
            **options: Options of one call, see :class:`~evolution_sdk.SendOptions`.

        Returns:
            The stored key, with the id that bots and settings refer to.

        Raises:
            RequestValidationError: A value breaks a rule.
            BadRequestError: The name or the key is stored already.
            FeatureDisabledError: The server has OpenAI switched off.
            SendOutcomeUnknownError: No answer arrived; check with :meth:`find_creds` first.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        request = req.OpenaiCredsRequest.check(name=name, api_key=api_key)
        return await self._act(ops.CREATE_OPENAI_CREDS, request.body(), options)

    async def find_creds(self, **options: Unpack[CallOptions]) -> list[OpenaiCreds]:
        """List the instance's keys of OpenAI.

        Args:
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The keys in clear text (secret), each with the bots that use it.

        Raises:
            FeatureDisabledError: The server has OpenAI switched off.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        return await self._pipeline.call(ops.FIND_OPENAI_CREDS, self._target, options=options)

    async def delete_creds(
        self, openai_creds_id: str, **options: Unpack[CallOptions]
    ) -> DeletedCreds:
        """Remove a key of OpenAI.

        Args:
            openai_creds_id: Id of the stored key.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            Its id.

        Raises:
            RequestValidationError: The id is empty.
            BadRequestError: The instance has no such key, or the settings use it (500 each).
            FeatureDisabledError: The server has OpenAI switched off.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        path = {"openaiCredsId": check_segment("openai_creds_id", openai_creds_id)}
        return await self._pipeline.call(
            ops.DELETE_OPENAI_CREDS, self._target, path=path, options=options
        )

    async def get_models(
        self, openai_creds_id: str | None = None, **options: Unpack[CallOptions]
    ) -> list[OpenaiModel]:
        """List the models that a key may use. The server asks OpenAI, which may take a while.

        Args:
            openai_creds_id: Id of the stored key. Default: the key in the settings.
            **options: Options of one call, see :class:`~evolution_sdk.CallOptions`.

        Returns:
            The models.

        Raises:
            BadRequestError: There is no such key, or the settings name none (500 each).
            ServerError: OpenAI could not be reached, or refused the key.
            FeatureDisabledError: The server has OpenAI switched off.
            EvolutionError: Any other failure; see :mod:`evolution_sdk.errors`.
        """
        query = {"openaiCredsId": openai_creds_id}
        return await self._pipeline.call(
            ops.GET_OPENAI_MODELS, self._target, query=query, options=options
        )


class AsyncDifyApi(
    AsyncChatbotApi[fields.DifyFields, DifyBot, fields.ChatbotSettingsFields, ChatbotSettings]
):
    """Bots of Dify; their fields are :class:`~evolution_sdk.models.DifyFields`."""

    __slots__ = ()
    _routes = ops.DIFY
    _bot_body = req.DifyRequest
    _settings_body = req.WholeSettingsRequest


class AsyncN8nApi(
    AsyncChatbotApi[fields.N8nFields, N8nBot, fields.ChatbotSettingsFields, ChatbotSettings]
):
    """Workflows of n8n; their fields are :class:`~evolution_sdk.models.N8nFields`."""

    __slots__ = ()
    _routes = ops.N8N
    _bot_body = req.N8nRequest
    _settings_body = req.WholeSettingsRequest


class AsyncEvoaiApi(
    AsyncChatbotApi[fields.EvoaiFields, EvoaiBot, fields.ChatbotSettingsFields, ChatbotSettings]
):
    """Agents of Evo AI; their fields are :class:`~evolution_sdk.models.EvoaiFields`."""

    __slots__ = ()
    _routes = ops.EVOAI
    _bot_body = req.EvoaiRequest
    _settings_body = req.WholeSettingsRequest


class AsyncFlowiseApi(
    AsyncChatbotApi[fields.ServiceFields, FlowiseBot, fields.ChatbotSettingsFields, ChatbotSettings]
):
    """Flows of Flowise; their fields are :class:`~evolution_sdk.models.ServiceFields`."""

    __slots__ = ()
    _routes = ops.FLOWISE
    _bot_body = req.ServiceRequest
    _settings_body = req.FlowiseSettingsRequest


class AsyncEvolutionBotApi(
    AsyncChatbotApi[
        fields.ServiceFields, EvolutionBot, fields.ChatbotSettingsFields, ChatbotSettings
    ]
):
    """Your own services that implement the server's protocol; this kind is always switched on.

    Their fields are :class:`~evolution_sdk.models.ServiceFields`.
    """

    __slots__ = ()
    _routes = ops.EVOLUTION_BOT
    _bot_body = req.ServiceRequest
    _settings_body = req.WholeSettingsRequest
