"""Answers about chatbots and their sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from .base import Model, OpenEnum, UnixTime
from .rows import StoredRow

_UNITS = {
    "expire_minutes": "expire",
    "delay_message_ms": "delayMessage",
    "debounce_seconds": "debounceTime",
    "time_per_char_ms": "timePerChar",
}


def wire_name(name: str) -> str:
    """Return the server's name of a field; the server's names of times carry no unit."""
    return _UNITS.get(name) or to_camel(name)


class TriggerType(OpenEnum):
    """Trigger of a bot: every message, a keyword, nothing (only the API), or an expression."""

    ALL = "all"
    KEYWORD = "keyword"
    NONE = "none"
    ADVANCED = "advanced"


class TriggerOperator(OpenEnum):
    """Comparison of a keyword with a message."""

    EQUALS = "equals"
    CONTAINS = "contains"
    STARTS_WITH = "startsWith"
    ENDS_WITH = "endsWith"
    REGEX = "regex"


class BotStatus(OpenEnum):
    """State of a session; ``delete`` occurs only in requests and their echoes."""

    OPENED = "opened"
    PAUSED = "paused"
    CLOSED = "closed"
    DELETE = "delete"


class BotConduct(StoredRow):
    """Behaviour of a bot in a chat; None if neither the bot nor the defaults set it.

    Attributes:
        expire_minutes: Minutes of silence after which a session ends; 0 for never.
        delay_message_ms: Time of "typing…" before each message, in milliseconds.
        debounce_seconds: Wait for more messages before an answer, in seconds.
        time_per_char_ms: Typing time per character of split messages, in milliseconds.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(alias_generator=wire_name)

    expire_minutes: int | None = None
    keyword_finish: str | None = None
    delay_message_ms: int | None = None
    unknown_message: str | None = None
    listening_from_me: bool | None = None
    stop_bot_from_me: bool | None = None
    keep_open: bool | None = None
    debounce_seconds: int | None = None
    ignore_jids: tuple[str, ...] | None = None
    split_messages: bool | None = None
    time_per_char_ms: int | None = None


class Chatbot(BotConduct):
    """A bot of any kind. The server returns its key in clear text; ``repr`` hides it."""

    shown: ClassVar[tuple[str, ...]] = ("id", "enabled", "trigger_type")
    expected: ClassVar[tuple[str, ...]] = ("id", "enabled", "triggerType")

    enabled: bool = False
    description: str | None = None
    trigger_type: TriggerType | None = None
    trigger_operator: TriggerOperator | None = None
    trigger_value: str | None = None


class TypebotBot(Chatbot):
    """A bot of Typebot; ``typebot`` is its public id there."""

    url: str = ""
    typebot: str = ""


class OpenaiBotType(OpenEnum):
    """Interface of OpenAI that a bot uses."""

    ASSISTANT = "assistant"
    CHAT_COMPLETION = "chatCompletion"


class OpenaiBot(Chatbot):
    """A bot of OpenAI; ``openai_creds_id`` names the stored key."""

    openai_creds_id: str | None = None
    bot_type: OpenaiBotType | None = None
    assistant_id: str | None = None
    function_url: str | None = None
    model: str | None = None
    system_messages: tuple[str, ...] | None = None
    assistant_messages: tuple[str, ...] | None = None
    user_messages: tuple[str, ...] | None = None
    max_tokens: int | None = None


class DifyBotType(OpenEnum):
    """Kind of an application in Dify."""

    CHAT_BOT = "chatBot"
    TEXT_GENERATOR = "textGenerator"
    AGENT = "agent"
    WORKFLOW = "workflow"


class DifyBot(Chatbot):
    """A bot of Dify."""

    bot_type: DifyBotType | None = None
    api_url: str | None = None
    api_key: str | None = None


class N8nBot(Chatbot):
    """A workflow of n8n."""

    webhook_url: str | None = None
    basic_auth_user: str | None = None
    basic_auth_pass: str | None = None


class EvoaiBot(Chatbot):
    """An agent of Evo AI."""

    agent_url: str | None = None
    api_key: str | None = None


class FlowiseBot(Chatbot):
    """A flow of Flowise."""

    api_url: str | None = None
    api_key: str | None = None


class EvolutionBot(Chatbot):
    """Your own service that implements the server's protocol."""

    api_url: str | None = None
    api_key: str | None = None


class ChatbotSettings(BotConduct):
    """Defaults for the bots of one kind, and the fallback bot for messages that trigger none.

    The server stores the fallback under another name for each kind; ``fallback_id`` is set for all
    of them.
    """

    shown: ClassVar[tuple[str, ...]] = ("id", "fallback_id")
    expected: ClassVar[tuple[str, ...]] = ("expire", "fallbackId")

    fallback_id: str | None = None
    fallback: Chatbot | None = None

    @property
    def stored(self) -> bool:
        """True if the instance has stored these, False for the server's built-in defaults."""
        return self.id is not None


class OpenaiSettings(ChatbotSettings):
    """Defaults for the bots of OpenAI."""

    openai_creds_id: str | None = None
    speech_to_text: bool | None = None


class DeletedRow(Model):
    """Id of a removed row."""

    shown: ClassVar[tuple[str, ...]] = ("id",)

    id: str = ""


class DeletedChatbot(Model):
    """Answer to removing a bot, whose sessions are removed with it."""

    shown: ClassVar[tuple[str, ...]] = ("bot",)
    expected: ClassVar[tuple[str, ...]] = ("bot",)

    bot: DeletedRow = DeletedRow()

    @property
    def id(self) -> str:
        """Id of the bot that was removed."""
        return self.bot.id


class SessionCount(Model):
    """Number of rows that a change touched."""

    shown: ClassVar[tuple[str, ...]] = ("count",)

    count: int = 0


class StatusTarget(Model):
    """Chat and new status of changed sessions; nested once more by the server except for delete."""

    shown: ClassVar[tuple[str, ...]] = ("status", "session")

    instance_name: str | None = None
    remote_jid: str | None = None
    status: BotStatus | None = None
    session: SessionCount | None = None
    bot: StatusTarget | None = None


class StatusChange(Model):
    """The answer to a change of status."""

    shown: ClassVar[tuple[str, ...]] = ("status", "count")
    expected: ClassVar[tuple[str, ...]] = ("bot",)

    bot: StatusTarget = StatusTarget()

    @property
    def _target(self) -> StatusTarget:
        return self.bot.bot or self.bot

    @property
    def remote_jid(self) -> str:
        """The chat."""
        return self._target.remote_jid or ""

    @property
    def status(self) -> BotStatus | None:
        """The requested status."""
        return self._target.status

    @property
    def count(self) -> int | None:
        """Number of sessions changed; 0 if the chat has none.

        It is None for ``closed`` and ``delete``, for which the server reports no number.
        """
        return None if self._target.session is None else self._target.session.count


class BotSession(StoredRow):
    """A conversation between a bot and a chat.

    ``parameters`` of a Typebot session hold the server's global key in clear text.
    """

    shown: ClassVar[tuple[str, ...]] = ("id", "status", "type")
    expected: ClassVar[tuple[str, ...]] = ("sessionId", "remoteJid", "status")

    session_id: str = ""
    remote_jid: str = ""
    push_name: str | None = None
    status: BotStatus | None = None
    await_user: bool | None = None
    context: Any = None
    type: str | None = None
    parameters: Any = None
    bot_id: str | None = None


class IgnoredJids(Model):
    """Chats that the bots of one kind do not answer."""

    expected: ClassVar[tuple[str, ...]] = ("ignoreJids",)

    ignore_jids: tuple[str, ...] = ()


class StartedTypebot(Model):
    """The bot that was started, with its chat and variables."""

    shown: ClassVar[tuple[str, ...]] = ("typebot",)

    url: str | None = None
    remote_jid: str = ""
    typebot: str = ""
    prefilled_variables: Mapping[str, Any] | None = None


class TypebotStartEcho(Model):
    """The echo, with the instance's name."""

    shown: ClassVar[tuple[str, ...]] = ("instance_name", "typebot")

    instance_name: str = ""
    typebot: StartedTypebot = StartedTypebot()


class TypebotStartAck(Model):
    """The answer to starting a bot of Typebot: an echo."""

    shown: ClassVar[tuple[str, ...]] = ("typebot",)
    expected: ClassVar[tuple[str, ...]] = ("typebot",)

    typebot: TypebotStartEcho = TypebotStartEcho()


class OpenaiCreds(StoredRow):
    """A key of OpenAI, stored under a name. ``api_key`` is in clear text; ``repr`` hides it."""

    shown: ClassVar[tuple[str, ...]] = ("id", "name")
    expected: ClassVar[tuple[str, ...]] = ("id", "name")

    name: str | None = None
    api_key: str | None = None
    bots: tuple[OpenaiBot, ...] | None = Field(default=None, alias="OpenaiAssistant")


class DeletedCreds(Model):
    """The answer to removing a key of OpenAI."""

    shown: ClassVar[tuple[str, ...]] = ("openai_creds",)
    expected: ClassVar[tuple[str, ...]] = ("openaiCreds",)

    openai_creds: DeletedRow = DeletedRow()

    @property
    def id(self) -> str:
        """Id of the key that was removed."""
        return self.openai_creds.id


class OpenaiModel(Model):
    """A model of OpenAI, as described by OpenAI."""

    shown: ClassVar[tuple[str, ...]] = ("id", "owned_by")
    expected: ClassVar[tuple[str, ...]] = ("id",)

    id: str = ""
    object: str | None = None
    created: UnixTime | None = None
    owned_by: str | None = Field(default=None, alias="owned_by")
