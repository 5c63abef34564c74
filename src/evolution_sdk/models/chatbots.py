"""Chatbots as the server stores them, with their settings and sessions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import ConfigDict, Field
from pydantic.alias_generators import to_camel

from evolution_sdk._base.json_types import is_object

from .base import Model, OpenEnum, RenamedModel, UnixTime
from .rows import StoredRow

_UNITS = {
    "expire_minutes": "expire",
    "delay_message_ms": "delayMessage",
    "debounce_seconds": "debounceTime",
    "time_per_char_ms": "timePerChar",
}


def wire_name(name: str) -> str:
    """Return the server's name of a field; its names of durations carry no unit."""
    return _UNITS.get(name) or to_camel(name)


class TriggerType(OpenEnum):
    """The trigger of a bot: every message, a keyword, none (the API alone), or an expression."""

    ALL = "all"
    KEYWORD = "keyword"
    NONE = "none"
    ADVANCED = "advanced"


class TriggerOperator(OpenEnum):
    """The comparison of a keyword with a message."""

    EQUALS = "equals"
    CONTAINS = "contains"
    STARTS_WITH = "startsWith"
    ENDS_WITH = "endsWith"
    REGEX = "regex"


class BotStatus(OpenEnum):
    """The state of a session; ``delete`` occurs only as a requested state."""

    OPENED = "opened"
    PAUSED = "paused"
    CLOSED = "closed"
    DELETE = "delete"


class BotConduct(StoredRow):
    """The behaviour of a bot in a chat; None where neither the bot nor the defaults set it.

    Attributes:
        expire_minutes: Minutes of silence after which a session ends; 0 means never.
        delay_message_ms: Time that "typing" is shown before each message, in milliseconds.
        debounce_seconds: Time to wait for more messages before it answers, in seconds.
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
    """A bot of any kind. The server returns a bot's own key in clear text; ``repr`` hides it."""

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
    """The OpenAI interface a bot uses."""

    ASSISTANT = "assistant"
    CHAT_COMPLETION = "chatCompletion"


class OpenaiBot(Chatbot):
    """A bot of OpenAI; ``openai_creds_id`` is the id of its stored key."""

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
    """The kind of Dify application behind a bot."""

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
    """A custom service that speaks the server's protocol."""

    api_url: str | None = None
    api_key: str | None = None


class ChatbotSettings(RenamedModel, BotConduct):
    """Defaults for the bots of one kind, and the bot for messages that trigger none.

    The server stores the fallback under another name for each kind; ``fallback_id`` is set for all
    of them, on every version.
    """

    shown: ClassVar[tuple[str, ...]] = ("id", "fallback_id")
    expected: ClassVar[tuple[str, ...]] = ("expire", "fallbackId")
    # The only names of 2.2 (`facts/versions/versions.md` §4 "bots' fallback").
    other_names: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "fallbackId": (
            "typebotIdFallback",
            "openaiIdFallback",
            "difyIdFallback",
            "flowiseIdFallback",
            "botIdFallback",
        )
    }

    fallback_id: str | None = None
    fallback: Chatbot | None = None

    @property
    def stored(self) -> bool | None:
        """Tell whether the instance has its own; otherwise these are built into the server.

        None where the server does not say: 2.2 never gives the id of settings.
        """
        if self.id is None and is_object(self.raw) and "fallbackId" not in self.raw:
            return None
        return self.id is not None


class OpenaiSettings(ChatbotSettings):
    """Defaults for the bots of OpenAI."""

    openai_creds_id: str | None = None
    speech_to_text: bool | None = None


class DeletedRow(Model):
    """The id of a row that was removed."""

    shown: ClassVar[tuple[str, ...]] = ("id",)

    id: str = ""


_BOT_NAMES: Mapping[str, tuple[str, ...]] = {"bot": ("typebot", "openai")}
"""Names of 2.2 for a bot in answers about it (`facts/versions/versions.md` §4)."""


class DeletedChatbot(RenamedModel):
    """The answer to removing a bot; its sessions are removed with it."""

    shown: ClassVar[tuple[str, ...]] = ("bot",)
    expected: ClassVar[tuple[str, ...]] = ("bot",)
    other_names: ClassVar[Mapping[str, tuple[str, ...]]] = _BOT_NAMES

    bot: DeletedRow = DeletedRow()

    @property
    def id(self) -> str:
        """Id of the bot that was removed."""
        return self.bot.id


class SessionCount(Model):
    """The number of rows that a change touched."""

    shown: ClassVar[tuple[str, ...]] = ("count",)

    count: int = 0


class StatusTarget(RenamedModel):
    """The sessions that were changed, and their new status.

    The server wraps it in a second ``bot``, except for a delete.
    """

    shown: ClassVar[tuple[str, ...]] = ("status", "session")
    other_names: ClassVar[Mapping[str, tuple[str, ...]]] = _BOT_NAMES

    instance_name: str | None = None
    remote_jid: str | None = None
    status: BotStatus | None = None
    session: SessionCount | None = None
    bot: StatusTarget | None = None


class StatusChange(RenamedModel):
    """The answer to a change of status."""

    shown: ClassVar[tuple[str, ...]] = ("status", "count")
    expected: ClassVar[tuple[str, ...]] = ("bot",)
    other_names: ClassVar[Mapping[str, tuple[str, ...]]] = _BOT_NAMES

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
        """The status that was asked for."""
        return self._target.status

    @property
    def count(self) -> int | None:
        """The number of sessions that were changed; 0 when the chat has none.

        None where the server does not say: for ``closed`` and ``delete``.
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
    """The bot that was started, its chat, and its first variables."""

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
    """An OpenAI key, stored under a name. ``api_key`` is in clear text; ``repr`` hides it."""

    shown: ClassVar[tuple[str, ...]] = ("id", "name")
    expected: ClassVar[tuple[str, ...]] = ("id", "name")

    name: str | None = None
    api_key: str | None = None
    bots: tuple[OpenaiBot, ...] | None = Field(default=None, alias="OpenaiAssistant")


class DeletedCreds(Model):
    """The answer to removing an OpenAI key."""

    shown: ClassVar[tuple[str, ...]] = ("openai_creds",)
    expected: ClassVar[tuple[str, ...]] = ("openaiCreds",)

    openai_creds: DeletedRow = DeletedRow()

    @property
    def id(self) -> str:
        """Id of the key that was removed."""
        return self.openai_creds.id


class OpenaiModel(Model):
    """A model that OpenAI offers, in OpenAI's own fields."""

    shown: ClassVar[tuple[str, ...]] = ("id", "owned_by")
    expected: ClassVar[tuple[str, ...]] = ("id",)

    id: str = ""
    object: str | None = None
    created: UnixTime | None = None
    # OpenAI's own spelling, not camel case.
    owned_by: str | None = Field(default=None, alias="owned_by")
