"""Arguments of the chatbot methods: fields of a bot, and defaults for the bots of one kind.

Each is a plain dictionary, ``{"trigger_type": "all", …}`` or ``DifyFields(trigger_type="all", …)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Required, TypedDict

from evolution_sdk.identity import Jid

from .requests_chatbots import (
    DifyBotTypeName,
    OpenaiBotTypeName,
    TriggerOperatorName,
    TriggerTypeName,
)


class ChatbotFields(TypedDict, total=False):
    """Fields of every chatbot. A new bot copies missing fields from the defaults of its kind.

    Attributes:
        trigger_type: Trigger: ``all`` messages (at most one enabled bot of a kind), a ``keyword``,
            an ``advanced`` expression, or ``none`` (only the API starts it).
        trigger_operator: Comparison with the keyword; mandatory for ``keyword``.
        trigger_value: The keyword or expression; mandatory for ``keyword`` and ``advanced``.
        enabled: True if the bot answers. Default: True.
        description: A note, at most 255 characters.
        expire_minutes: Minutes of silence after which a session ends; 0 for never.
        keyword_finish: Word with which the contact ends a session, at most 100 characters.
        delay_message_ms: Time of "typing…" before each message, in milliseconds.
        unknown_message: Answer to a message that it does not understand, at most 100 characters.
        listening_from_me: True to react to the account's own messages, too.
        stop_bot_from_me: True if a message of the account's own pauses the bot.
        keep_open: True to keep ended sessions, so that the bot does not start again.
        debounce_seconds: Wait for more messages before an answer, in seconds.
        ignore_jids: JIDs of chats that it does not answer; ``@g.us`` stands for all groups and
            ``@s.whatsapp.net`` for all contacts.
        split_messages: True to send an answer as several messages.
        time_per_char_ms: Typing time per character of split messages, in milliseconds.
    """

    trigger_type: Required[TriggerTypeName]
    trigger_operator: TriggerOperatorName
    trigger_value: str
    enabled: bool
    description: str
    expire_minutes: int
    keyword_finish: str
    delay_message_ms: int
    unknown_message: str
    listening_from_me: bool
    stop_bot_from_me: bool
    keep_open: bool
    debounce_seconds: int
    ignore_jids: Sequence[str | Jid]
    split_messages: bool
    time_per_char_ms: int


class TypebotFields(ChatbotFields, total=False):
    """Fields of a bot of Typebot.

    Attributes:
        url: Address of the Typebot viewer, without a path; at most 500 characters.
        typebot: The bot's public id there.
    """

    url: Required[str]
    typebot: Required[str]


class OpenaiFields(ChatbotFields, total=False):
    """Fields of a bot of OpenAI.

    Attributes:
        openai_creds_id: Id of the stored key, see ``openai.create_creds``.
        bot_type: ``assistant`` (needs ``assistant_id``) or ``chatCompletion`` (needs ``model``
            and ``max_tokens``).
        assistant_id: Id of the assistant at OpenAI.
        function_url: Address that the assistant's functions are sent to.
        model: Name of the model.
        system_messages: Instructions for the model.
        assistant_messages: Examples of its answers.
        user_messages: Examples of messages of the contact.
        max_tokens: Longest answer, in tokens; at least 1.
    """

    openai_creds_id: Required[str]
    bot_type: Required[OpenaiBotTypeName]
    assistant_id: str
    function_url: str
    model: str
    system_messages: Sequence[str]
    assistant_messages: Sequence[str]
    user_messages: Sequence[str]
    max_tokens: int


class DifyFields(ChatbotFields, total=False):
    """Fields of a bot of Dify.

    Attributes:
        bot_type: Kind of application in Dify.
        api_url: Address of Dify's API, ending in ``/v1``; without it the bot never answers.
        api_key: The application's key.
    """

    bot_type: Required[DifyBotTypeName]
    api_url: str
    api_key: str


class N8nFields(ChatbotFields, total=False):
    """Fields of a workflow of n8n.

    Attributes:
        webhook_url: Address of the workflow's webhook.
        basic_auth_user: User of its basic authentication.
        basic_auth_pass: Password, sent as ``basicAuthPass``. The server's
            schema says ``basicAuthPassword``, which the server silently drops.
    """

    webhook_url: Required[str]
    basic_auth_user: str
    basic_auth_pass: str


class EvoaiFields(ChatbotFields, total=False):
    """Fields of an agent of Evo AI.

    Attributes:
        agent_url: Address of the agent.
        api_key: Its key.
    """

    agent_url: Required[str]
    api_key: str


class ServiceFields(ChatbotFields, total=False):
    """Fields of a flow of Flowise, or of your own service (``evolution_bot``).

    Attributes:
        api_url: Address of the flow or service.
        api_key: Its key.
    """

    api_url: Required[str]
    api_key: str


class ChatbotSettingsFields(TypedDict, total=False):
    """Defaults for the bots of one kind; see :class:`ChatbotFields` for their meaning.

    Attributes:
        expire_minutes: In minutes; 0 for never.
        keyword_finish: At most 100 characters.
        delay_message_ms: In milliseconds.
        unknown_message: At most 100 characters.
        listening_from_me: True or False.
        stop_bot_from_me: True or False.
        keep_open: True or False. May be left out for Typebot only, and then keeps its value.
        debounce_seconds: In seconds. May be left out for Typebot only.
        ignore_jids: Replaces the whole list. May be left out for Typebot only.
        split_messages: True or False. May be left out for Typebot, Flowise and OpenAI.
        time_per_char_ms: In milliseconds. May be left out for Typebot, Flowise and OpenAI.
        fallback_id: Id of the bot that answers if no trigger fits. According to the server's source
            it is stored only if settings exist already and never for OpenAI (500 otherwise), and
            is not used for Dify and n8n.
    """

    expire_minutes: Required[int]
    keyword_finish: Required[str]
    delay_message_ms: Required[int]
    unknown_message: Required[str]
    listening_from_me: Required[bool]
    stop_bot_from_me: Required[bool]
    keep_open: bool
    debounce_seconds: int
    ignore_jids: Sequence[str | Jid]
    split_messages: bool
    time_per_char_ms: int
    fallback_id: str


class OpenaiSettingsFields(ChatbotSettingsFields, total=False):
    """Defaults for the bots of OpenAI.

    Attributes:
        openai_creds_id: Id of the stored key.
        speech_to_text: True to transcribe voice messages.
    """

    openai_creds_id: Required[str]
    speech_to_text: bool
