"""Events with a client attached: their classes, and what a router makes of them."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import pytest

from evolution_sdk import (
    AsyncEvolutionClient,
    AsyncMessageEvent,
    AsyncMessagesDelete,
    AsyncMessagesEdited,
    AsyncMessagesUpdate,
    AsyncMessagesUpsert,
    AsyncSendMessage,
    AsyncSendMessageUpdate,
    EvolutionClient,
    SyncMessageEvent,
    SyncMessagesDelete,
    SyncMessagesEdited,
    SyncMessagesUpdate,
    SyncMessagesUpsert,
    SyncSendMessage,
    SyncSendMessageUpdate,
)
from evolution_sdk.errors import ConfigurationError
from evolution_sdk.events import (
    EVENT_CLASSES,
    ConnectionUpdate,
    Event,
    EventRouter,
    MessageEvent,
    MessagesUpdate,
    MessagesUpsert,
    parse_event,
)
from evolution_sdk.events._binding import ACTIONS

BOUND: dict[str, tuple[type[Event[Any]], type[Event[Any]]]] = {
    "messages.upsert": (SyncMessagesUpsert, AsyncMessagesUpsert),
    "send.message": (SyncSendMessage, AsyncSendMessage),
    "messages.edited": (SyncMessagesEdited, AsyncMessagesEdited),
    "send.message.update": (SyncSendMessageUpdate, AsyncSendMessageUpdate),
    "messages.delete": (SyncMessagesDelete, AsyncMessagesDelete),
    "messages.update": (SyncMessagesUpdate, AsyncMessagesUpdate),
}
KEY = {"id": "A1", "remoteJid": "5511999999999@s.whatsapp.net", "fromMe": False}


def event(name: str = "messages.upsert", **data: Any) -> Event[Any]:
    return parse_event({"event": name, "instance": "sales", "data": {"key": KEY, **data}})


def client(colour: str) -> Any:
    kind: Any = EvolutionClient if colour == "sync" else AsyncEvolutionClient
    return kind("http://evolution.test", "key", instance="sales")


COLOURS = pytest.mark.parametrize("colour", ["sync", "async"])


@COLOURS
@pytest.mark.parametrize("name", EVENT_CLASSES)
def test_each_event_about_a_message_has_a_class_of_each_colour(name: str, colour: str) -> None:
    plain = event(name)
    bound = plain.bind(client(colour))
    wanted = BOUND.get(name, (type(plain),) * 2)[colour == "async"]
    assert type(bound) is wanted
    assert isinstance(bound, EVENT_CLASSES[name])
    assert bound.is_bound is (name in BOUND)
    assert not plain.is_bound
    assert wanted.plain() is EVENT_CLASSES[name]
    assert all(hasattr(bound, action) for action in ACTIONS) is (name in BOUND)


@COLOURS
def test_a_bound_event_is_equal_to_the_plain_one_and_no_copy_carries_the_client(
    colour: str,
) -> None:
    plain = event(message={"conversation": "x"}, messageType="conversation")
    bound = plain.bind(client(colour))
    assert bound == plain
    assert plain == bound
    assert hash(bound) == hash(plain)
    assert bound != event(message={"conversation": "y"}, messageType="conversation")
    for made in (pickle.loads(pickle.dumps(bound)), copy.copy(bound), copy.deepcopy(bound)):
        assert type(made) is MessagesUpsert
        assert made == bound


def test_views_that_were_made_are_kept() -> None:
    plain = event()
    assert isinstance(plain, MessagesUpsert)
    message = plain.message
    assert plain.bind(client("sync")).message is message


def test_a_bound_event_can_be_bound_to_another_client() -> None:
    bound = event().bind(client("sync"))
    assert type(bound.bind(client("async"))) is AsyncMessagesUpsert


@pytest.mark.parametrize("action", sorted(ACTIONS))
@pytest.mark.parametrize("name", BOUND)
def test_without_a_client_every_action_says_what_is_missing(name: str, action: str) -> None:
    with pytest.raises(ConfigurationError, match=r"event = event\.bind\(client\)") as told:
        getattr(event(name), action)
    assert told.value.variable == "client"


def test_other_names_and_other_events_have_no_such_attribute() -> None:
    for told, name in ((event(), "answer"), (event("connection.update"), "reply_text")):
        with pytest.raises(AttributeError, match=name):
            getattr(told, name)


@COLOURS
def test_a_handler_gets_the_events_of_its_colour(colour: str) -> None:
    wanted = BOUND["messages.upsert"][colour == "async"]
    router, seen = EventRouter(), list[Any]()
    router.add(seen.append, wanted)
    assert router.used_events() == ["MESSAGES_UPSERT"]
    assert router.wants(event()), "asked before the client is attached"
    bound = event().bind(client(colour))
    assert router.dispatch_sync(bound).handlers
    assert seen == [bound]
    assert not router.dispatch_sync(event("send.message").bind(client(colour))).handlers


@COLOURS
@pytest.mark.parametrize("comes_as", ["no client", "the other colour"])
def test_an_event_without_the_promised_client_fails_and_is_not_skipped(
    colour: str, comes_as: str
) -> None:
    wanted = BOUND["messages.upsert"][colour == "async"]
    router, seen = EventRouter(), list[Any]()
    router.add(seen.append, (ConnectionUpdate, wanted))
    told = event()
    if comes_as == "the other colour":
        told = told.bind(client("async" if colour == "sync" else "sync"))
    with pytest.raises(ConfigurationError, match=f"registered for {wanted.__name__}") as failed:
        router.dispatch_sync(told)
    assert f"came as {type(told).__name__}" in str(failed.value)
    assert failed.value.variable == "client"
    assert seen == []
    router.dispatch_sync(event("connection.update"))
    assert len(seen) == 1


@COLOURS
def test_the_base_class_takes_every_event_about_a_message(colour: str) -> None:
    wanted = (SyncMessageEvent, AsyncMessageEvent)[colour == "async"]
    assert wanted.plain() is MessageEvent
    router, seen = EventRouter(), list[Any]()
    router.add(seen.append, wanted)
    for name in ("messages.upsert", "messages.delete", "messages.update"):
        router.dispatch_sync(event(name).bind(client(colour)))
    assert [one.event for one in seen] == ["messages.upsert", "messages.delete"]
    assert "MESSAGES_UPDATE" not in router.used_events()


@COLOURS
def test_a_handler_of_plain_events_gets_bound_ones_as_well(colour: str) -> None:
    router, seen = EventRouter(), list[Any]()
    router.add(seen.append, MessagesUpdate)
    router.dispatch_sync(event("messages.update"))
    router.dispatch_sync(event("messages.update").bind(client(colour)))
    assert [one.is_bound for one in seen] == [False, True]
