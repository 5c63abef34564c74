"""The seven chatbots, and the differences between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from evolution_sdk.testing.fake.errors import ErrorThrown
from evolution_sdk.testing.fake.js import JsonObject, get, truthy
from evolution_sdk.testing.fake.schema import Schema
from evolution_sdk.testing.fake.schemas import chatbots as schemas
from evolution_sdk.testing.fake.schemas.common import BOOLEAN, STRING
from evolution_sdk.testing.fake.tables import Column, Columns, text

_TEXT = text(255)
NO_TIMING = ("splitMessages", "timePerChar")
"""Options that Typebot was the last to get."""

OPTION_COLUMNS: Columns = {
    "expire": Column("int", default=0),
    "keywordFinish": text(100),
    "delayMessage": Column("int"),
    "unknownMessage": text(100),
    "listeningFromMe": Column("bool", default=False),
    "stopBotFromMe": Column("bool", default=False),
    "keepOpen": Column("bool", default=False),
    "debounceTime": Column("int"),
    "ignoreJids": Column("json"),
    "splitMessages": Column("bool", default=False),
    "timePerChar": Column("int", default=50),
}


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of chatbot.

    Attributes:
        group: Its first path segment, and its name among the server's features.
        label: Its name in error texts.
        own: Its own columns.
        create: Schema of a create or update.
        settings: Schema of its default settings.
        unique: The members that make two bots of an instance the same one.
        doubled: Error of a create of such a second bot; None when only updates look for it.
        doubled_first: The error before 2.3, where ``doubled`` is None.
        unknown: Error for an unknown bot before 2.3.
        unknown_deleted: The same when it is to be deleted, if it differs.
        fallback: The settings column with the fallback bot; made of the group when not given.
        noun: The noun in its operations' names; the group when not given.
        session_type: The mark of its sessions; the group when not given.
        setting_columns: Further columns of its settings.
        falls_back: Whether the fallback bot is ever used; two read a name that does not exist.
        lasting: Whether a closed session stays whatever ``keepOpen`` says.
    """

    group: str
    label: str
    own: Columns
    create: Schema
    settings: Schema
    unique: Callable[[JsonObject], Sequence[str]]
    doubled: str | None = None
    doubled_first: str = ""
    unknown: str = "Bot not found"
    unknown_deleted: str = ""
    fallback: str = ""
    noun: str = ""
    session_type: str = ""
    setting_columns: Columns = field(default_factory=dict[str, Column])
    falls_back: bool = True
    lasting: bool = True

    def __post_init__(self) -> None:
        """Fill in the names that follow from the group."""
        usual = {
            "fallback": f"{self.group}IdFallback",
            "noun": self.group,
            "session_type": self.group,
        }
        for name, value in usual.items():
            if not getattr(self, name):
                # Frozen, but not finished yet.
                object.__setattr__(self, name, value)

    @property
    def parameter(self) -> str:
        """The path parameter with the bot's id."""
        return "openaiBotId" if self.group == "openai" else f"{self.group}Id"

    @property
    def columns(self) -> Columns:
        """The columns of its bots."""
        return {
            "enabled": Column("bool", default=True, required=True),
            "description": _TEXT,
            **self.own,
            **OPTION_COLUMNS,
            "triggerType": text(),
            "triggerOperator": text(),
            "triggerValue": text(),
        }

    @property
    def all_settings(self) -> Columns:
        """The columns of its default settings."""
        return {**OPTION_COLUMNS, **self.setting_columns, self.fallback: text(100)}


def _always(*names: str) -> Callable[[JsonObject], Sequence[str]]:
    return lambda _: names


def _openai_unique(data: JsonObject) -> Sequence[str]:
    """List the members that identify an OpenAI bot; its type decides which must be given.

    Raises:
        ErrorThrown: A required member is missing.
    """
    needs = {
        "assistant": {"assistantId": "Assistant ID"},
        "chatCompletion": {"model": "Model", "maxTokens": "Max tokens"},
    }[data["botType"]]
    for name, words in needs.items():
        if not truthy(get(data, name)):
            raise ErrorThrown(f"{words} is required")
    return ("botType", *needs)


_API: dict[str, Schema] = {"apiUrl": STRING, "apiKey": STRING}
_API_COLUMNS: Columns = {"apiUrl": _TEXT, "apiKey": _TEXT}
FLOWISE = Kind(
    "flowise",
    "Flowise",
    _API_COLUMNS,
    schemas.bot(_API, ["apiUrl"]),
    schemas.settings("flowiseIdFallback", required=9),
    _always("apiUrl", "apiKey"),
    "Flowise already exists",
)
EVOLUTION_BOT = Kind(
    "evolutionBot",
    "EvolutionBot",
    _API_COLUMNS,
    FLOWISE.create,
    schemas.settings("botIdFallback"),
    FLOWISE.unique,
    fallback="botIdFallback",
    noun="evolution_bot",
    doubled_first="Dify already exists",
    session_type="evolution",
)
EVOAI = Kind(
    "evoai",
    "Evoai",
    {"agentUrl": _TEXT, "apiKey": _TEXT},
    schemas.bot({"agentUrl": STRING, "apiKey": STRING}, ["agentUrl"]),
    EVOLUTION_BOT.settings,
    _always("agentUrl", "apiKey"),
    "Evoai already exists",
)
DIFY = Kind(
    "dify",
    "Dify",
    {"botType": text(required=True), **_API_COLUMNS},
    schemas.bot(
        {"botType": schemas.choice("chatBot", "textGenerator", "agent", "workflow"), **_API},
        ["botType"],
    ),
    schemas.settings("difyIdFallback"),
    _always("botType", "apiUrl", "apiKey"),
    "Dify already exists",
    unknown="Dify not found",
    falls_back=False,
)
_N8N_NAMES = ("webhookUrl", "basicAuthUser", "basicAuthPass")
N8N = Kind(
    "n8n",
    "N8n",
    dict.fromkeys(_N8N_NAMES, _TEXT),
    # The schema's password has no column: it is accepted and dropped.
    schemas.bot(dict.fromkeys((*_N8N_NAMES[:2], "basicAuthPassword"), STRING), ["webhookUrl"]),
    EVOLUTION_BOT.settings,
    _always(*_N8N_NAMES),
    "N8n already exists",
    falls_back=False,
)
TYPEBOT = Kind(
    group="typebot",
    label="Typebot",
    own={"url": text(500, required=True), "typebot": text(100, required=True)},
    create=schemas.bot(
        {"url": STRING, "typebot": STRING},
        ["url", "typebot"],
        unchecked=("keepOpen", "debounceTime", *NO_TIMING),
    ),
    settings=schemas.settings(
        "typebotIdFallback",
        middle={"typebotIdFallback": STRING},
        required=6,
        unchecked=NO_TIMING,
    ),
    unique=_always("url", "typebot"),
    doubled_first="Typebot already exists",
    unknown="Typebot not found",
    lasting=False,
)
OPENAI = Kind(
    group="openai",
    label="Openai",
    own={
        "botType": text(required=True),
        "assistantId": _TEXT,
        "functionUrl": text(500),
        "model": text(100),
        "systemMessages": Column("json"),
        "assistantMessages": Column("json"),
        "userMessages": Column("json"),
        "maxTokens": Column("int"),
        "openaiCredsId": text(required=True),
    },
    create=schemas.bot(
        {
            "openaiCredsId": STRING,
            "botType": schemas.choice("assistant", "chatCompletion"),
            **dict.fromkeys(("assistantId", "functionUrl", "model"), STRING),
            **dict.fromkeys(
                ("systemMessages", "assistantMessages", "userMessages"), schemas.STRINGS
            ),
            "maxTokens": schemas.INTEGER,
        },
        ["openaiCredsId", "botType"],
        unchecked=NO_TIMING,
    ),
    settings=schemas.settings(
        "openaiIdFallback",
        first={"openaiCredsId": STRING},
        middle={"speechToText": BOOLEAN},
        required=9,
        unchecked=NO_TIMING,
    ),
    unique=_openai_unique,
    doubled="Openai Bot already exists",
    unknown="Openai Bot not found",
    unknown_deleted="Openai bot not found",
    setting_columns={
        "speechToText": Column("bool", default=False),
        "openaiCredsId": text(required=True),
    },
    lasting=False,
)
KINDS = (EVOLUTION_BOT, TYPEBOT, OPENAI, DIFY, N8N, EVOAI, FLOWISE)
"""All chatbots, in the order in which they get a message."""
