"""What the chatbot methods take: the fields of a bot, and the defaults for bots of one kind.

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
    """What every chatbot takes. A new bot copies what is left out from the defaults.

    Attributes:
        trigger_type: What wakes it: ``all`` messages (one enabled bot of a kind may have that), a
            ``keyword``, an ``advanced`` expression, or ``none`` but the API.
        trigger_operator: How a keyword is compared; mandatory for ``keyword``.
        trigger_value: The keyword or expression; mandatory for ``keyword`` and ``advanced``.
        enabled: Whether it answers at all. Default: True.
        description: A note, at most 255 characters.
        expire_minutes: End a session after so many minutes of silence; 0 never.
        keyword_finish: What the contact writes to end a session, at most 100 characters.
        delay_message_ms: Seem to type for so long before each message, in milliseconds.
        unknown_message: Answer to what the bot does not understand, at most 100 characters.
        listening_from_me: Whether it also reacts to the account's own messages.
        stop_bot_from_me: Whether a message of the account's own pauses it.
        keep_open: Whether ended sessions are kept, so that the bot does not begin anew.
        debounce_seconds: Wait for more messages before answering, in seconds.
        ignore_jids: Chats it does not answer, as JIDs; ``@g.us`` stands for all groups and
            ``@s.whatsapp.net`` for all contacts.
        split_messages: Whether an answer is sent as several messages.
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
    """The fields of a bot of Typebot.

    Attributes:
        url: Address of the Typebot viewer, without a path; at most 500 characters.
        typebot: The bot's public id there.
    """

    url: Required[str]
    typebot: Required[str]


class OpenaiFields(ChatbotFields, total=False):
    """The fields of a bot of OpenAI.

    Attributes:
        openai_creds_id: Id of the stored key, see ``openai.create_creds``.
        bot_type: ``assistant`` (needs ``assistant_id``) or ``chatCompletion`` (needs ``model``
            and ``max_tokens``).
        assistant_id: Id of the assistant at OpenAI.
        function_url: Address that the assistant's functions are sent to.
        model: Name of the model.
        system_messages: What it is told to be.
        assistant_messages: Examples of its own words.
        user_messages: Examples of the contact's words.
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
    """The fields of a bot of Dify.

    Attributes:
        bot_type: What kind of application it is.
        api_url: Address of Dify's API, ending in ``/v1``; without it the bot never answers.
        api_key: The application's key.
    """

    bot_type: Required[DifyBotTypeName]
    api_url: str
    api_key: str


class N8nFields(ChatbotFields, total=False):
    """The fields of a workflow of n8n.

    Attributes:
        webhook_url: Address of the workflow's webhook.
        basic_auth_user: User of its basic authentication.
        basic_auth_pass: Password of its basic authentication. The server's schema calls it
            ``basicAuthPassword`` and drops that silently; this is the name that is stored.
    """

    webhook_url: Required[str]
    basic_auth_user: str
    basic_auth_pass: str


class EvoaiFields(ChatbotFields, total=False):
    """The fields of an agent of Evo AI.

    Attributes:
        agent_url: Address of the agent.
        api_key: Its key.
    """

    agent_url: Required[str]
    api_key: str


class ServiceFields(ChatbotFields, total=False):
    """The fields of a flow of Flowise, or of a service of one's own (``evolution_bot``).

    Attributes:
        api_url: Address of the flow or service.
        api_key: Its key.
    """

    api_url: Required[str]
    api_key: str


class ChatbotSettingsFields(TypedDict, total=False):
    """Defaults for the bots of one kind; what they mean is told at :class:`ChatbotFields`.

    Attributes:
        expire_minutes: In minutes; 0 never.
        keyword_finish: At most 100 characters.
        delay_message_ms: In milliseconds.
        unknown_message: At most 100 characters.
        listening_from_me: Yes or no.
        stop_bot_from_me: Yes or no.
        keep_open: Yes or no. May be left out for Typebot only, and then keeps its value.
        debounce_seconds: In seconds. May be left out for Typebot only.
        ignore_jids: Replaces the whole list. May be left out for Typebot only.
        split_messages: Yes or no. May be left out for Typebot, Flowise and OpenAI.
        time_per_char_ms: In milliseconds. May be left out for Typebot, Flowise and OpenAI.
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
        speech_to_text: Whether voice messages are put into words.
    """

    openai_creds_id: Required[str]
    speech_to_text: bool
