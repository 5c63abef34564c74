"""The seven chatbots: ten operations each, alike but for names, and what two of them add."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from evolution_sdk._base.effect import Effect
from evolution_sdk.models.chatbots import (
    BotSession,
    Chatbot,
    ChatbotSettings,
    DeletedChatbot,
    DeletedCreds,
    DifyBot,
    EvoaiBot,
    EvolutionBot,
    FlowiseBot,
    IgnoredJids,
    N8nBot,
    OpenaiBot,
    OpenaiCreds,
    OpenaiModel,
    OpenaiSettings,
    StatusChange,
    TypebotBot,
    TypebotStartAck,
)
from evolution_sdk.models.readers import list_of, optional
from evolution_sdk.operations.error_facts import ErrorFacts
from evolution_sdk.operations.operation import Operation, TimeoutKind

from ._declare import Family

_ERRORS = ErrorFacts(habits=frozenset({"looks_up_bot"}))

_FALLBACKS = {"evolutionBot": "botIdFallback"}

B = TypeVar("B", bound=Chatbot)
S = TypeVar("S", bound=ChatbotSettings)


class ChatbotOperations(NamedTuple, Generic[B, S]):
    """The operations that every chatbot has.

    Attributes:
        bot_id: Name of the path's placeholder for a bot's id.
        create: Make a bot.
        find: List the instance's bots.
        fetch: Look one up.
        update: Replace one.
        delete: Remove one.
        set_settings: Store the defaults.
        fetch_settings: Read the defaults.
        change_status: Pause, open, close or delete the sessions of a chat.
        fetch_sessions: List the sessions of a bot.
        ignore_jid: Put a chat on the list of those not answered, or take it off.
    """

    bot_id: str
    create: Operation[B]
    find: Operation[list[B]]
    fetch: Operation[B | None]
    update: Operation[B]
    delete: Operation[DeletedChatbot]
    set_settings: Operation[S]
    fetch_settings: Operation[S]
    change_status: Operation[StatusChange]
    fetch_sessions: Operation[list[BotSession]]
    ignore_jid: Operation[IgnoredJids]


def _chatbot(
    group: str,
    bot: type[B],
    settings: type[S],
    *,
    bot_id: str | None = None,
    noun: str | None = None,
    since: str = "2.0",
) -> ChatbotOperations[B, S]:
    """Declare the ten operations of one kind of bot.

    Args:
        group: The family, also the first part of its paths.
        bot: What a bot of this kind looks like.
        settings: What its defaults look like.
        bot_id: The placeholder of a bot's id; default: the family with ``Id``.
        noun: What the keys call the bot; default: the family.
        since: First server version that has it.

    Returns:
        The declarations.
    """
    noun = noun or group
    bot_id = bot_id or f"{group}Id"

    at, one = Family(group, session=False, since=since, errors=_ERRORS), f"/{{{bot_id}}}"
    reads, sets = Effect.READ, Effect.IDEMPOTENT
    # Making one adds a row; some kinds have no guard against doubles. Removing one twice is a 500.
    makes, removes = Effect.SEND, Effect.DESTRUCTIVE
    defaults, gone, changed = settings.from_wire, DeletedChatbot.from_wire, StatusChange.from_wire
    bots, one_bot, sessions = list_of(bot), optional(bot), list_of(BotSession)
    return ChatbotOperations(
        bot_id=bot_id,
        create=at(f"create_{noun}_bot", "POST", "create", makes, bot.from_wire),
        find=at(f"find_{noun}_bots", "GET", "find", reads, bots),
        fetch=at(f"fetch_{noun}_bot", "GET", "fetch" + one, reads, one_bot),
        update=at(f"update_{noun}_bot", "PUT", "update" + one, sets, bot.from_wire),
        delete=at(f"delete_{noun}_bot", "DELETE", "delete" + one, removes, gone),
        set_settings=at(
            f"set_{noun}_settings",
            "POST",
            "settings",
            sets,
            defaults,
            # 2.2.3 ignores the later name (`facts/versions/versions.md` §4).
            fields_renamed={"fallbackId": ("2.3", _FALLBACKS.get(group, f"{group}IdFallback"))},
        ),
        fetch_settings=at(f"fetch_{noun}_settings", "GET", "fetchSettings", reads, defaults),
        change_status=at(f"change_{noun}_status", "POST", "changeStatus", sets, changed),
        fetch_sessions=at(f"fetch_{noun}_sessions", "GET", "fetchSessions" + one, reads, sessions),
        ignore_jid=at(f"{noun}_ignore_jid", "POST", "ignoreJid", sets, IgnoredJids.from_wire),
    )


TYPEBOT = _chatbot("typebot", TypebotBot, ChatbotSettings)
_typebot = Family("typebot", session=False, errors=_ERRORS)

# sends the bot's first messages each time
# asks Typebot and sends its messages first: 2 s at least
START_TYPEBOT = _typebot(
    "start_typebot",
    "POST",
    "start",
    Effect.SEND,
    TypebotStartAck.from_wire,
    timeout=TimeoutKind.SEND,
    patience_ms=15_000,
    empty_means="failed",
)
OPENAI = _chatbot("openai", OpenaiBot, OpenaiSettings, bot_id="openaiBotId")
_openai = Family("openai", session=False, errors=_ERRORS)

# makes a new row; a repeat after success answers 400
CREATE_OPENAI_CREDS = _openai(
    "create_openai_creds", "POST", "creds", Effect.SEND, OpenaiCreds.from_wire
)
FIND_OPENAI_CREDS = _openai("find_openai_creds", "GET", "creds", Effect.READ, list_of(OpenaiCreds))
DELETE_OPENAI_CREDS = _openai(
    "delete_openai_creds",
    "DELETE",
    "creds/{openaiCredsId}",
    Effect.DESTRUCTIVE,
    DeletedCreds.from_wire,
)
# the server asks OpenAI, and tries again itself: 14 s were observed
GET_OPENAI_MODELS = _openai(
    "get_openai_models",
    "GET",
    "getModels",
    Effect.READ,
    list_of(OpenaiModel),
    query=("openaiCredsId",),
    patience_ms=15_000,
)
DIFY = _chatbot("dify", DifyBot, ChatbotSettings)
N8N = _chatbot("n8n", N8nBot, ChatbotSettings, since="2.3")
EVOAI = _chatbot("evoai", EvoaiBot, ChatbotSettings, since="2.3")
FLOWISE = _chatbot("flowise", FlowiseBot, ChatbotSettings)
EVOLUTION_BOT = _chatbot("evolutionBot", EvolutionBot, ChatbotSettings, noun="evolution_bot")
