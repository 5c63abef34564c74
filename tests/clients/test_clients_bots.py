"""What the chatbots and transports do beyond one request."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from evolution_sdk import OPERATIONS, Phase, errors
from evolution_sdk.models import EventChannel, TypebotBot
from facts import read

from .conftest import Kit
from .request_cases_bots import BOT_CASES, CHAT, KINDS, START
from .request_cases_transports import ACCOUNT, QUEUES, TRANSPORT_CASES

GROUPS = {*QUEUES, "pusher", "chatwoot", *(kind.route for kind in KINDS)}
ONE_FOR_ALL = (
    'You already have a Dify with an "All" trigger, you cannot have more bots while it is active'
)
OURS = [operation for operation in OPERATIONS.values() if operation.group in GROUPS]


def test_every_operation_has_a_case() -> None:
    asked = {
        (method, path.partition("?")[0])
        for _, method, path, _ in [*TRANSPORT_CASES.values(), *BOT_CASES.values()]
    }
    assert len(OURS) == 2 * 7 + 7 * 10 + 1 + 4
    for operation in OURS:
        pattern = re.compile(re.sub(r"\{\w+\}", "[^/]+", operation.path))
        assert any(
            method == operation.method and pattern.fullmatch(path) for method, path in asked
        ), operation.name


@pytest.mark.parametrize("name", [*QUEUES, "pusher"])
async def test_an_empty_answer_says_that_the_transport_is_off(kit: Kit, name: str) -> None:
    kit.stub.default = (200, b"")
    with pytest.raises(errors.FeatureDisabledError, match="Enable it"):
        await kit.run(getattr(kit.client(), name).find())
    assert len(kit.stub.requests) == 1
    if name != "pusher":
        kit.stub.default = (201, b"")
        with pytest.raises(errors.FeatureDisabledError):
            await kit.run(getattr(kit.client(), name).set(["CALL"]))


async def test_pusher_is_never_called_off_by_a_set(kit: Kit) -> None:
    """The server stores it in any case, so that an empty answer means something else."""
    kit.stub.default = (201, b"")
    with pytest.raises(errors.UnexpectedResponseError):
        await kit.run(kit.client().pusher.set(**ACCOUNT))


async def test_a_transport_never_set_is_none(kit: Kit) -> None:
    kit.stub.answer((200, None), (200, {"enabled": True, "events": ["CALL"]}))
    client = kit.client()
    assert await kit.run(client.websocket.find()) is None
    found = await kit.run(client.websocket.find())
    assert isinstance(found, EventChannel)
    assert found.events == ("CALL",)


async def test_an_unknown_event_never_leaves(kit: Kit) -> None:
    with pytest.raises(errors.RequestValidationError) as caught:
        await kit.run(kit.client().kafka.set(["GROUPS_UPDATE"]))
    assert caught.value.field == "events[0]"
    assert kit.stub.requests == []


async def test_bots_are_typed_by_their_kind(kit: Kit) -> None:
    row = {"id": "cm1", "enabled": True, "triggerType": "none", "url": "https://v", "typebot": "b"}
    kit.stub.answer((200, [row]), (200, row), (200, None))
    client = kit.client()
    (bot,) = await kit.run(client.typebot.find())
    assert isinstance(bot, TypebotBot)
    assert (await kit.run(client.typebot.fetch("cm1"))) == bot
    assert await kit.run(client.typebot.fetch("nope")) is None


async def test_an_unknown_bot_is_none_on_every_version(kit: Kit) -> None:
    """2.2.3 answers 500 where later ones answer null; what else is missing stays an error."""
    told = read("versions/2.2.3/typebot.json")
    answer = next(e["response"] for e in told if e["name"] == "typebot.fetch.unknown")
    kit.stub.answer((answer["status"], answer["json"]))
    assert await kit.run(kit.client().typebot.fetch("nope")) is None
    gone = {"status": 404, "response": {"message": ['The "x" instance does not exist']}}
    kit.stub.answer((404, gone))
    with pytest.raises(errors.InstanceNotFoundError):
        await kit.run(kit.client().typebot.fetch("nope"))


@pytest.mark.parametrize(
    "call",
    [
        lambda api, bot_id, bot: api.fetch(bot_id),
        lambda api, bot_id, bot: api.update(bot_id, bot),
        lambda api, bot_id, bot: api.delete(bot_id),
        lambda api, bot_id, bot: api.fetch_sessions(bot_id),
    ],
    ids=["fetch", "update", "delete", "sessions"],
)
@pytest.mark.parametrize("bot_id", ["", ".", ".."])
async def test_an_id_that_cannot_be_addressed_never_leaves(
    kit: Kit, call: Any, bot_id: str
) -> None:
    """``DELETE /dify/delete/../x`` would be another route."""
    bot = {"bot_type": "agent", "trigger_type": "none"}
    with pytest.raises(errors.RequestValidationError) as caught:
        await kit.run(call(kit.client().dify, bot_id, bot))
    assert caught.value.field == "bot_id"
    with pytest.raises(errors.RequestValidationError) as caught:
        await kit.run(kit.client().openai.delete_creds(bot_id))
    assert caught.value.field == "openai_creds_id"
    assert kit.stub.requests == []


@pytest.mark.parametrize("kind", KINDS, ids=[kind.attribute for kind in KINDS])
async def test_a_field_that_is_dropped_silently_is_refused(kit: Kit, kind: Any) -> None:
    family = getattr(kit.client(), kind.attribute)
    bot = {**kind.fields, "trigger_type": "none", "basic_auth_password": "p"}
    with pytest.raises(errors.RequestValidationError) as caught:
        await kit.run(family.create(bot))
    assert caught.value.field == "basic_auth_password"
    assert kit.stub.requests == []


async def test_on_unknown_is_for_what_acts_anew_only(kit: Kit) -> None:
    bot = {"bot_type": "agent", "trigger_type": "none"}
    with pytest.raises(TypeError, match="on_unknown"):
        await kit.run(kit.client().dify.update("cm1", bot, on_unknown="raise"))
    assert kit.stub.requests == []


async def refusal(kit: Kit, call: Any, status: int, message: Any) -> errors.EvolutionError:
    body = {"status": status, "error": "x", "response": {"message": message}}
    kit.stub.default = (status, body)
    with pytest.raises(errors.EvolutionError) as caught:
        await kit.run(call(kit.client()))
    return caught.value


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        # recorded
        ("Trigger already exists", errors.BadRequestError),
        ("N8n already exists", errors.BadRequestError),
        ("Openai Bot already exists", errors.BadRequestError),
        ("Error updating Typebot", errors.BadRequestError),
        ("Error deleting EvolutionBot bot", errors.BadRequestError),
        ("Error deleting openai creds", errors.BadRequestError),
        ("Openai Creds not found", errors.NotFoundError),
        # by the server's source
        ("Evolution Bot already exists", errors.BadRequestError),
        (ONE_FOR_ALL, errors.BadRequestError),
        ("Trigger operator and value are required", errors.BadRequestError),
        ("Max tokens is required", errors.BadRequestError),
        ("Error creating Openai", errors.BadRequestError),
        ("Error creating openai creds", errors.BadRequestError),
        ("Error setting default settings", errors.BadRequestError),
        ("Jid not allowed", errors.BadRequestError),
        ("Cannot read properties of null (reading 'expire')", errors.BadRequestError),
        ("Settings not found", errors.NotFoundError),
        ("OpenAI credentials not found for the provided ID", errors.NotFoundError),
    ],
)
async def test_a_rule_of_the_server_is_no_passing_trouble(
    kit: Kit, text: str, kind: type[errors.EvolutionAPIError]
) -> None:
    """They come as 500, and would be tried again or taken for an unknown outcome."""
    bot = {"bot_type": "agent", "trigger_type": "none"}
    for call in (
        lambda c: c.dify.create(bot),
        lambda c: c.dify.update("cm1", bot),
        lambda c: c.openai.get_models(),
        lambda c: c.typebot.start(CHAT, **START),
    ):
        error = await refusal(kit, call, 500, text)
        assert type(error) is kind
        assert error.phase is Phase.ANSWERED
        assert not error.retryable
        assert error.attempts == 1


async def test_a_text_for_every_cause_comes_with_the_causes(kit: Kit) -> None:
    error = await refusal(kit, lambda c: c.dify.delete("cm1"), 500, "Error deleting Dify bot")
    assert "an id it does not know" in str(error)
    told = await refusal(kit, lambda c: c.dify.delete("cm1"), 500, "Dify already exists")
    assert str(told).endswith("Dify already exists")


@pytest.mark.parametrize(
    "text", ["Error changing Dify status", "Error fetching sessions", "Error creating group"]
)
async def test_other_failures_are_the_servers(kit: Kit, text: str) -> None:
    error = await refusal(kit, lambda c: c.dify.change_status(CHAT, "paused"), 500, text)
    assert type(error) is errors.ServerError
    assert error.attempts == 3


async def test_a_bot_that_may_have_been_made_is_not_made_again(kit: Kit) -> None:
    kit.stub.default = errors.ConnectionFailedError("gone", phase=Phase.UNKNOWN)
    bot = {"bot_type": "agent", "trigger_type": "none"}
    with pytest.raises(errors.SendOutcomeUnknownError):
        await kit.run(kit.client().dify.create(bot))
    assert len(kit.stub.requests) == 1


async def test_an_empty_answer_to_a_start_is_a_failure_of_unknown_extent(kit: Kit) -> None:
    kit.stub.default = (200, b"")
    with pytest.raises(errors.SendOutcomeUnknownError) as caught:
        await kit.run(kit.client().typebot.start(CHAT, **START))
    cause = caught.value.__cause__
    assert type(cause) is errors.ServerError
    assert "could not finish" in str(cause)
    assert len(kit.stub.requests) == 1


async def test_slow_answers_are_waited_for(kit: Kit) -> None:
    client = kit.client()
    times = client.config.timeout
    calls: list[tuple[Callable[[], Any], float]] = [
        (lambda: client.typebot.start(CHAT, **START), times.send_ms + 15_000),
        (lambda: client.openai.get_models(), times.read_ms + 15_000),
        (lambda: client.typebot.find(), times.read_ms),
    ]
    for call, wait in calls:
        await kit.run(call())
        assert kit.stub.last.timeouts.read_ms == wait
