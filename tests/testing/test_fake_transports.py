"""The event transports and Chatwoot: what is stored, refused and silently dropped."""

from __future__ import annotations

from typing import Any

import pytest
from fake_answers import body_of, message_of

from evolution_sdk.testing import FakeClock, FakeEvolution
from evolution_sdk.testing.fake.media import is_url
from evolution_sdk.testing.fake.schemas.common import EVENTS as OF_ALL_VERSIONS

NAMES = ("websocket", "rabbitmq", "nats", "sqs", "kafka")
EVERYTHING = frozenset({*NAMES, "pusher", "chatwoot"})
CREDENTIALS = {"appId": "1", "key": "k", "secret": "s", "cluster": "us2", "useTLS": True}
INBOX = {
    "enabled": True, "accountId": "1", "token": "t", "url": "http://localhost:3000",
    "signMsg": True, "reopenConversation": False, "conversationPending": False,
}  # fmt: skip


OF_2_3_7 = [name for name in OF_ALL_VERSIONS if name != "MESSAGING_HISTORY_SET"]


@pytest.fixture
def fake(features: frozenset[str]) -> FakeEvolution:
    made = FakeEvolution(api_key="secret", clock=FakeClock(), features=features, minified=False)
    made.create_instance("sales")
    return made


@pytest.fixture
def features() -> frozenset[str]:
    return EVERYTHING


off = pytest.mark.parametrize("features", [frozenset[str]()])


@pytest.mark.parametrize("name", NAMES)
def test_a_subscription_is_kept(ask: Any, fake: FakeEvolution, name: str) -> None:
    assert body_of(ask("GET", f"/{name}/find/sales")) is None
    first = body_of(ask("POST", f"/{name}/set/sales", {name: {"enabled": True, "events": []}}))
    assert first["events"] == OF_2_3_7
    fake.clock.advance(1_000)
    wanted = {"enabled": True, "events": ["CALL"]}
    second = body_of(ask("POST", f"/{name}/set/sales", {name: wanted}))
    assert (second["id"], second["createdAt"]) == (first["id"], first["createdAt"])
    assert second["updatedAt"] > first["updatedAt"]
    assert body_of(ask("GET", f"/{name}/find/sales")) == second
    off = body_of(ask("POST", f"/{name}/set/sales", {name: {"enabled": False, "events": ["CALL"]}}))
    assert (off["enabled"], off["events"]) == (False, [])


@off
@pytest.mark.parametrize("name", NAMES)
def test_switched_off_it_answers_nothing(ask: Any, name: str) -> None:
    for method, path, status in (("POST", "set", 201), ("GET", "find", 200)):
        for body in ({name: {"enabled": True, "events": ["CALL"]}}, {}, {name: {"enabled": True}}):
            reply = ask(method, f"/{name}/{path}/sales", body)
            assert (reply.status, reply.body) == (status, b"")
            assert dict(reply.headers)["content-type"].startswith("application/json")


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ({}, 500, "Cannot set properties of undefined (setting 'events')"),
        ({"sqs": {"enabled": True}}, 500, "Cannot read properties of undefined (reading 'length')"),
        ({"sqs": {}}, 400, [['sqs requires property "enabled"']]),
        ({"sqs": {"enabled": True, "events": None}}, 400,
         [["sqs.events is not of a type(s) array"]]),
        # A transport checks what is meant for the others too.
        ({"kafka": [], "sqs": {"enabled": False}}, 400, [["kafka is not of a type(s) object"]]),
        ({"sqs": {"enabled": 1}}, 400,
         [["sqs.enabled is not of a type(s) boolean",
           "sqs.enabled is not one of enum values: true,false"]]),
    ],
)  # fmt: skip
def test_broken_subscriptions(ask: Any, body: Any, status: int, message: Any) -> None:
    reply = ask("POST", "/sqs/set/sales", body)
    assert (reply.status, message_of(reply)) == (status, message)


def test_pusher_fields(ask: Any) -> None:
    wanted = {"pusher": {"enabled": True, **CREDENTIALS, "events": ["CALL"]}}
    row = body_of(ask("POST", "/pusher/set/sales", wanted))
    assert {name: row[name] for name in CREDENTIALS} == CREDENTIALS
    assert body_of(ask("GET", "/pusher/find/sales")) == row
    assert ask("POST", "/pusher/set/sales", {}).status == 400
    no_events = {"pusher": {"enabled": True, **CREDENTIALS}}
    assert ask("POST", "/pusher/set/sales", no_events).status == 500
    empty = {"pusher": {**CREDENTIALS, "enabled": False, "key": ""}}
    assert message_of(ask("POST", "/pusher/set/sales", empty)) == [['The "key" cannot be empty']]
    long = {"pusher": {**CREDENTIALS, "enabled": False, "key": "k" * 101, "events": []}}
    assert "this.prisma.pusher.upsert()" in message_of(ask("POST", "/pusher/set/sales", long))
    assert body_of(ask("GET", "/pusher/find/sales")) == row


@off
def test_pusher_is_stored_though_it_is_off(ask: Any, fake: FakeEvolution) -> None:
    wanted = {"pusher": {"enabled": True, **CREDENTIALS, "events": []}}
    assert body_of(ask("POST", "/pusher/set/sales", wanted))["events"] == OF_2_3_7
    assert ask("GET", "/pusher/find/sales").body == b""
    assert fake.instances["sales"].relations["Pusher"]["appId"] == "1"


def test_a_create_subscribes_to_every_transport(ask: Any, fake: FakeEvolution) -> None:
    wanted: dict[str, Any] = {name: {"events": ["CALL"]} for name in NAMES}
    body = {"instanceName": "n", "integration": "EVOLUTION", **wanted,
            "pusher": {**CREDENTIALS, "events": []}}  # fmt: skip
    assert ask("POST", "/instance/create", body).status == 201
    assert set(fake.instances["n"].relations) == {n.capitalize() for n in (*NAMES, "pusher")}
    assert fake.instances["n"].relations["Kafka"]["events"] == ["CALL"]
    incomplete = {"instanceName": "m", "integration": "EVOLUTION", "pusher": {"events": []}}
    assert ask("POST", "/instance/create", incomplete).status == 400
    assert "m" not in fake.instances


def test_an_unloaded_instance(ask: Any) -> None:
    reply = ask("POST", "/nats/set/sales?instanceName=gone", {"nats": {"enabled": False}})
    assert message_of(reply) == "Cannot read properties of undefined (reading 'instanceId')"
    assert body_of(ask("GET", "/nats/find/sales?instanceName=gone")) is None
    found = body_of(ask("GET", "/chatwoot/find/sales?instanceName=gone"))
    assert (found["enabled"], found["url"]) == (None, "")
    reply = ask("POST", "/chatwoot/set/sales?instanceName=gone", INBOX)
    assert message_of(reply) == "Cannot read properties of undefined (reading 'setChatwoot')"


def test_chatwoot_echoes_and_stores(ask: Any) -> None:
    body = {**INBOX, "signDelimiter": "--", "unknown": 1, "number": "5511"}
    answer = body_of(ask("POST", "/chatwoot/set/sales", body))
    hook = "http://fake-evolution.test/chatwoot/webhook/sales"
    assert answer == {**body, "nameInbox": "sales", "webhook_url": hook}
    found = body_of(ask("GET", "/chatwoot/find/sales"))
    # The first set forgets the delimiter, a later one keeps it.
    assert found["signDelimiter"] is None
    assert (found["nameInbox"], found["ignoreJids"], found["importContacts"]) == (
        "sales",
        [],
        False,
    )
    assert not {"number", "unknown", "id"} & set(found)
    ask("POST", "/chatwoot/set/sales", {**body, "nameInbox": "box", "ignoreJids": ["@g.us"]})
    found = body_of(ask("GET", "/chatwoot/find/sales"))
    assert (found["signDelimiter"], found["nameInbox"]) == ("--", "box")
    ask("POST", "/chatwoot/set/sales", INBOX)
    found = body_of(ask("GET", "/chatwoot/find/sales"))
    assert (found["signDelimiter"], found["ignoreJids"]) == ("--", ["@g.us"])
    unsigned = body_of(ask("POST", "/chatwoot/set/sales", {**body, "signMsg": False}))
    assert unsigned["signDelimiter"] is None
    assert body_of(ask("GET", "/chatwoot/find/sales"))["signDelimiter"] is None


@pytest.mark.parametrize(
    ("change", "status", "message"),
    [
        ({"url": "nonsense at all"}, 400, ["url is not valid"]),
        ({"url": ""}, 400, [['The "url" cannot be empty']]),
        ({"url": "", "logo": ""}, 400, ["url is not valid"]),
        ({"accountId": "", "logo": ""}, 400, ["accountId is required"]),
        ({"token": "", "logo": ""}, 400, ["token is required"]),
        ({"ignoreJids": None}, 400, [["ignoreJids is not of a type(s) array"]]),
        ({"signDelimiter": 1}, 400, [["signDelimiter is not of a type(s) string,null"]]),
    ],
)
def test_chatwoot_refusals(ask: Any, change: Any, status: int, message: Any) -> None:
    reply = ask("POST", "/chatwoot/set/sales", {**INBOX, **change})
    assert (reply.status, message_of(reply)) == (status, message)


@pytest.mark.parametrize(
    "change", [{"token": "t" * 101}, {"daysLimitImportMessages": 2.5}, {"importContacts": "yes"}]
)
def test_chatwoot_values_that_do_not_fit(ask: Any, change: Any) -> None:
    reply = ask("POST", "/chatwoot/set/sales", {**INBOX, **change})
    assert reply.status == 500
    assert "this.prismaRepository.chatwoot.create()" in message_of(reply)
    assert body_of(ask("GET", "/chatwoot/find/sales"))["webhook_url"] == ""


def test_chatwoot_that_is_disabled_is_not_checked(ask: Any) -> None:
    body = {**INBOX, "enabled": False, "url": "nonsense at all", "signMsg": False,
            "signDelimiter": "--"}  # fmt: skip
    answer = body_of(ask("POST", "/chatwoot/set/sales", body))
    assert (answer["enabled"], answer["signDelimiter"]) == (False, "--")


@pytest.mark.parametrize(("token", "stored"), [("t", True), ("t" * 101, False)])
def test_a_create_keeps_the_inbox_that_fits(
    ask: Any, fake: FakeEvolution, token: str, stored: bool
) -> None:
    body = {"instanceName": "n", "integration": "EVOLUTION", "chatwootAccountId": "1",
            "chatwootToken": token, "chatwootUrl": "http://localhost:3000",
            "chatwootSignMsg": True, "chatwootReopenConversation": True,
            "chatwootConversationPending": True, "chatwootLogo": "l"}  # fmt: skip
    answer = body_of(ask("POST", "/instance/create", body))
    assert answer["chatwoot"]["token"] == token
    found = body_of(ask("GET", "/chatwoot/find/n"))
    assert (found["token"] == token, found.get("logo") == "l") == (stored, stored)


@off
def test_chatwoot_off_server_wide(ask: Any) -> None:
    for reply in (ask("POST", "/chatwoot/set/sales", INBOX), ask("GET", "/chatwoot/find/sales")):
        assert (reply.status, message_of(reply)) == (400, ["Chatwoot is disabled"])


def test_the_hook_address_is_encoded(ask: Any, fake: FakeEvolution) -> None:
    fake.create_instance("my inst/é")
    answer = body_of(ask("POST", "/chatwoot/set/my%20inst%2F%C3%A9", INBOX))
    assert answer["webhook_url"].endswith("/chatwoot/webhook/my%20inst%2F%C3%A9")
    assert answer["nameInbox"] == "my inst/é"


@pytest.mark.parametrize(
    ("text", "fits"),
    [("http://localhost:3000", True), ("chatwoot", True), ("http://cw/app", True),
     ("http://12345", False), ("http://a_b", False), ("http://a..b", False), ("a b", False)],
)  # fmt: skip
def test_urls_without_tld(text: str, fits: bool) -> None:
    assert is_url(text, require_tld=False) is fits
    assert is_url(text) is False
