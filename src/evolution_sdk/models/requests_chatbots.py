"""Bodies of the chatbot routes, checked before they leave.

The server answers most of these mistakes with 500 and little detail. Lengths are the limits of
its database; units come from `facts/endpoints.json`.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal, TypeAlias

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from .base import RequestModel
from .chatbots import wire_name
from .conditions import needed_if

TriggerTypeName: TypeAlias = Literal["all", "keyword", "none", "advanced"]
TriggerOperatorName: TypeAlias = Literal["equals", "contains", "startsWith", "endsWith", "regex"]
BotStatusName: TypeAlias = Literal["opened", "paused", "closed", "delete"]
IgnoreAction: TypeAlias = Literal["add", "remove"]
OpenaiBotTypeName: TypeAlias = Literal["assistant", "chatCompletion"]
DifyBotTypeName: TypeAlias = Literal["chatBot", "textGenerator", "agent", "workflow"]


def _whole_address(url: str) -> str:
    if not url.startswith(("http://", "https://")):
        raise ValueError("must begin with http:// or https://, or the bot never answers")
    return url


def _jid(value: Any) -> Any:
    """Demand a JID: the server compares texts, so that a bare number would match no chat."""
    text = value if isinstance(value, str) else str(value)
    if "@" not in text:
        raise ValueError("must be a JID, such as 5511999999999@s.whatsapp.net")
    return text


Amount = Annotated[int, Field(strict=True, ge=0, le=2**31 - 1)]
Words = Annotated[str, Field(max_length=100)]
Note = Annotated[str, Field(max_length=255)]
Address = Annotated[str, Field(max_length=255), AfterValidator(_whole_address)]
LongAddress = Annotated[str, Field(max_length=500), AfterValidator(_whole_address)]
ChatJid = Annotated[str, BeforeValidator(_jid)]


class BotConductRequest(RequestModel):
    """The behaviour of a bot; fields left out are copied from the defaults."""

    model_config: ClassVar[ConfigDict] = ConfigDict(alias_generator=wire_name)

    expire_minutes: Amount | None = None
    keyword_finish: Words | None = None
    delay_message_ms: Amount | None = None
    unknown_message: Words | None = None
    listening_from_me: bool | None = None
    stop_bot_from_me: bool | None = None
    keep_open: bool | None = None
    debounce_seconds: Amount | None = None
    ignore_jids: tuple[ChatJid, ...] | None = None
    split_messages: bool | None = None
    time_per_char_ms: Amount | None = None


class ChatbotRequest(BotConductRequest):
    """A bot of any kind. Creating and replacing one both need all of its mandatory fields."""

    enabled: bool = True
    description: Note | None = None
    trigger_type: TriggerTypeName
    # Defaults are validated, or a missing value would escape ``needed_if``.
    trigger_operator: Annotated[
        TriggerOperatorName | None, needed_if("trigger_type", "keyword")
    ] = Field(default=None, validate_default=True)
    trigger_value: Annotated[str | None, needed_if("trigger_type", "keyword", "advanced")] = Field(
        default=None, validate_default=True
    )


class TypebotRequest(ChatbotRequest):
    """A bot of Typebot, named by the viewer's address and its public id."""

    url: LongAddress
    typebot: Annotated[str, Field(min_length=1, max_length=100)]


class OpenaiRequest(ChatbotRequest):
    """A bot of OpenAI."""

    openai_creds_id: str = Field(min_length=1)
    bot_type: OpenaiBotTypeName
    assistant_id: Annotated[Note | None, needed_if("bot_type", "assistant")] = Field(
        default=None, validate_default=True
    )
    function_url: LongAddress | None = None
    model: Annotated[Words | None, needed_if("bot_type", "chatCompletion")] = Field(
        default=None, validate_default=True
    )
    system_messages: tuple[str, ...] | None = None
    assistant_messages: tuple[str, ...] | None = None
    user_messages: tuple[str, ...] | None = None
    max_tokens: Annotated[Amount | None, needed_if("bot_type", "chatCompletion")] = Field(
        default=None, validate_default=True
    )


class DifyRequest(ChatbotRequest):
    """A bot of Dify. The server accepts one without an address, but it then never answers."""

    bot_type: DifyBotTypeName
    api_url: Address | None = None
    api_key: Note | None = None


class N8nRequest(ChatbotRequest):
    """A workflow of n8n.

    The schema's ``basicAuthPassword`` is accepted and dropped; ``basicAuthPass`` is what is stored
    (`facts/observed.md` "Request traps" 8).
    """

    webhook_url: Address
    basic_auth_user: Note | None = None
    basic_auth_pass: Note | None = None


class EvoaiRequest(ChatbotRequest):
    """An agent of Evo AI."""

    agent_url: Address
    api_key: Note | None = None


class ServiceRequest(ChatbotRequest):
    """A bot behind an address and a key: Flowise, or a custom service."""

    api_url: Address
    api_key: Note | None = None


class SettingsRequest(RequestModel):
    """Defaults for the bots of one kind.

    ``fallbackId`` is the key that the server reads for every kind; the names in its schemas
    (``difyIdFallback`` and so on) are accepted and dropped.
    """

    model_config: ClassVar[ConfigDict] = ConfigDict(alias_generator=wire_name)

    expire_minutes: Amount
    keyword_finish: Words
    delay_message_ms: Amount
    unknown_message: Words
    listening_from_me: bool
    stop_bot_from_me: bool
    fallback_id: Words | None = None


class TypebotSettingsRequest(SettingsRequest):
    """Defaults for Typebot, for which the server demands the fewest fields."""

    keep_open: bool | None = None
    debounce_seconds: Amount | None = None
    ignore_jids: tuple[ChatJid, ...] | None = None
    split_messages: bool | None = None
    time_per_char_ms: Amount | None = None


class FlowiseSettingsRequest(SettingsRequest):
    """Defaults for Flowise, with two optional fields."""

    keep_open: bool
    debounce_seconds: Amount
    ignore_jids: tuple[ChatJid, ...]
    split_messages: bool | None = None
    time_per_char_ms: Amount | None = None


class OpenaiSettingsRequest(FlowiseSettingsRequest):
    """Defaults for OpenAI, with the same optional fields, and a mandatory key."""

    openai_creds_id: str = Field(min_length=1)
    speech_to_text: bool | None = None


class WholeSettingsRequest(SettingsRequest):
    """Defaults for Dify, n8n, Evo AI and custom services, for which all fields are mandatory."""

    keep_open: bool
    debounce_seconds: Amount
    ignore_jids: tuple[ChatJid, ...]
    split_messages: bool
    time_per_char_ms: Amount


class ChangeStatusRequest(RequestModel):
    """The new status of a chat's sessions."""

    remote_jid: ChatJid
    status: BotStatusName


class IgnoreJidRequest(RequestModel):
    """A chat to ignore, or no longer to ignore; ``@g.us`` stands for all groups."""

    remote_jid: ChatJid
    action: IgnoreAction


class Variable(RequestModel):
    """A variable with which a bot of Typebot starts."""

    name: str = Field(min_length=1)
    value: str


def _not_a_story(jid: str) -> str:
    if jid == "status@broadcast":
        raise ValueError("must be a chat; for status@broadcast the server does nothing")
    return jid


class StartTypebotRequest(RequestModel):
    """A bot of Typebot to start, and its chat."""

    remote_jid: Annotated[ChatJid, AfterValidator(_not_a_story)]
    url: LongAddress
    typebot: str = Field(min_length=1, max_length=100)
    start_session: bool | None = None
    variables: tuple[Variable, ...] | None = None


class OpenaiCredsRequest(RequestModel):
    """An OpenAI key. Name and key are unique in the whole server, not only the instance."""

    name: str = Field(min_length=1, max_length=255)
    api_key: str = Field(min_length=1, max_length=255)
