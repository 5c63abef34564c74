"""``webhook.sync``: reads first, and writes only what differs."""

from __future__ import annotations

from typing import Any

import pytest

from evolution_sdk import EvolutionConfig
from evolution_sdk.errors import ConfigurationError, RequestValidationError
from evolution_sdk.events import EventRouter, GroupsUpdate, MessagesUpsert

from .conftest import KEY, URL
from .fake_stage import Stage

HOOK = "https://hooks.example.com/evolution"
OLD, NEW = "an old key, long enough", "a new key, long enough"


@pytest.fixture(autouse=True)
def instance(stage: Stage) -> None:
    stage.open_instance()


def router() -> EventRouter:
    made = EventRouter()
    made.add(lambda event: None, MessagesUpsert)
    return made


def posts(stage: Stage) -> int:
    return sum(request.method == "POST" for request in stage.arrived)


async def sync(stage: Stage, client: Any, *args: Any, **kwargs: Any) -> Any:
    return await stage.kit.run(client.webhook.sync(*args, **kwargs))


async def test_it_registers_only_the_events_that_handlers_use(stage: Stage) -> None:
    done = await sync(stage, stage.client(), router(), url=HOOK)
    assert done.webhook.url == HOOK
    assert done.webhook.events == ("MESSAGES_UPSERT",)
    assert set(done.changed) == {"enabled", "url", "events"}


async def test_nothing_is_written_when_nothing_differs(stage: Stage) -> None:
    client = stage.client()
    await sync(stage, client, ["messages.upsert", "CALL"], url=HOOK, jwt_key=OLD)
    before = posts(stage)
    done = await sync(stage, client, ["CALL", "MESSAGES_UPSERT"], url=HOOK, jwt_key=OLD)
    assert done.changed == ()
    assert posts(stage) == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"url": HOOK + "/2"}, "url"),
        ({"events": ["CALL", "MESSAGES_UPDATE"]}, "events"),
        ({"by_events": True}, "by_events"),
        ({"base64": True}, "base64"),
        ({"headers": {"x-secret": "1"}}, "headers"),
        ({"jwt_key": NEW}, "headers"),
    ],
)
async def test_each_difference_is_written_alone(stage: Stage, change: Any, field: str) -> None:
    client = stage.client()
    await sync(stage, client, ["CALL"], url=HOOK, headers={"x-a": "b"}, jwt_key=OLD)
    wanted: dict[str, Any] = {"events": ["CALL"], "url": HOOK, **change}
    done = await sync(stage, client, wanted.pop("events"), **wanted)
    assert done.changed == (field,)
    sent = stage.last.json["webhook"]
    optional = {"byEvents": "by_events", "base64": "base64", "headers": "headers"}
    assert {optional[name] for name in sent if name in optional} <= {field}


async def test_a_new_key_leaves_the_other_headers(stage: Stage) -> None:
    client = stage.client()
    await sync(stage, client, ["CALL"], url=HOOK, headers={"x-a": "b"}, jwt_key=OLD)
    done = await sync(stage, client, ["CALL"], url=HOOK, jwt_key=NEW)
    assert done.webhook.headers == {"x-a": "b", "jwt_key": NEW}


async def test_a_disabled_webhook_is_switched_on_again(stage: Stage) -> None:
    client = stage.client()
    await stage.kit.run(client.webhook.set(HOOK, events=["CALL"], enabled=False))
    done = await sync(stage, client, ["CALL"], url=HOOK)
    assert set(done.changed) == {"enabled", "events"}
    assert done.webhook.enabled


async def test_the_settings_decide_when_no_url_is_given(stage: Stage) -> None:
    section = {"enabled": True, "global_url": HOOK, "events": ["CALL"]}
    config = EvolutionConfig(URL, KEY, instance="sales", webhook=section)
    done = await sync(stage, stage.client(config=config))
    assert (done.webhook.url, done.webhook.events) == (HOOK, ("CALL",))
    off = config.replace(webhook={"enabled": False, "global_url": HOOK + "/2"})
    done = await sync(stage, stage.client(config=off))
    assert done.changed == ()
    assert done.webhook.url == HOOK


async def test_what_cannot_be_subscribed_is_told(stage: Stage) -> None:
    client = stage.client()
    with pytest.warns(UserWarning, match="GROUP_UPDATE"):
        done = await sync(stage, client, ["GROUP_UPDATE", "CALL"], url=HOOK)
    assert done.webhook.events == ("CALL",)
    lone = EventRouter()
    lone.add(lambda event: None, GroupsUpdate)
    with (
        pytest.warns(UserWarning, match=r"groups\.update"),
        pytest.raises(RequestValidationError, match="none for all"),
    ):
        await sync(stage, client, lone, url=HOOK)
    with pytest.raises(ConfigurationError, match="not an event"):
        await sync(stage, client, ["MESSAGE_UPSERT"], url=HOOK)


@pytest.mark.parametrize("key", ["", "k", "k" * 15, "é" * 7, 7])
async def test_a_key_that_can_be_guessed_is_refused_before_anything_is_asked(
    stage: Stage, key: Any
) -> None:
    client = stage.client()
    calls = {
        "jwt_key": lambda: client.webhook.sync(router(), url=HOOK, jwt_key=key),
        "headers": lambda: client.webhook.set(HOOK, headers={"jwt_key": key}),
        "webhook.headers": lambda: client.instances.create(
            "new", webhook={"url": HOOK, "events": (), "headers": {"jwt_key": key}}
        ),
    }
    for field, call in calls.items():
        with pytest.raises(RequestValidationError) as caught:
            await stage.kit.run(call())
        assert caught.value.field.startswith(field)
        if isinstance(key, str):
            assert caught.value.field == field
            assert "at least 16 bytes" in caught.value.rule
            assert "secrets.token_urlsafe(32)" in caught.value.rule
    assert stage.arrived == []


async def test_sixteen_bytes_are_enough(stage: Stage) -> None:
    stored = await stage.kit.run(
        stage.client().webhook.set(HOOK, headers={"jwt_key": "é" * 8, "x-a": "b"})
    )
    assert stored.headers == {"jwt_key": "é" * 8, "x-a": "b"}
