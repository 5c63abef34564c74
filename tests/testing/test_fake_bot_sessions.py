"""Sessions of the chatbots: how they begin, change and end."""

from __future__ import annotations

from typing import Any

import pytest
from bot_bodies import KINDS, Bot
from fake_answers import body_of, message_of

from evolution_sdk.testing import FakeEvolution
from evolution_sdk.testing.fake.chatbots.inbound import triggered

ADA = "5511900000077@s.whatsapp.net"
every = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def bot(ask: Any, kind: str) -> Bot:
    return Bot(ask, kind)


def write(fake: FakeEvolution, text: str = "hey", instance: str = "sales") -> None:
    fake.receive_text(instance, from_=ADA, text=text, push_name="Ada")
    fake.clock.advance(1_000)


def change(bot: Bot, status: str, jid: str = ADA) -> Any:
    body = {"remoteJid": jid, "status": status}
    return bot.ask("POST", f"/{bot.kind}/changeStatus/{bot.instance}", body)


@every
def test_a_message_opens_a_session(fake: FakeEvolution, bot: Bot, kind: str) -> None:
    made = body_of(bot.create())
    write(fake, "something else")
    assert bot.get("fetchSessions/x") == []
    write(fake)
    (session,) = bot.get(f"fetchSessions/{made['id']}")
    wanted = {"remoteJid": ADA, "pushName": "Ada", "status": "opened", "botId": made["id"],
              "type": "evolution" if kind == "evolutionBot" else kind}  # fmt: skip
    assert session.items() >= wanted.items()
    write(fake, "more")
    (later,) = bot.get("fetchSessions/of-all-bots")
    assert (later["id"], later["awaitUser"]) == (session["id"], True)
    assert later["updatedAt"] > session["updatedAt"]


@every
def test_sessions_of_one_bot(fake: FakeEvolution, bot: Bot) -> None:
    first, second = body_of(bot.create()), body_of(bot.other("ho"))
    write(fake)
    assert len(bot.get(f"fetchSessions/{first['id']}")) == 1
    assert bot.get(f"fetchSessions/{second['id']}") == []


def test_sessions_of_one_kind(fake: FakeEvolution, ask: Any) -> None:
    dify, flowise = Bot(ask, "dify"), Bot(ask, "flowise")
    dify.create()
    flowise.create()
    write(fake)
    assert [row["type"] for row in dify.get("fetchSessions/x")] == ["dify"]
    assert [row["type"] for row in flowise.get("fetchSessions/x")] == ["flowise"]


def test_fallback_bots_take_part_in_other_sessions(fake: FakeEvolution, ask: Any) -> None:
    dify, others = Bot(ask, "dify"), [Bot(ask, "typebot"), Bot(ask, "openai")]
    dify.create(keywordFinish="#EXIT")
    write(fake)
    for other in others:
        made = body_of(other.create(triggerValue="else", keywordFinish="stop", keepOpen=False))
        unlinked = {"openaiCredsId": ""} if other.kind == "openai" else {}
        assert other.settings(fallbackId=made["id"], **unlinked).status == 200
    write(fake, "stop")
    assert dify.get("fetchSessions/x") == []


@every
def test_statuses(fake: FakeEvolution, bot: Bot) -> None:
    bot.create()
    write(fake)
    for status in ("paused", "opened"):
        assert body_of(change(bot, status))["bot"] == {
            "instanceName": "sales",
            "bot": {"remoteJid": ADA, "status": status, "session": {"count": 1}},
        }
        assert bot.get("fetchSessions/x")[0]["status"] == status
    assert body_of(change(bot, "paused", "1@g.us"))["bot"]["bot"]["session"] == {"count": 0}
    closed = {"instanceName": "sales", "bot": {"remoteJid": ADA, "status": "closed"}}
    assert body_of(change(bot, "closed")) == {"bot": closed}
    assert bot.get("fetchSessions/x") == []


@every
def test_closed_sessions_stay_where_settings_say_so(fake: FakeEvolution, bot: Bot) -> None:
    bot.settings(keepOpen=True)
    bot.create()
    write(fake)
    change(bot, "closed")
    assert bot.get("fetchSessions/x")[0]["status"] == "closed"
    write(fake, "hello?")
    assert bot.get("fetchSessions/x")[0]["status"] == "closed"
    assert body_of(change(bot, "delete")) == {"bot": {"remoteJid": ADA, "status": "delete"}}
    assert bot.get("fetchSessions/x") == []


def test_deleting_reaches_other_kinds_and_instances(fake: FakeEvolution, ask: Any) -> None:
    fake.create_instance("two")
    dify, flowise = Bot(ask, "dify"), Bot(ask, "flowise", "two")
    dify.create()
    flowise.create()
    write(fake)
    write(fake, instance="two")
    # Pausing does not: only what this instance has is counted.
    assert body_of(change(dify, "paused"))["bot"]["bot"]["session"] == {"count": 1}
    assert flowise.get("fetchSessions/x")[0]["status"] == "opened"
    change(Bot(ask, "n8n"), "delete")
    assert dify.get("fetchSessions/x") == flowise.get("fetchSessions/x") == []


@every
def test_deleting_a_bot_ends_its_sessions(fake: FakeEvolution, bot: Bot, ask: Any) -> None:
    made = body_of(bot.create())
    write(fake)
    ask("DELETE", f"/{bot.kind}/delete/{made['id']}/sales")
    assert bot.get("fetchSessions/x") == []


@every
@pytest.mark.parametrize("ignored", [ADA, "@s.whatsapp.net"])
def test_ignored_people_wake_nobody(fake: FakeEvolution, bot: Bot, ignored: str) -> None:
    bot.settings(ignoreJids=[ignored])
    bot.create(triggerType="all")
    write(fake)
    assert bot.get("fetchSessions/x") == []


@every
def test_disabled_bots_sleep(fake: FakeEvolution, bot: Bot) -> None:
    bot.create(enabled=False)
    write(fake)
    assert bot.get("fetchSessions/x") == []


@pytest.mark.parametrize(
    ("kind", "used"),
    [("typebot", True), ("evoai", True), ("flowise", True), ("evolutionBot", True),
     ("dify", False), ("n8n", False)],
)  # fmt: skip
def test_the_fallback_bot(fake: FakeEvolution, bot: Bot, used: bool) -> None:
    made = body_of(bot.create())
    bot.settings(fallbackId=made["id"])
    write(fake, "nothing that triggers")
    assert len(bot.get("fetchSessions/x")) == used


@every
@pytest.mark.parametrize("keep_open", [True, False])
def test_the_closing_word(fake: FakeEvolution, bot: Bot, kind: str, keep_open: bool) -> None:
    bot.create(keywordFinish="#EXIT", keepOpen=keep_open)
    write(fake)
    write(fake, " #exit ")
    sessions = bot.get("fetchSessions/x")
    if kind in ("typebot", "openai") and not keep_open:
        assert sessions == []
    else:
        assert [row["status"] for row in sessions] == ["closed"]


@every
def test_a_paused_session_waits(fake: FakeEvolution, bot: Bot, kind: str) -> None:
    bot.create()
    write(fake)
    change(bot, "paused")
    write(fake, "are you there?")
    # OpenAI alone goes on by itself.
    expected = "opened" if kind == "openai" else "paused"
    assert bot.get("fetchSessions/x")[0]["status"] == expected


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "openai"])
def test_what_a_bot_leaves_open_the_settings_say(fake: FakeEvolution, bot: Bot, kind: str) -> None:
    assert body_of(bot.create())["keywordFinish"] is None
    bot.settings(keywordFinish="bye bye")
    write(fake)
    write(fake, "Bye bye")
    left = [row["status"] for row in bot.get("fetchSessions/x")]
    assert left == ([] if kind == "typebot" else ["closed"])


def test_typebot_tells_of_its_sessions(fake: FakeEvolution, ask: Any) -> None:
    bot = Bot(ask, "typebot")
    bot.create(keywordFinish="#EXIT")
    write(fake)
    change(bot, "paused")
    change(bot, "opened")
    write(fake, "#EXIT")
    told = [e["data"] for e in fake.events if e["event"] == "typebot.change-status"]
    assert [data["status"] for data in told] == ["opened", "paused", "opened", "delete"]
    # The session as it was before the change.
    assert [data["session"]["status"] for data in told] == ["opened", "opened", "paused", "opened"]
    change(bot, "paused", "1@g.us")
    assert fake.events[-1]["data"]["session"] is None


def test_other_bots_tell_nothing(fake: FakeEvolution, ask: Any) -> None:
    bot = Bot(ask, "dify")
    bot.create()
    write(fake)
    change(bot, "paused")
    assert not any(event["event"].startswith("typebot") for event in fake.events)


def test_typebot_that_is_down_opens_nothing(fake: FakeEvolution, ask: Any) -> None:
    bot = Bot(ask, "typebot")
    bot.create()
    fake.services.set_typebot_reachable(False)
    write(fake)
    assert bot.get("fetchSessions/x") == []


def test_an_instance_without_memory(ask: Any) -> None:
    body = {"remoteJid": ADA, "status": "paused"}
    reply = ask("POST", "/typebot/changeStatus/sales?instanceName=gone", body)
    assert (reply.status, message_of(reply)) == (500, "Error changing Typebot status")


def test_a_query_is_echoed(ask: Any) -> None:
    body = {"remoteJid": ADA, "status": "paused"}
    answer = body_of(ask("POST", "/dify/changeStatus/sales?x=1", body))
    assert answer["bot"]["x"] == "1"


def _bot(trigger: str, operator: str = "", value: str = "") -> dict[str, Any]:
    return {"triggerType": trigger, "triggerOperator": operator, "triggerValue": value}


@pytest.mark.parametrize(
    ("bots", "text", "woken"),
    [
        ([_bot("keyword", "equals", "hi"), _bot("all")], "hi", 1),
        ([_bot("none")], "hi", 0),
        ([_bot("none")], None, 0),
        ([_bot("keyword", "contains", "")], None, None),
        ([_bot("keyword", "contains", "h"), _bot("keyword", "equals", "hi")], "hi", 1),
        ([_bot("keyword", "startsWith", "h"), _bot("keyword", "regex", "^.i$")], "hi", 1),
        ([_bot("keyword", "endsWith", "i"), _bot("keyword", "startsWith", "h")], "hi", 1),
        ([_bot("keyword", "contains", "i"), _bot("keyword", "endsWith", "i")], "hi", 1),
        ([_bot("keyword", "equals", "hi")], "Hi", None),
        ([_bot("keyword", "regex", "(")], "(", None),
        ([_bot("keyword", "equals", "hi"), _bot("advanced", value="contains:H")], "hi", 1),
        ([_bot("advanced", value="contains:ola,mundo")], "Olá, mundo", 0),
        ([_bot("advanced", value="contains:ola contains:tchau")], "tchau", 0),
        ([_bot("advanced", value="startsWith:a notContains:b")], "ab", None),
        ([_bot("advanced", value="exact:a endsWith:a")], "A", 0),
        ([_bot("advanced", value="ola")], "ola", None),
    ],
)
def test_which_bot_is_woken(
    bots: list[dict[str, Any]], text: str | None, woken: int | None
) -> None:
    assert triggered(bots, text) is (None if woken is None else bots[woken])
