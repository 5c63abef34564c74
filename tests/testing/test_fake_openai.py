"""OpenAI's keys and models, and Typebot's start."""

from __future__ import annotations

from typing import Any

import pytest
from bot_bodies import OPTIONS, Bot
from fake_answers import body_of, message_of

from evolution_sdk.testing import FakeEvolution

CREDS = "/openai/creds/sales"
ADA = "5511900000077@s.whatsapp.net"
START = {"remoteJid": ADA, "url": "http://bot.example", "typebot": "flow"}


@pytest.fixture
def bot(ask: Any) -> Bot:
    return Bot(ask, "openai")


def _creds(ask: Any, name: str, key: str, instance: str = "sales") -> Any:
    return ask("POST", f"/openai/creds/{instance}", {"name": name, "apiKey": key})


def test_keys_are_unique(fake: FakeEvolution, ask: Any) -> None:
    fake.create_instance("two")
    assert _creds(ask, "a", "1").status == 201
    for instance in ("sales", "two"):
        again = _creds(ask, "b", "1", instance)
        assert again.status == 400
        assert message_of(again)[0].startswith("This API key is already registered.")
    named = _creds(ask, "a", "2")
    assert named.status == 400
    assert message_of(named)[0].startswith("This credential name is already in use.")
    elsewhere = _creds(ask, "a", "2", "two")
    assert (elsewhere.status, message_of(elsewhere)) == (500, "Error creating openai creds")
    long = _creds(ask, "n" * 256, "3")
    assert (long.status, message_of(long)) == (500, "Error creating openai creds")
    assert [row["name"] for row in body_of(ask("GET", CREDS))] == ["a"]
    assert body_of(ask("GET", "/openai/creds/two")) == []


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({"name": "a", "apiKey": ""}, [['The "apiKey" cannot be empty']]),
        ({"name": "a", "apiKey": "", "x": 1}, ["API Key is required"]),
        ({"name": "", "apiKey": "k", "x": 1}, ["Name is required"]),
    ],
)
def test_empty_keys(ask: Any, body: Any, message: Any) -> None:
    reply = ask("POST", CREDS, body)
    assert (reply.status, message_of(reply)) == (400, message)


def test_keys_show_their_bots_and_take_them_along(bot: Bot, ask: Any) -> None:
    bot.settings(openaiCredsId=body_of(_creds(ask, "other", "other"))["id"])
    made = body_of(bot.create())
    shown = {row["name"]: row["OpenaiAssistant"] for row in body_of(ask("GET", CREDS))}
    assert shown == {"sales": [made], "other": []}
    gone = ask("DELETE", f"/openai/creds/{bot.creds}/sales")
    assert body_of(gone) == {"openaiCreds": {"id": bot.creds}}
    assert bot.get("find") == []


def test_keys_in_use_stay(fake: FakeEvolution, bot: Bot, ask: Any) -> None:
    fake.create_instance("two")
    bot.settings()
    used = ask("DELETE", f"/openai/creds/{bot.creds}/sales")
    assert (used.status, message_of(used)) == (500, "Error deleting openai creds")
    for path in ("nope/sales", f"{bot.creds}/two"):
        unknown = ask("DELETE", f"/openai/creds/{path}")
        assert (unknown.status, message_of(unknown)) == (500, "Openai Creds not found")
    assert len(body_of(ask("GET", CREDS))) == 1


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"model": ...}, "Model is required"),
        ({"maxTokens": 0}, "Max tokens is required"),
        ({"botType": "assistant"}, "Assistant ID is required"),
    ],
)
def test_what_each_type_needs(bot: Bot, changes: Any, text: str) -> None:
    reply = bot.create(**changes)
    assert (reply.status, message_of(reply)) == (500, text)
    made = body_of(bot.create())
    assert message_of(bot.update(made["id"], **changes)) == "Error updating Openai"


def test_assistants_are_told_apart_by_their_id(bot: Bot) -> None:
    assistant = {"botType": "assistant", "assistantId": "as1"}
    assert bot.create(**assistant).status == 201
    assert message_of(bot.other(**assistant)) == "Openai Bot already exists"
    assert bot.other(**{**assistant, "assistantId": "as2"}).status == 201


def test_unknown_keys(bot: Bot) -> None:
    first = bot.create(openaiCredsId="nope")
    assert (first.status, message_of(first)) == (500, "Error setting default settings")
    assert message_of(bot.settings(openaiCredsId="nope")) == "Error setting default settings"
    bot.settings()
    later = bot.create(openaiCredsId="nope")
    assert (later.status, message_of(later)) == (500, "Error creating Openai")
    made = body_of(bot.create())
    assert message_of(bot.update(made["id"], openaiCredsId="nope")) == "Error updating Openai"


def test_a_key_serves_the_settings_of_one_instance(fake: FakeEvolution, bot: Bot, ask: Any) -> None:
    fake.create_instance("two")
    bot.settings()
    body = {**OPTIONS, "openaiCredsId": bot.creds}
    reply = ask("POST", "/openai/settings/two", body)
    assert (reply.status, message_of(reply)) == (500, "Error setting default settings")


def test_settings_never_take_a_fallback(bot: Bot) -> None:
    made = body_of(bot.create())
    for changes in ({"fallbackId": made["id"]}, {"fallbackId": None}):
        assert message_of(bot.settings(**changes)) == "Error setting default settings"
    stored = body_of(bot.settings(openaiCredsId="", fallbackId=made["id"], speechToText=True))
    assert (stored["openaiIdFallback"], stored["openaiCredsId"]) == (made["id"], bot.creds)
    assert stored["speechToText"] is True


def test_models(fake: FakeEvolution, bot: Bot, ask: Any) -> None:
    path = "/openai/getModels/sales"
    assert message_of(ask("GET", path)) == "Settings not found"
    unknown = ask("GET", f"{path}?openaiCredsId=nope")
    assert message_of(unknown) == "OpenAI credentials not found for the provided ID"
    down = ask("GET", f"{path}?openaiCredsId={bot.creds}")
    assert (down.status, message_of(down)) == (500, "Error fetching models")
    fake.services.set_openai_models("gpt-4o", "gpt-5")
    for query in (f"?openaiCredsId={bot.creds}", ""):
        models = body_of(ask("GET", path + query))
        assert [model["id"] for model in models] == ["gpt-4o", "gpt-5"]
        bot.settings()
    fake.reset()
    fake.create_instance("sales")
    assert _creds(ask, "a", "1").status == 201
    creds = body_of(ask("GET", CREDS))[0]["id"]
    assert ask("GET", f"{path}?openaiCredsId={creds}").status == 500


def test_creds_of_a_disabled_openai() -> None:
    fake = FakeEvolution(api_key="k", features=frozenset())
    fake.create_instance("sales")
    client = fake.http_client(headers={"apikey": "k"})
    replies = [
        client.get(CREDS),
        client.post(CREDS, json={"name": "a", "apiKey": "b"}),
        client.delete("/openai/creds/x/sales"),
        client.get("/openai/getModels/sales"),
    ]
    assert [r.json()["response"]["message"] for r in replies] == [["Openai is disabled"]] * 4
    start = client.post("/typebot/start/sales", json=START)
    assert start.json()["response"]["message"] == ["Typebot is disabled"]


def test_start_needs_settings(ask: Any) -> None:
    reply = ask("POST", "/typebot/start/sales", START)
    assert (reply.status, message_of(reply)) == (
        500, "Cannot read properties of null (reading 'expire')"
    )  # fmt: skip


def test_start_without_a_session(fake: FakeEvolution, ask: Any) -> None:
    bot = Bot(ask, "typebot")
    bot.settings()
    variables = [{"name": "a", "value": 1}, {"value": 2}, {"name": "c"}]
    reply = ask("POST", "/typebot/start/sales?x=1", {**START, "variables": variables})
    assert (reply.status, reply.hold_ms) == (200, 2_000)
    started = body_of(reply)["typebot"]
    assert (started["instanceName"], started["x"]) == ("sales", "1")
    assert started["typebot"] == {**START, "prefilledVariables": {"a": 1, "undefined": 2}}
    assert bot.get("find") == bot.get("fetchSessions/x") == []
    told = fake.events[-1]
    assert (told["event"], told["data"]["variables"]) == ("typebot.start", variables)
    assert told["data"]["url"] == "http://bot.example/api/v1/sendMessage"
    fake.services.set_typebot_reachable(False)
    reply = ask("POST", "/typebot/start/sales", START)
    assert (reply.status, reply.body, reply.hold_ms) == (200, b"", 0)


def test_start_with_a_session(fake: FakeEvolution, ask: Any) -> None:
    bot = Bot(ask, "typebot")
    bot.settings(expire=3)
    body = {**START, "startSession": True, "variables": [{"name": "a", "value": "b"}]}
    for _ in range(2):
        assert ask("POST", "/typebot/start/sales", body).hold_ms == 2_000
    # The bot is made once; a new session replaces the former.
    (made,) = bot.get("find")
    assert (made["expire"], made["triggerType"], made["timePerChar"]) == (3, None, 50)
    (session,) = bot.get(f"fetchSessions/{made['id']}")
    assert session["parameters"].items() >= {"a": "b", "apiKey": "secret"}.items()
    fake.services.set_typebot_reachable(False)
    reply = ask("POST", "/typebot/start/sales", body)
    assert (reply.status, reply.hold_ms) == (200, 0)
    assert body_of(reply)["typebot"]["typebot"]["typebot"] == "flow"
    assert bot.get("fetchSessions/x") == []


def test_start_for_a_jid_that_does_not_fit(ask: Any) -> None:
    bot = Bot(ask, "typebot")
    bot.settings()
    body = {**START, "remoteJid": "1" * 101, "startSession": True}
    assert ask("POST", "/typebot/start/sales", body).status == 200
    assert len(bot.get("find")) == 1
    assert bot.get("fetchSessions/x") == []


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"remoteJid": "1@g.us"}, "Jid not allowed"),
        ({"variables": "abc"}, "variables.forEach is not a function"),
        ({"variables": [None]}, "Cannot read properties of null (reading 'name')"),
    ],
)
def test_start_refusals(ask: Any, changes: Any, text: str) -> None:
    Bot(ask, "typebot").settings(ignoreJids=["@g.us"])
    reply = ask("POST", "/typebot/start/sales", {**START, **changes})
    assert (reply.status, message_of(reply)) == (500, text)


def test_start_leaves_the_status_alone(ask: Any) -> None:
    reply = ask("POST", "/typebot/start/sales", {**START, "remoteJid": "status@broadcast"})
    assert (reply.status, reply.body) == (200, b"")


def test_start_of_an_unknown_instance(ask: Any) -> None:
    reply = ask("POST", "/typebot/start/sales?instanceName=gone", START)
    assert (reply.status, message_of(reply)) == (500, "Instance not found")
