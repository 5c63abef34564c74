"""The rules that the seven chatbots share, and where they differ."""

from __future__ import annotations

from typing import Any

import pytest
from bot_bodies import KEYWORD, KINDS, LABELS, OPTIONS, OTHER, OWN, Bot
from fake_answers import body_of, message_of

from evolution_sdk.testing import FakeEvolution

every = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def bot(ask: Any, kind: str) -> Bot:
    return Bot(ask, kind)


@every
def test_a_bot_lives_and_dies(bot: Bot, ask: Any, kind: str) -> None:
    made = body_of(bot.create(**OPTIONS))
    assert made.items() >= {**bot.body(), **OPTIONS}.items()
    assert bot.get("find") == [made]
    assert bot.get(f"fetch/{made['id']}") == made
    changed = body_of(bot.update(made["id"], description="new"))
    assert changed == {**made, "description": "new", "updatedAt": changed["updatedAt"]}
    assert bot.get("find") == [changed]
    gone = ask("DELETE", f"/{kind}/delete/{made['id']}/sales")
    assert body_of(gone) == {"bot": {"id": made["id"]}}
    assert bot.get("find") == []
    assert bot.get(f"fetch/{made['id']}") is None


@every
def test_an_unknown_id(bot: Bot, ask: Any, kind: str) -> None:
    assert bot.get("fetch/nope") is None
    label = LABELS[kind]
    update = bot.update("nope")
    assert (update.status, message_of(update)) == (500, f"Error updating {label}")
    delete = ask("DELETE", f"/{kind}/delete/nope/sales")
    assert (delete.status, message_of(delete)) == (500, f"Error deleting {label} bot")


@every
def test_an_id_of_another_instance_can_only_be_fetched(
    fake: FakeEvolution, ask: Any, bot: Bot, kind: str
) -> None:
    fake.create_instance("two")
    made = body_of(bot.create())
    assert body_of(ask("GET", f"/{kind}/fetch/{made['id']}/two")) == made
    assert body_of(ask("GET", f"/{kind}/find/two")) == []
    body = bot.body(description="x")
    assert ask("PUT", f"/{kind}/update/{made['id']}/two", body).status == 500
    assert ask("DELETE", f"/{kind}/delete/{made['id']}/two").status == 500
    sessions = ask("GET", f"/{kind}/fetchSessions/{made['id']}/two")
    assert (sessions.status, message_of(sessions)) == (500, "Error fetching sessions")


@every
def test_the_same_bot_twice(bot: Bot, kind: str) -> None:
    bot.create()
    twin = bot.create(triggerValue="else")
    if kind in ("typebot", "evolutionBot"):
        assert twin.status == 201
    else:
        text = "Openai Bot" if kind == "openai" else LABELS[kind]
        assert (twin.status, message_of(twin)) == (500, f"{text} already exists")


@every
def test_an_update_into_the_same_bot(bot: Bot, kind: str) -> None:
    bot.create()
    second = body_of(bot.other())
    twin = bot.update(second["id"], triggerValue="third")
    assert (twin.status, message_of(twin)) == (500, f"Error updating {LABELS[kind]}")
    assert bot.get("find")[1] == second


@pytest.mark.parametrize(
    ("kind", "left_out"),
    [("dify", "apiKey"), ("n8n", "basicAuthPass"), ("evoai", "apiKey"), ("flowise", "apiKey")],
)
def test_what_is_not_given_matches_any_bot(bot: Bot, ask: Any, kind: str, left_out: str) -> None:
    bot.create()
    body = bot.body(triggerValue="else")
    del body[left_out]
    reply = ask("POST", f"/{kind}/create/sales", body)
    assert message_of(reply) == f"{LABELS[kind]} already exists"


@every
def test_triggers_are_unique(bot: Bot) -> None:
    bot.create(enabled=False)
    again = bot.other("hey")
    assert (again.status, message_of(again)) == (500, "Trigger already exists")
    # Another operator makes another keyword; advanced looks at the value alone.
    assert message_of(bot.other("hey", triggerType="advanced")) == "Trigger already exists"
    assert bot.other("hey", triggerOperator="contains").status == 201


@every
def test_one_bot_for_everything(bot: Bot, kind: str) -> None:
    first = body_of(bot.create(triggerType="all"))
    refused = bot.other(triggerType="all")
    assert refused.status == 500
    assert message_of(refused) == (
        f'You already have a {LABELS[kind]} with an "All" trigger, '
        "you cannot have more bots while it is active"
    )
    second = body_of(bot.other(triggerType="none"))
    assert bot.update(second["id"], triggerType="all", **OTHER[kind]).status == 500
    bot.update(first["id"], triggerType="all", enabled=False)
    assert bot.update(second["id"], triggerType="all", **OTHER[kind]).status == 200


@every
@pytest.mark.parametrize(
    ("trigger", "missing", "text"),
    [
        ("keyword", "triggerValue", "Trigger operator and value are required"),
        ("keyword", "triggerOperator", "Trigger operator and value are required"),
        ("advanced", "triggerValue", "Trigger value is required"),
    ],
)
def test_what_a_trigger_needs(
    bot: Bot, ask: Any, kind: str, trigger: str, missing: str, text: str
) -> None:
    body = bot.body(triggerType=trigger)
    del body[missing]
    reply = ask("POST", f"/{kind}/create/sales", body)
    assert (reply.status, message_of(reply)) == (500, text)
    made = body_of(bot.create())
    update = ask("PUT", f"/{kind}/update/{made['id']}/sales", body)
    assert message_of(update) == f"Error updating {LABELS[kind]}"


@every
def test_the_first_bot_makes_the_settings(bot: Bot, kind: str) -> None:
    made = body_of(bot.create(expire=5, ignoreJids=["1@g.us"]))
    stored = bot.get("fetchSettings")
    assert (stored["expire"], stored["ignoreJids"]) == (5, ["1@g.us"])
    if kind == "openai":
        # OpenAI alone fills in what the others leave empty.
        assert (made["keywordFinish"], made["delayMessage"], made["timePerChar"]) == (
            "bye",
            1000,
            50,
        )
        assert (stored["listeningFromMe"], stored["speechToText"]) == (True, False)
    else:
        assert (made["keywordFinish"], made["delayMessage"], made["timePerChar"]) == (None, None, 0)
        assert (made["listeningFromMe"], made["splitMessages"]) == (False, False)
    second = body_of(bot.other(ignoreJids=...))
    assert (second["expire"], second["ignoreJids"]) == (5, ["1@g.us"])


@every
def test_full_options_leave_the_settings_alone(bot: Bot, kind: str) -> None:
    full = {**OPTIONS, "listeningFromMe": True, "keepOpen": True}
    bot.create(**full)
    assert ("id" in bot.get("fetchSettings")) is (kind == "openai")


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "openai"])
def test_missing_ignore_jids_break_the_second_bot(bot: Bot, kind: str) -> None:
    # The settings of the first hold null there, which Prisma does not take back.
    assert body_of(bot.create(ignoreJids=...))["ignoreJids"] is None
    second = bot.other(ignoreJids=...)
    assert (second.status, message_of(second)) == (500, f"Error creating {LABELS[kind]}")
    assert bot.other().status == 201


@every
@pytest.mark.parametrize("change", [{"keywordFinish": "x" * 101}, {"delayMessage": 2**31}])
def test_values_that_do_not_fit(bot: Bot, kind: str, change: Any) -> None:
    assert bot.settings().status == 200
    reply = bot.create(**change)
    assert (reply.status, message_of(reply)) == (500, f"Error creating {LABELS[kind]}")
    assert bot.get("find") == []
    made = body_of(bot.create(**OPTIONS))
    assert bot.update(made["id"], **change).status == 500
    assert bot.get("find") == [made]
    settings = bot.settings(**change)
    assert (settings.status, message_of(settings)) == (500, "Error setting default settings")


@pytest.mark.parametrize(
    ("kind", "changes", "message"),
    [
        ("openai", {"speechToText": "yes"}, ["speechToText is not of a type(s) boolean"]),
        ("typebot", {"typebotIdFallback": 1, "ignoreJids": 1},
         ["typebotIdFallback is not of a type(s) string", "ignoreJids is not of a type(s) array"]),
        ("dify", {"difyIdFallback": 1, "ignoreJids": 1},
         ["ignoreJids is not of a type(s) array", "difyIdFallback is not of a type(s) string"]),
        ("n8n", {"botIdFallback": 1}, ["botIdFallback is not of a type(s) string"]),
        ("evoai", {"expire": 1.5}, ["expire is not of a type(s) integer"]),
    ],
)  # fmt: skip
def test_settings_of_the_wrong_type(bot: Bot, changes: Any, message: list[str]) -> None:
    reply = bot.settings(**changes)
    assert (reply.status, message_of(reply)) == (400, [message])


@pytest.mark.parametrize("kind", ["typebot", "openai"])
def test_options_that_no_schema_checks(bot: Bot, kind: str) -> None:
    reply = bot.create(timePerChar="fast")
    assert reply.status == 500
    assert message_of(reply) in (f"Error creating {LABELS[kind]}", "Error setting default settings")


def test_n8n_drops_the_password_of_its_schema(ask: Any) -> None:
    body = Bot(ask, "n8n").body(basicAuthPassword="p2")
    del body["basicAuthPass"]
    made = body_of(ask("POST", "/n8n/create/sales", body))
    assert made["basicAuthPass"] is None
    assert "basicAuthPassword" not in made


@every
def test_settings_are_kept_and_updated(bot: Bot, kind: str) -> None:
    stored = body_of(bot.settings())
    assert stored.items() >= OPTIONS.items()
    assert stored["fallbackId"] is None
    assert body_of(bot.settings(expire=9))["expire"] == 9
    fetched = bot.get("fetchSettings")
    assert (fetched["id"], fetched["expire"]) == (stored["id"], 9)
    assert (fetched["Fallback"], fetched["fallback"]) == (None, None)


FALLBACKS = {
    "typebot": "typebotIdFallback", "dify": "difyIdFallback", "n8n": "n8nIdFallback",
    "evoai": "evoaiIdFallback", "flowise": "flowiseIdFallback", "evolutionBot": "botIdFallback",
}  # fmt: skip


@pytest.mark.parametrize("kind", FALLBACKS)
def test_only_fallback_id_names_the_fallback(bot: Bot, ask: Any, kind: str) -> None:
    made = body_of(bot.create(**OPTIONS))
    column = FALLBACKS[kind]
    assert body_of(bot.settings(**{column: made["id"]}))[column] is None
    stored = body_of(bot.settings(fallbackId=made["id"]))
    assert (stored[column], stored["fallbackId"]) == (made["id"], made["id"])
    fetched = bot.get("fetchSettings")
    assert fetched["Fallback"] == fetched["fallback"] == made
    unknown = bot.settings(fallbackId="nope")
    assert message_of(unknown) == "Error setting default settings"
    ask("DELETE", f"/{kind}/delete/{made['id']}/sales")
    assert bot.get("fetchSettings")["fallbackId"] is None


@every
def test_first_settings_take_no_fallback(bot: Bot, kind: str) -> None:
    reply = bot.settings(fallbackId="x")
    assert (reply.status, message_of(reply)) == (500, "Error setting default settings")
    assert "id" not in bot.get("fetchSettings")


@every
def test_jids_to_ignore(bot: Bot, ask: Any, kind: str) -> None:
    def ignore(jid: str, action: str) -> Any:
        return ask("POST", f"/{kind}/ignoreJid/sales", {"remoteJid": jid, "action": action})

    early = ignore("1@g.us", "add")
    assert (early.status, message_of(early)) == (500, "Error setting default settings")
    made = body_of(bot.create(ignoreJids=["0@g.us"]))
    assert body_of(ignore("1@g.us", "add")) == {"ignoreJids": ["0@g.us", "1@g.us"]}
    assert body_of(ignore("1@g.us", "add")) == {"ignoreJids": ["0@g.us", "1@g.us"]}
    assert body_of(ignore("0@g.us", "remove")) == {"ignoreJids": ["1@g.us"]}
    assert bot.get("fetchSettings")["ignoreJids"] == ["1@g.us"]
    # The bots keep their own lists.
    assert bot.get(f"fetch/{made['id']}")["ignoreJids"] == ["0@g.us"]


@every
def test_a_disabled_kind(kind: str) -> None:
    fake = FakeEvolution(api_key="k", features=frozenset())
    fake.create_instance("sales")
    client = fake.http_client(headers={"apikey": "k"})
    body = {**KEYWORD, "enabled": True, **OWN[kind]}
    status = {"remoteJid": "1@g.us", "status": "paused"}
    ignored = {"remoteJid": "1@g.us", "action": "add"}
    settings = {**OPTIONS, "openaiCredsId": "x"}
    asked = [
        client.get(f"/{kind}/find/sales"),
        client.get(f"/{kind}/fetch/x/sales"),
        client.get(f"/{kind}/fetchSettings/sales"),
        client.get(f"/{kind}/fetchSessions/x/sales"),
        client.post(f"/{kind}/create/sales", json=body),
        client.put(f"/{kind}/update/x/sales", json=body),
        client.delete(f"/{kind}/delete/x/sales"),
        client.post(f"/{kind}/settings/sales", json=settings),
        client.post(f"/{kind}/changeStatus/sales", json=status),
        client.post(f"/{kind}/ignoreJid/sales", json=ignored),
    ]
    off = [r.status_code == 400 and r.json()["response"]["message"] for r in asked]
    if kind == "evolutionBot":
        assert not any(off)
    else:
        assert off == [[f"{LABELS[kind]} is disabled"]] * len(asked)


def test_an_instance_that_only_the_query_names(ask: Any) -> None:
    reply = ask("GET", "/flowise/find/sales?instanceName=gone")
    assert message_of(reply) == "Cannot read properties of null (reading 'id')"
    reply = ask("DELETE", "/flowise/delete/x/sales?instanceName=gone")
    assert message_of(reply) == "Error deleting Flowise bot"


def test_the_query_overrides_the_bot_id(ask: Any) -> None:
    made = body_of(Bot(ask, "flowise").create())
    assert body_of(ask("GET", f"/flowise/fetch/x/sales?flowiseId={made['id']}")) == made


def test_bots_go_with_their_instance(fake: FakeEvolution, ask: Any) -> None:
    made = body_of(Bot(ask, "evoai").create())
    fake.create_instance("two")
    ask("DELETE", "/instance/delete/sales")
    assert body_of(ask("GET", f"/evoai/fetch/{made['id']}/two")) is None


def test_rules_do_not_share_rows(ask: Any) -> None:
    bot = Bot(ask, "dify")
    bot.create(ignoreJids=["1@g.us"])
    bot.other(ignoreJids=...)
    ask("POST", "/dify/ignoreJid/sales", {"remoteJid": "2@g.us", "action": "add"})
    assert [row["ignoreJids"] for row in bot.get("find")] == [["1@g.us"], ["1@g.us"]]
