"""The arguments of the chatbot methods: the fields of a bot, and the defaults of one kind.

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
    """The fields of every chatbot. A new bot takes the ones left out from the defaults.

    Attributes:
        trigger_type: What starts it: ``all`` messages (only one enabled bot of a kind may have
            this), a ``keyword``, an ``advanced`` expression, or ``none``: the API alone.
        trigger_operator: How a keyword is compared with a message; mandatory for ``keyword``.
        trigger_value: The keyword or expression; mandatory for ``keyword`` and ``advanced``.
        enabled: True if the bot answers. Default: True.
        description: A note, at most 255 characters.
        expire_minutes: Minutes of silence after which a session ends; 0 means never.
        keyword_finish: Word with which the contact ends a session, at most 100 characters.
        delay_message_ms: Time that "typing" is shown before each message, in milliseconds.
        unknown_message: Answer to a message the bot does not understand, at most 100 characters.
        listening_from_me: Whether it also reacts to the account's own messages.
        stop_bot_from_me: Whether one of the account's own messages pauses it.
        keep_open: Whether ended sessions are kept, so that the bot does not start again.
        debounce_seconds: Time to wait for more messages before it answers, in seconds.
        ignore_jids: Chats it does not answer, as JIDs; ``@g.us`` stands for all groups and
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
        system_messages: Its instructions (role ``system``).
        assistant_messages: Sample answers (role ``assistant``).
        user_messages: Sample messages of a contact (role ``user``).
        max_tokens: Length limit of an answer, in tokens; at least 1.
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
        bot_type: The kind of Dify application.
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
    """Defaults for the bots of one kind; :class:`ChatbotFields` explains each field.

    Attributes:
        expire_minutes: In minutes; 0 means never.
        keyword_finish: At most 100 characters.
        delay_message_ms: In milliseconds.
        unknown_message: At most 100 characters.
        listening_from_me: Yes or no.
        stop_bot_from_me: Yes or no.
        keep_open: Yes or no. Optional for Typebot only, where it then keeps its value.
        debounce_seconds: In seconds. Optional for Typebot only.
        ignore_jids: Replaces the whole list. Optional for Typebot only.
        split_messages: Yes or no. Optional for Typebot, Flowise and OpenAI.
        time_per_char_ms: In milliseconds. Optional for Typebot, Flowise and OpenAI.
        fallback_id: Bot that answers when no trigger fits. By the server's source it is stored
            only where settings exist already, never for OpenAI (500 each), and not looked up
            when a message comes for Dify and n8n.
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
        speech_to_text: Whether voice messages are transcribed.
    """

    openai_creds_id: Required[str]
    speech_to_text: bool
