"""What differs from version to version, as the server under test has it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from live_kinds import KINDS, NUMBER

from evolution_sdk import CarouselCard, Effect, MessageKey
from evolution_sdk.errors import (
    BadRequestError,
    ChannelNotSupportedError,
    InstanceNotConnectedError,
    RequestValidationError,
    RouteNotFoundError,
    UnsupportedByServerError,
)
from evolution_sdk.models.requests_message import Button

Call = Callable[[Any], Any]
JID = f"{NUMBER}@s.whatsapp.net"
KEY = MessageKey(id="3EB0C767D097B7AA1B05", remote_jid=JID, from_me=False)
GROUP = "120363000000000001@g.us"
OURS = "3EB0"
HISTORY = "MESSAGING_HISTORY_SET"

# Method → the call on an instance. None of them needs a phone to tell if its route is there.
NEWER: dict[str, Call] = {
    "messages.send_carousel": lambda i: i.messages.send_carousel(
        NUMBER,
        body="Ofertas",
        cards=[CarouselCard(body="Caneca", buttons=[Button(display_text="Sim", id="s")])],
    ),
    "chats.mark_message_as_played": lambda i: i.chats.mark_message_as_played(KEY),
    "chats.get_poll_vote": lambda i: i.chats.get_poll_vote(KEY),
    "chats.find_channels": lambda i: i.chats.find_channels(),
    "groups.update_member_add_mode": lambda i: i.groups.update_member_add_mode(GROUP, "admin_add"),
    "baileys.generate_message_id": lambda i: i.baileys.generate_message_id(),
    "chats.find_by_remote_jid": lambda i: i.chats.find_by_remote_jid(JID),
    "business.get_catalog": lambda i: i.business.get_catalog(),
    "n8n.find": lambda i: i.n8n.find(),
    "evoai.find": lambda i: i.evoai.find(),
    "nats.find": lambda i: i.nats.find(),
    "kafka.find": lambda i: i.kafka.find(),
    "templates.edit": lambda i: i.templates.edit("123", category="UTILITY"),
    "templates.delete": lambda i: i.templates.delete("aviso"),
}


class Watched:
    """A client that notes its requests."""

    def __init__(self, live: Any) -> None:
        self.paths: list[str] = []

        def note(request: httpx.Request) -> None:
            self.paths.append(request.url.path)

        async def note_async(request: httpx.Request) -> None:
            note(request)

        if live.colour == "async":
            self.http: Any = httpx.AsyncClient(event_hooks={"request": [note_async]})
            self.close: Callable[[], Any] = self.http.aclose
        else:
            self.http = httpx.Client(event_hooks={"request": [note]})
            self.close = self.http.close
        self.client: Any = live.open(http_client=self.http)


@pytest.fixture
async def watched(live: Any) -> Any:
    made = Watched(live)
    yield made
    await live.run(made.close())


# The version, and what it has


async def test_the_version_is_asked_once_and_kept(live: Any, server: Any, watched: Any) -> None:
    client = watched.client
    assert client.server_version is None
    answers = [await live.run(client.supports(method)) for method in NEWER]
    assert client.server_version == server.version
    assert watched.paths.count("/") == 1
    # 2.3.7 is asked for a route as well: a build of 2.4 calls itself so.
    assert len(watched.paths) == (2 if server.version == "2.3.7" else 1)
    since = {
        "chats.find_by_remote_jid": "2.3", "business.get_catalog": "2.3", "n8n.find": "2.3",
        "evoai.find": "2.3", "nats.find": "2.3", "kafka.find": "2.3",
        "templates.edit": "2.3.7", "templates.delete": "2.3.7",
    }  # fmt: skip
    has = [server.profile.at_least(since.get(method, "2.4")) for method in NEWER]
    assert dict(zip(NEWER, answers, strict=True)) == dict(zip(NEWER, has, strict=True))


async def test_a_fixed_version_is_not_asked(live: Any, server: Any) -> None:
    client = live.open(live.config.replace(server_version="2.2.3"))
    assert not await live.run(client.supports("chats.find_by_remote_jid"))
    assert client.server_version == "2.2.3"
    with pytest.raises(UnsupportedByServerError, match=r"needs server 2\.3; this one is 2\.2\.3"):
        await live.run(client.instance("sdk-live-nobody").chats.find_by_remote_jid(JID))


@pytest.mark.parametrize("method", NEWER)
async def test_a_route_that_it_lacks_is_told_as_such(
    live: Any, server: Any, sales: Any, watched: Any, method: str
) -> None:
    if await live.run(live.open().supports(method)):
        pytest.skip(f"{server} has it")
    instance = watched.client.instance(sales.name)
    # Not known yet: the server's "Cannot POST" tells.
    with pytest.raises(UnsupportedByServerError) as caught:
        await live.run(NEWER[method](instance))
    assert caught.value.version == server.version
    assert f"needs server {caught.value.needs}" in str(caught.value)
    assert caught.value.attempts == 1
    # Known: nothing is sent.
    watched.paths.clear()
    with pytest.raises(UnsupportedByServerError):
        await live.run(NEWER[method](instance))
    assert watched.paths == []


async def test_new_routes_of_baileys_say_that_this_channel_is_another(
    live: Any, server: Any, sales: Any
) -> None:
    if not server.profile.at_least("2.4"):
        pytest.skip(f"{server} lacks the routes")
    for method in (
        "messages.send_carousel", "chats.mark_message_as_played", "chats.find_channels",
        "baileys.generate_message_id",
    ):  # fmt: skip
        with pytest.raises(ChannelNotSupportedError) as caught:
            await live.run(NEWER[method](sales))
        assert caught.value.attempts == 1


async def test_metrics(live: Any, server: Any) -> None:
    client = live.open()
    if not server.profile.at_least("2.3"):
        with pytest.raises(UnsupportedByServerError) as caught:
            await live.run(client.server.metrics())
        assert caught.value.needs == "2.3"
        return
    assert "evolution_" in await live.run(client.server.metrics())


async def test_a_channel_as_recipient_only_where_the_server_knows_channels(
    live: Any, server: Any, sales: Any
) -> None:
    send = sales.messages.send_text
    if server.has("channel_recipients"):
        sent = await live.run(send("120363000000000001@newsletter", "oi"))
        assert sent.remote_jid == "120363000000000001@newsletter"
        return
    with pytest.raises(UnsupportedByServerError, match="newsletter"):
        await live.run(send("120363000000000001@newsletter", "oi"))
    assert await live.collect(sales.chats.iter_messages()) == []


async def test_routes_without_a_method(live: Any, server: Any, sales: Any) -> None:
    found = await live.run(
        sales.request("GET", "/instance/connectionState/{instance}", effect=Effect.READ)
    )
    assert found == {"instance": {"instanceName": sales.name, "state": "open"}}
    sent = await live.run(
        sales.request(
            "POST",
            "/message/sendText/{instance}",
            {"number": NUMBER, "text": "direto"},
            effect=Effect.SEND,
        )
    )
    page = await live.run(sales.chats.find_messages(message_id=sent["key"]["id"]))
    assert [message.text for message in page.records] == ["direto"]
    with pytest.raises(RouteNotFoundError) as caught:
        await live.run(sales.request("POST", "/chat/noSuchRoute/{instance}", effect=Effect.SEND))
    assert (caught.value.status, caught.value.attempts) == (404, 1)
    with pytest.raises(RequestValidationError):
        await live.run(sales.request("GET", "no-slash", effect=Effect.READ))
    root = await live.run(live.open().request("GET", "/", effect=Effect.READ))
    assert root["version"] == server.version


# Ids chosen by the client

IDENTIFIED = ("text", "media base64", "media multipart", "media url", "whatsapp_audio", "buttons")


@pytest.mark.parametrize("kind", IDENTIFIED)
async def test_a_chosen_id_is_the_messages_own_where_the_server_heeds_it(
    live: Any, server: Any, sales: Any, kind: str
) -> None:
    chosen = "SDK-live.0123456789_A"
    sent = await live.run(KINDS[kind](sales.messages, 1, {"message_id": chosen}))
    page = await live.run(sales.chats.find_messages(message_id=chosen))
    if server.has("message_ids"):
        assert sent.id == chosen
        assert [message.id for message in page.records] == [chosen]
    else:
        assert sent.id != chosen
        assert page.records == ()
        by_its_own = await live.run(sales.chats.find_messages(message_id=sent.id))
        assert [message.id for message in by_its_own.records] == [sent.id]


@pytest.mark.parametrize("kind", IDENTIFIED)
async def test_an_id_of_our_own_is_given_where_the_server_heeds_it(
    live: Any, server: Any, sales: Any, kind: str
) -> None:
    first, second = [await live.run(KINDS[kind](sales.messages, at, {})) for at in (1, 2)]
    assert first.id != second.id
    for sent in (first, second):
        assert sent.id.startswith(OURS) == server.has("message_ids")
        page = await live.run(sales.chats.find_messages(message_id=sent.id))
        assert [message.id for message in page.records] == [sent.id]


async def test_the_server_does_not_drop_a_second_message_of_the_same_id(
    live: Any, server: Any, sales: Any
) -> None:
    server.needs("message_ids")
    for _ in range(2):
        await live.run(sales.messages.send_text(NUMBER, "duas", message_id="SDK0123456789AB"))
    page = await live.run(sales.chats.find_messages(message_id="SDK0123456789AB"))
    assert [message.text for message in page.records] == ["duas", "duas"]


async def test_the_business_channel_ignores_ids(live: Any, business: Any) -> None:
    chosen = "SDK0123456789AB"
    sent = await live.run(business.handle.messages.send_text(NUMBER, "oi", message_id=chosen))
    assert sent.id.startswith("wamid.")
    assert (await live.run(business.handle.chats.find_messages(message_id=chosen))).records == ()
    assert business.delivered == 1


# Webhooks


async def test_a_webhook_is_switched_off_by_itself(live: Any, sales: Any) -> None:
    url = "https://hooks.invalid/evolution"
    await live.run(sales.webhook.set(url, events=["CALL"], headers={"x-test": "1"}))
    off = await live.run(sales.webhook.set(enabled=False))
    found = await live.run(sales.webhook.find())
    assert (off.enabled, found.enabled) == (False, False)


async def test_an_event_is_refused_where_no_server_of_that_version_sends_it(
    live: Any, server: Any, sales: Any, watched: Any
) -> None:
    url = "https://hooks.invalid/evolution"
    instance = watched.client.instance(sales.name)
    events = ["CALL", HISTORY]
    if server.profile.at_least("2.4"):
        stored = await live.run(instance.webhook.set(url, events=events))
        assert set(stored.events) == set(events)
    else:
        # Not known yet: the server refuses it by its own words.
        with pytest.raises(BadRequestError):
            await live.run(instance.webhook.set(url, events=events))
        await live.run(watched.client.supports("messages.send_carousel"))
        watched.paths.clear()
        with pytest.raises(UnsupportedByServerError, match=HISTORY) as caught:
            await live.run(instance.webhook.set(url, events=events))
        assert (caught.value.needs, watched.paths) == ("2.4", [])
        assert await live.run(sales.webhook.find()) is None
        with pytest.warns(UserWarning, match=HISTORY):
            synced = await live.run(instance.webhook.sync(events, url=url))
        assert synced.webhook.events == ("CALL",)
    await live.run(sales.webhook.set(enabled=False))


# Instances


async def test_logging_out_a_closed_instance(live: Any, server: Any, sales: Any) -> None:
    instances = live.open().instances
    await live.run(instances.logout(sales.name))
    assert (await live.run(instances.connection_state(sales.name))).state == "close"
    if server.has("closed_logout_succeeds"):
        await live.run(instances.logout(sales.name))
        return
    with pytest.raises(InstanceNotConnectedError) as caught:
        await live.run(instances.logout(sales.name))
    assert caught.value.attempts == 1


# Templates (Meta is stood in for)


async def test_templates_are_changed_and_removed(live: Any, server: Any, business: Any) -> None:
    templates = business.handle.templates
    if not server.profile.at_least("2.3.7"):
        for method in ("templates.edit", "templates.delete"):
            with pytest.raises(UnsupportedByServerError) as caught:
                await live.run(NEWER[method](business.handle))
            assert caught.value.needs == "2.3.7"
        return
    created = await live.run(
        templates.create(
            f"aviso_{business.number}",
            category="UTILITY",
            language="pt_BR",
            components=[{"type": "BODY", "text": "Olá"}],
        )
    )
    assert created.template_id
    edited = await live.run(
        templates.edit(created.template_id, components=[{"type": "BODY", "text": "Oi"}])
    )
    assert edited.success
    assert (await live.run(templates.delete(f"aviso_{business.number}"))).success
