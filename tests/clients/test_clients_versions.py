"""A client that knows whom it speaks to: versions, what they lack, and routes of its own."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from evolution_sdk import Effect, EvolutionConfig
from evolution_sdk.errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectionFailedError,
    EvolutionTimeoutError,
    FeatureDisabledError,
    RequestValidationError,
    RouteNotFoundError,
    SendOutcomeUnknownError,
    UnsupportedByServerError,
)
from evolution_sdk.models.requests_message import Button, CarouselCard

from .conftest import KEY, URL, Kit, record

SETTINGS: dict[str, Any] = {
    "expire_minutes": 20,
    "keyword_finish": "#SAIR",
    "delay_message_ms": 0,
    "unknown_message": "?",
    "listening_from_me": False,
    "stop_bot_from_me": False,
    "keep_open": False,
    "ignore_jids": [],
    "debounce_seconds": 0,
    "split_messages": False,
    "time_per_char_ms": 0,
    "fallback_id": "bot-1",
}
CARDS = (CarouselCard(body="Caneca", buttons=(Button(display_text="Quero", id="c1"),)),)


def told(version: str) -> tuple[int, Any]:
    return 200, {"status": 200, "message": "Welcome", "version": version}


def cannot(verb: str, path: str) -> tuple[int, Any]:
    text = f"Cannot {verb} {path}"
    return 404, {"status": 404, "error": "Not Found", "response": {"message": [text]}}


def asked(kit: Kit) -> list[str]:
    return [request.url.removeprefix(URL) for request in kit.stub.requests]


async def test_the_version_of_an_answer_is_kept(kit: Kit) -> None:
    client = kit.client(server_version=None)
    assert client.server_version is None
    kit.stub.answer(told("2.3.6"))
    assert (await kit.run(client.server.info())).version == "2.3.6"
    assert client.server_version == "2.3.6"


@pytest.mark.parametrize(
    ("version", "has"),
    [("2.2.3", False), ("2.3.6", False), ("2.4.0", True), ("2.4.0-rc2", True), ("3.1.0", True)],
)
async def test_supports_asks_once(kit: Kit, version: str, has: bool) -> None:
    client = kit.client(server_version=None)
    kit.stub.answer(told(version))
    assert await kit.run(client.supports("messages.send_carousel")) is has
    assert await kit.run(client.supports("message.send_carousel")) is has
    assert await kit.run(client.supports("messages.send_text")) is True
    assert asked(kit) == ["/"]


async def test_a_fixed_version_is_never_asked(kit: Kit) -> None:
    client = kit.client(server_version="2.4.0")
    assert await kit.run(client.supports("messages.send_carousel"))
    assert await kit.run(kit.client(server_version="2.3.7").supports("templates.edit"))
    assert not await kit.run(kit.client(server_version="2.2.3").supports("n8n.create"))
    assert asked(kit) == []


def test_the_version_comes_from_the_environment(kit: Kit) -> None:
    environ = {"EVOLUTION_SERVER_VERSION": "2.4.0-rc2"}
    config = EvolutionConfig.from_env(None, environ=environ, base_url=URL, api_key=KEY)
    assert kit.client(server_version=None, config=config).server_version == "2.4.0-rc2"
    with pytest.raises(ConfigurationError, match="EVOLUTION_SERVER_VERSION"):
        EvolutionConfig(URL, KEY, server_version="new")


async def test_no_such_method(kit: Kit) -> None:
    with pytest.raises(RequestValidationError, match=r"did you mean 'messages.send_carousel'"):
        await kit.run(kit.client().supports("messages.send_carrousel"))


async def test_2_3_7_is_told_from_an_early_2_4_by_a_route(kit: Kit) -> None:
    """The last build before the licence has the routes of 2.4 and calls itself 2.3.7."""
    client = kit.client(server_version=None)
    kit.stub.answer(
        told("2.3.7"), (500, {"status": 500, "response": {"message": "reading 'user'"}})
    )
    assert await kit.run(client.supports("messages.send_carousel"))
    assert not await kit.run(client.supports("license.status"))
    assert asked(kit) == ["/", "/baileys/generateMessageID/sales"]

    kit.stub.requests.clear()
    client = kit.client(server_version=None)
    kit.stub.answer(told("2.3.7"), cannot("GET", "/baileys/generateMessageID/sales"))
    assert not await kit.run(client.supports("messages.send_carousel"))
    assert not await kit.run(client.supports("chats.find_channels"))
    assert asked(kit) == ["/", "/baileys/generateMessageID/sales"]


async def test_what_a_known_server_lacks_is_refused_before_it_is_sent(kit: Kit) -> None:
    client = kit.client(server_version="2.3.7")
    with pytest.raises(UnsupportedByServerError) as caught:
        await kit.run(client.messages.send_carousel("5511987654321", body="Oi", cards=CARDS))
    error = caught.value
    assert (error.operation, error.needs, error.version) == (
        "message.send_carousel",
        "2.4",
        "2.3.7",
    )
    assert "message.send_carousel needs server 2.4; this one is 2.3.7" in str(error)
    assert not error.retryable
    assert asked(kit) == []


async def test_what_an_unknown_server_lacks_is_told_after_its_404(kit: Kit) -> None:
    client = kit.client(server_version=None)
    path = "/message/sendCarousel/sales"
    kit.stub.answer(cannot("POST", path), told("2.3.6"))
    with pytest.raises(UnsupportedByServerError, match=r"needs server 2\.4; this one is 2\.3\.6"):
        await kit.run(client.messages.send_carousel("5511987654321", body="Oi", cards=CARDS))
    # Known from then on: nothing goes out any more.
    with pytest.raises(UnsupportedByServerError):
        await kit.run(client.messages.send_carousel("5511987654321", body="Oi", cards=CARDS))
    assert asked(kit) == [path, "/"]


@pytest.mark.parametrize("version", ["2.2.3", "2.3.7"])
async def test_metrics_that_are_missing_or_off(kit: Kit, version: str) -> None:
    client = kit.client(server_version=None)
    kit.stub.answer(cannot("GET", "/metrics"), told(version))
    lacks = version == "2.2.3"
    expected = UnsupportedByServerError if lacks else FeatureDisabledError
    with pytest.raises(expected) as caught:
        await kit.run(client.server.metrics())
    assert asked(kit) == ["/metrics", "/"]
    assert caught.value.attempts == 1
    if lacks:
        assert str(caught.value).startswith("root.get_metrics needs server 2.3; this one is 2.2.3")
    # Known: a server that has metrics is asked for them, and for nothing else.
    kit.stub.requests.clear()
    kit.stub.answer(cannot("GET", "/metrics"))
    with pytest.raises(expected):
        await kit.run(client.server.metrics())
    assert asked(kit) == ([] if lacks else ["/metrics"])


async def test_a_server_that_does_not_tell_is_not_asked_on_and_on(kit: Kit) -> None:
    client = kit.client(server_version=None)
    path = "/n8n/find/sales"
    slow = EvolutionTimeoutError("no answer in time")
    kit.stub.answer(
        cannot("GET", path), slow, cannot("GET", path), cannot("GET", path), told("2.2.3")
    )
    for _ in range(2):
        with pytest.raises(UnsupportedByServerError, match="did not tell its version"):
            await kit.run(client.n8n.find())
    assert asked(kit) == [path, "/", path]
    kit.time.now += 61
    with pytest.raises(UnsupportedByServerError, match=r"this one is 2\.2\.3"):
        await kit.run(client.n8n.find())


async def test_a_missing_route_that_every_version_has_is_a_wrong_address(kit: Kit) -> None:
    client = kit.client(server_version=None)
    kit.stub.answer(cannot("POST", "/x/message/sendText/sales"), told("2.3.6"))
    with pytest.raises(RouteNotFoundError):
        await kit.run(client.messages.send_text("5511987654321", "oi"))


async def test_an_upgraded_server_is_noticed(kit: Kit, caplog: pytest.LogCaptureFixture) -> None:
    client = kit.client(server_version=None)
    kit.stub.answer(told("2.2.3"))
    assert not await kit.run(client.supports("n8n.find"))
    # After a broken connection the version is asked again before it counts against a call.
    kit.stub.answer(ConnectionFailedError("refused"), told("2.3.6"), (200, []))
    with pytest.raises(ConnectionFailedError):
        await kit.run(client.instances.connection_state(retry=False))
    with caplog.at_level(logging.WARNING, "evolution_sdk"):
        assert await kit.run(client.n8n.find()) == []
    assert "changed its version from 2.2.3 to 2.3.6" in caplog.text
    # And after ten minutes in any case.
    kit.time.now += 601
    kit.stub.answer(told("2.4.0"))
    assert await kit.run(client.supports("messages.send_carousel"))


async def test_a_server_that_lost_a_route_is_asked_again(kit: Kit) -> None:
    client = kit.client(server_version=None)
    kit.stub.answer(told("2.3.6"))
    await kit.run(client.server.info())
    kit.stub.answer(cannot("GET", "/n8n/find/sales"), told("2.2.3"))
    with pytest.raises(UnsupportedByServerError, match=r"needs server 2\.3; this one is 2\.2\.3"):
        await kit.run(client.n8n.find())


@pytest.mark.parametrize(
    ("version", "words"),
    [
        ("1.8.6", "version 1.8.6 of the Evolution API: this SDK speaks to version 2 only"),
        ("9.9.9-x", "newer than this SDK knows"),
        ("2.5.0", "newer than this SDK knows"),
    ],
)
async def test_a_strange_version_is_said_once(
    kit: Kit, caplog: pytest.LogCaptureFixture, version: str, words: str
) -> None:
    client = kit.client(server_version=None)
    with caplog.at_level(logging.WARNING, "evolution_sdk"):
        for _ in range(3):
            kit.stub.answer(told(version))
            await kit.run(client.server.info())
    assert caplog.text.count(words) == 1


@pytest.mark.parametrize("version", ["2.2.3", "2.3.6", "2.3.7", "2.4.0", "2.4.0-rc1", ""])
async def test_a_usual_version_is_no_news(
    kit: Kit, caplog: pytest.LogCaptureFixture, version: str
) -> None:
    client = kit.client(server_version=None)
    with caplog.at_level(logging.WARNING, "evolution_sdk"):
        kit.stub.answer(told(version))
        await kit.run(client.server.info())
    assert "version" not in caplog.text


async def test_version_1_lacks_it_all(kit: Kit) -> None:
    client = kit.client(server_version="1.8.6")
    with pytest.raises(UnsupportedByServerError, match=r"needs server 2\.0; this one is 1\.8\.6"):
        await kit.run(client.messages.send_text("5511987654321", "oi"))
    kit.stub.answer(told("1.8.6"))
    assert (await kit.run(client.server.info())).major == 1


async def test_an_event_that_the_server_does_not_know(kit: Kit) -> None:
    events = ["MESSAGES_UPSERT", "MESSAGING_HISTORY_SET"]
    client = kit.client(server_version="2.3.7")
    words = r"the event MESSAGING_HISTORY_SET needs server 2\.4; this one is 2\.3\.7"
    with pytest.raises(UnsupportedByServerError, match=words):
        await kit.run(client.webhook.set("https://x.example", events=events))
    with pytest.raises(UnsupportedByServerError, match=words):
        await kit.run(client.websocket.set(events=events))
    webhook = {"url": "https://x.example", "events": events}
    with pytest.raises(UnsupportedByServerError, match=words):
        await kit.run(client.instances.create("new", webhook=webhook))
    assert asked(kit) == []
    await kit.run(
        kit.client(server_version="2.4.0").webhook.set("https://x.example", events=events)
    )
    assert asked(kit) == ["/webhook/set/sales"]


async def test_a_field_that_the_server_ignores_is_said_once(
    kit: Kit, caplog: pytest.LogCaptureFixture
) -> None:
    client = kit.client(server_version="2.3.7")
    with caplog.at_level(logging.WARNING, "evolution_sdk"):
        for _ in range(2):
            kit.stub.answer((201, record()))
            sending = client.messages.send_media(
                "5511987654321", "https://x.example/a.mp4", mediatype="video", gif_playback=True
            )
            await kit.run(sending)
    assert kit.stub.last_json["gifPlayback"] is True
    assert caplog.text.count("ignores gifPlayback, which needs 2.4") == 1


async def test_a_channel_needs_2_4(kit: Kit) -> None:
    channel = "120363400000000001@newsletter"
    client = kit.client(server_version="2.3.7")
    with pytest.raises(UnsupportedByServerError, match=r"a channel .* needs server 2\.4"):
        await kit.run(client.messages.send_text(channel, "oi"))
    client = kit.client(server_version=None)
    kit.stub.answer(EvolutionTimeoutError("slow"))
    with pytest.raises(UnsupportedByServerError, match="did not tell its version"):
        await kit.run(client.messages.send_text(channel, "oi"))
    client = kit.client(server_version="2.4.0")
    kit.stub.answer((201, record()))
    await kit.run(client.messages.send_text(channel, "oi"))
    assert kit.stub.last_json["number"] == channel


@pytest.mark.parametrize(
    "name", ["..", "../..", "a b", "$(x)", ".hidden", "", "ação", "a/b", "x;y"]
)
async def test_a_name_that_harms_some_server(kit: Kit, name: str) -> None:
    client = kit.client()
    with pytest.raises(RequestValidationError, match="unsafe_name=True") as caught:
        await kit.run(client.instances.create(name))
    assert caught.value.field == "name"
    if name:
        await kit.run(client.instances.create(name, unsafe_name=True))
        assert kit.stub.last_json["instanceName"] == name


@pytest.mark.parametrize(
    ("version", "family", "name"),
    [
        ("2.2.3", "typebot", "typebotIdFallback"),
        ("2.2.3", "flowise", "flowiseIdFallback"),
        ("2.2.3", "evolution_bot", "botIdFallback"),
        ("2.3.6", "typebot", "fallbackId"),
        ("2.4.0", "evolution_bot", "fallbackId"),
    ],
)
async def test_a_field_is_spelled_as_the_version_does(
    kit: Kit, version: str, family: str, name: str
) -> None:
    """Asked where it is not known: 2.2.3 would ignore the later name without a word."""
    client = kit.client(server_version=None)
    kit.stub.answer(told(version))
    await kit.run(getattr(client, family).set_settings(SETTINGS))
    sent = kit.stub.last_json
    assert (sent[name], len({"fallbackId", name} & sent.keys())) == ("bot-1", 1)
    assert asked(kit)[0] == "/"


async def test_a_warning_delays_no_send(kit: Kit) -> None:
    client = kit.client(server_version=None)
    kit.stub.answer(told("2.3.7"))
    await kit.run(client.server.info())
    kit.stub.answer((201, record()))
    file = "https://x.example/a.mp4"
    await kit.run(
        client.messages.send_media("5511987654321", file, mediatype="video", gif_playback=True)
    )
    assert asked(kit) == ["/", "/message/sendMedia/sales"]


async def test_a_route_that_does_not_answer_is_left_alone(kit: Kit) -> None:
    client = kit.client(server_version=None)
    kit.stub.answer(told("2.3.7"), EvolutionTimeoutError("slow"))
    for _ in range(5):
        assert not await kit.run(client.supports("messages.send_carousel"))
    assert asked(kit) == ["/", "/baileys/generateMessageID/sales"]


async def test_an_early_build_that_was_replaced(kit: Kit) -> None:
    client = kit.client(server_version=None)
    kit.stub.answer(told("2.3.7"), (200, {"id": "3EB0"}))
    assert await kit.run(client.supports("messages.send_carousel"))
    kit.time.now += 61
    kit.stub.answer(told("2.3.7"), cannot("GET", "/baileys/generateMessageID/sales"))
    with pytest.raises(UnsupportedByServerError, match="a channel"):
        await kit.run(client.messages.send_text("120363400000000001@newsletter", "oi"))
    assert not await kit.run(client.supports("messages.send_carousel"))


class TestRequest:
    async def test_paths_of_one_name_are_not_mixed_up(self, kit: Kit) -> None:
        client = kit.client()
        for path in ("/chat/newRoute/a", "/chat/newRoute/b", "/chat/newRoute/{instance}"):
            await kit.run(client.request("GET", path, effect=Effect.READ))
        assert asked(kit) == ["/chat/newRoute/a", "/chat/newRoute/b", "/chat/newRoute/sales"]

    async def test_what_is_no_word_stays_out_of_the_metrics(self, kit: Kit) -> None:
        client = kit.client()
        await kit.run(client.request("GET", "/hook/5511987654321", effect=Effect.READ))
        assert client.retry.operations() == ("hook.*",)

    async def test_the_raw_answer(self, kit: Kit) -> None:
        client = kit.client()
        kit.stub.answer((200, {"a": [1]}), (200, b"plain words"), (204, b""), (200, None))
        path = "/chat/newRoute/{instance}"
        read = Effect.READ
        assert await kit.run(client.request("POST", path, {"n": 1}, effect=read)) == {"a": [1]}
        assert asked(kit) == ["/chat/newRoute/sales"]
        assert kit.stub.last_json == {"n": 1}
        assert kit.stub.last.headers["apikey"] == KEY
        assert await kit.run(client.request("GET", "/plain", effect=read)) == "plain words"
        assert await kit.run(client.request("GET", "/empty", effect=read)) is None
        assert await kit.run(client.request("GET", "/null", effect=read)) is None
        assert client.retry.get_metrics("chat.newRoute").successful_operations == 1

    async def test_the_effect_decides_what_is_repeated(self, kit: Kit) -> None:
        client = kit.client()
        lost = ConnectionFailedError("broken")
        kit.stub.answer(lost, (200, {}))
        await kit.run(client.request("GET", "/chat/newRoute/{instance}", effect=Effect.READ))
        assert len(kit.stub.requests) == 2
        kit.stub.answer(lost)
        with pytest.raises(SendOutcomeUnknownError):
            await kit.run(
                client.request("POST", "/chat/newSend/{instance}", {}, effect=Effect.SEND)
            )
        assert len(kit.stub.requests) == 3

    async def test_a_handle_and_its_token(self, kit: Kit) -> None:
        handle = kit.client().instance("a/b", token="own")
        kit.stub.answer(
            (401, {"status": 401, "error": "Unauthorized", "response": {"message": "x"}})
        )
        with pytest.raises(AuthenticationError):
            await kit.run(
                handle.request("GET", "/x/y/{instance}", effect=Effect.READ, query={"p": "1 2"})
            )
        assert asked(kit) == ["/x/y/a%2Fb?p=1+2"]
        assert kit.stub.last.headers["apikey"] == "own"

    @pytest.mark.parametrize(
        ("method", "path", "query", "field"),
        [
            ("BREW", "/x", None, "method"),
            ("GET", "x", None, "path"),
            ("GET", "//other.example/x", None, "path"),
            ("GET", "https://other.example/x", None, "path"),
            ("GET", "/x?y=1", None, "path"),
            ("GET", "/x y", None, "path"),
            ("GET", "/a/../b", None, "path"),
            ("GET", "/a/%2e%2E/b", None, "path"),
            ("GET", "/a/%252e%252e/b", None, "path"),
            ("GET", "/a%2f..%2fb", None, "path"),
            ("GET", "/a/..;/b", None, "path"),
            ("GET", "/x", {"instanceName[]": "other"}, "query"),
            ("GET", "/x/{instance}", {" instanceName": "other"}, "query"),
            ("GET", "/x/{number}", None, "path"),
            ("GET", "/x/{instance}", {"instanceName": "other"}, "query"),
        ],
    )
    async def test_what_cannot_be_a_request(
        self, kit: Kit, method: str, path: str, query: Any, field: str
    ) -> None:
        with pytest.raises(RequestValidationError) as caught:
            await kit.run(kit.client().request(method, path, effect=Effect.READ, query=query))
        assert caught.value.field == field
        assert kit.stub.requests == []
