"""Accepted, then refused by WhatsApp: what is raised, why, and what is held back afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk import (
    ConfigurationError,
    DeliveryFailedError,
    DeliveryRefusedError,
    EvolutionConfig,
    MessageKey,
    NewContactsPausedError,
    Phase,
)
from evolution_sdk.config import RateLimitConfig
from evolution_sdk.events import parse_event
from evolution_sdk.identity.lids import LidMap
from evolution_sdk.resilience.new_contacts import NewContactPause
from evolution_sdk.tracking.contacts import Contacts

from .conftest import KEY, URL, Kit, record, world_of
from .fake_stage import JID, NUMBER, Stage

LID = "100000000000002@lid"
STRANGERS = [f"551198765{n}" for n in range(1000, 1009)]
ON = {"on_refused": "pause_new_contacts"}


class Line:
    """A client in front of a fake, fed with the fake's events."""

    def __init__(self, stage: Stage, *, verified: bool = True, known: Any = None, **limits: Any):
        stage.open_instance()
        config = EvolutionConfig("http://fake", KEY, rate_limit={**ON, **limits})
        self.stage, self.verified, self._fed = stage, verified, 0
        self.client = stage.client(config=config, known_contacts=known)

    async def send(self, to: str = NUMBER, text: str = "oi") -> Any:
        sent = await self.stage.kit.run(self.client.messages.send_text(to, text))
        self.feed()
        return sent

    def feed(self) -> None:
        events = self.stage.fake.events[self._fed :]
        self._fed = len(self.stage.fake.events)
        for event in events:
            self.client.feed(event, verified=self.verified)

    def wrote(self, who: str) -> None:
        self.stage.fake.receive_text("sales", from_=who, text="oi")
        self.feed()

    async def refused(self, times: int = 3) -> None:
        """So many first messages to strangers are refused."""
        self.stage.fake.refuse_delivery("sales")
        for number in STRANGERS[:times]:
            await self.send(number)
        self.stage.fake.refuse_delivery("sales", code=None)

    async def wait(self, sent: Any) -> Any:
        return await self.stage.kit.run(sent.wait_until("DELIVERY_ACK", timeout_ms=1_000))


@pytest.fixture
def line(stage: Stage) -> Line:
    return Line(stage)


def update(status: str = "ERROR", **data: Any) -> dict[str, Any]:
    told = {"keyId": "3868cd62", "remoteJid": JID, "fromMe": True, "status": status, **data}
    return {"event": "messages.update", "instance": "sales", "data": told}


def upsert(chat: str, **key: Any) -> dict[str, Any]:
    data = {
        "key": {"id": "IN", "remoteJid": chat, "fromMe": False, **key},
        "message": {"conversation": "oi"}, "messageType": "conversation",
    }  # fmt: skip
    return {"event": "messages.upsert", "instance": "sales", "data": data}


# What is raised.


async def test_a_first_message_to_a_stranger_is_explained(line: Line) -> None:
    line.wrote("5511900000001")  # messages that come in are seen here
    line.stage.fake.refuse_delivery("sales")
    with pytest.raises(DeliveryRefusedError) as caught:
        await line.wait(await line.send())
    error = caught.value
    assert isinstance(error, DeliveryFailedError)
    assert (error.code, error.reason_is_told) == (None, False)
    assert error.meaning.startswith("probably the reach-out time-lock (463)")
    assert "strangers" in error.advice
    assert error.message_id == line.stage.fake.sent[-1].key_id
    assert (error.phase, error.retryable) == (Phase.ANSWERED, False)
    assert NUMBER not in str(error) + repr(error)


async def test_many_strangers_are_counted(line: Line) -> None:
    line.wrote("5511900000001")
    await line.refused(2)
    line.stage.fake.refuse_delivery("sales")
    with pytest.raises(DeliveryRefusedError, match="3 new chats"):
        await line.wait(await line.send())


async def test_the_reason_of_a_known_chat_is_not_guessed(line: Line) -> None:
    line.wrote(NUMBER)
    line.stage.fake.refuse_delivery("sales", NUMBER)
    with pytest.raises(DeliveryRefusedError) as caught:
        await line.wait(await line.send())
    assert "does not pass on" in caught.value.meaning
    assert not caught.value.reason_is_told


async def test_whoever_hears_no_messages_knows_no_strangers(line: Line) -> None:
    line.stage.fake.refuse_delivery("sales")
    with pytest.raises(DeliveryRefusedError, match="does not pass on"):
        await line.wait(await line.send())


async def test_a_code_is_told_by_whichever_copy_has_it(kit: Kit) -> None:
    client = kit.client()
    kit.stub.answer((201, record(status="PENDING")))
    sent = await kit.run(client.messages.send_text(NUMBER, "Hello"))
    client.feed(update())
    client.feed(update(messageStubParameters=["463", "Your account has been restricted"]))
    client.feed(update())
    with pytest.raises(DeliveryRefusedError) as caught:
        await kit.run(sent.wait_until("READ"))
    assert (caught.value.code, caught.value.reason_is_told) == (463, True)
    assert "(code 463)" in str(caught.value)


async def test_the_store_tells_it_where_no_events_come(kit: Kit) -> None:
    client = kit.client()
    kit.stub.answer((201, record(status="PENDING")))
    sent = await kit.run(client.messages.send_text(NUMBER, "Hello"))
    row = {"keyId": "3868cd62", "remoteJid": JID, "fromMe": True, "status": "ERROR"}
    kit.stub.answer((200, [{**row, "code": 479}]))
    with pytest.raises(DeliveryRefusedError) as caught:
        await kit.run(sent.wait_until())
    assert caught.value.code == 479


async def test_what_was_delivered_was_not_refused(line: Line) -> None:
    sent = await line.send()
    line.stage.fake.deliver(sent.id, "DELIVERY_ACK")
    line.stage.fake.deliver(sent.id, "ERROR")
    line.feed()
    assert str(await line.wait(sent)) == "DELIVERY_ACK"


async def test_a_message_that_failed_before_is_told_from_its_row(kit: Kit) -> None:
    client = kit.client()
    kit.stub.answer((201, record(status="ERROR", messageStubParameters=["421"])))
    sent = await kit.run(client.messages.send_text(NUMBER, "Hello"))
    with pytest.raises(DeliveryRefusedError) as caught:
        await kit.run(sent.wait_until())
    assert caught.value.code == 421


# What is held back.


async def test_refusals_pause_new_contacts_and_nobody_else(line: Line) -> None:
    line.wrote(NUMBER)
    await line.refused()
    began = len(line.stage.sends())
    with pytest.raises(NewContactsPausedError) as caught:
        await line.send(STRANGERS[-1])
    error, now = caught.value, line.stage.kit.time.now
    assert len(line.stage.sends()) == began, "nothing went out"
    assert (error.refusals, error.phase, error.retryable) == (3, Phase.NOT_SENT, False)
    assert error.until == datetime.fromtimestamp(now + 21_600, UTC)
    assert error.retry_after_ms == 21_600_000
    assert (error.operation, error.instance) == ("message.send_text", "sales")
    await line.send(NUMBER)  # who wrote is answered
    line.stage.open_instance(name="support")
    await line.stage.kit.run(line.client.instance("support").messages.send_text(STRANGERS[0], "x"))
    line.stage.kit.time.now += 21_600
    await line.send(STRANGERS[-1])


async def test_a_pause_is_lifted_by_hand(line: Line) -> None:
    assert line.client.resume_new_contacts() is False
    await line.refused()
    assert line.client.resume_new_contacts("sales") is True
    await line.send(STRANGERS[-1])


async def test_nothing_is_held_back_by_default(stage: Stage) -> None:
    line = Line(stage, on_refused="nothing")
    await line.refused(5)
    await line.send(STRANGERS[-1])
    assert line.client.resume_new_contacts() is False


async def test_groups_and_reactions_are_no_first_contacts(line: Line) -> None:
    group = "120363000000000009@g.us"
    line.stage.fake.groups.add(group, "Team")
    line.wrote(NUMBER)
    key_id = line.stage.fake.instances["sales"].messages[0].key["id"]
    await line.refused()
    await line.send(group)
    key = MessageKey(id=key_id, remote_jid=f"{STRANGERS[-1]}@s.whatsapp.net", from_me=False)
    await line.stage.kit.run(line.client.messages.send_reaction(key, "\U0001f44d"))


async def test_a_delivered_message_makes_a_chat_known(line: Line) -> None:
    sent = await line.send(STRANGERS[-1])
    line.stage.fake.deliver(sent.id, "DELIVERY_ACK")
    line.feed()
    await line.refused()
    await line.send(STRANGERS[-1])


@pytest.mark.parametrize(
    ("told", "to"),
    [
        (upsert(LID, remoteJidAlt=JID), NUMBER),  # 2.3.6
        (upsert(JID, remoteJidAlt=LID), LID),  # 2.4
        (upsert(LID, senderPn=JID), NUMBER),
        (upsert("5511987654321:12@s.whatsapp.net"), NUMBER),
        (upsert("551187654321@s.whatsapp.net"), NUMBER),  # without the ninth digit
        (upsert("5511987654321@c.us"), NUMBER),
        (upsert(NUMBER), NUMBER),  # the EVOLUTION channel names numbers
        ({**upsert(JID), "data": [upsert(JID)["data"]]}, NUMBER),  # a list, as events read it
    ],
)
async def test_a_chat_is_known_under_all_its_ids(line: Line, told: Any, to: str) -> None:
    line.client.feed(told)
    await line.refused()
    await line.send(to)


async def test_history_makes_chats_known(line: Line) -> None:
    row = upsert(JID)["data"]
    line.client.feed({"event": "messages.set", "instance": "sales", "data": [row]})
    await line.refused()
    await line.send(NUMBER)


@pytest.mark.parametrize(
    "told",
    [
        upsert(JID, fromMe=True),  # written from the phone: whether it arrived is not known
        {**upsert(JID), "instance": "support"},
        update("SERVER_ACK"),
        update("READ", fromMe=False),
        update("READ", message={"editedMessage": {}}),
        {"event": "messages.upsert", "instance": "sales", "data": {"key": {"remoteJid": {}}}},
        {"event": "messages.upsert", "instance": "sales", "data": [1, None]},
        {"event": "messages.update", "instance": "sales", "data": {"keyId": {}, "status": []}},
        upsert("x" * 101),
    ],
)
async def test_what_proves_no_contact_makes_nobody_known(line: Line, told: Any) -> None:
    line.client.feed(told)
    await line.refused()
    with pytest.raises(NewContactsPausedError):
        await line.send(NUMBER)


@pytest.mark.parametrize("known", [[f"+{NUMBER}"], {JID}, ["551187654321"]])
async def test_known_contacts_are_told(stage: Stage, known: Any) -> None:
    line = Line(stage, known=known)
    await line.refused()
    await line.send(NUMBER)
    with pytest.raises(NewContactsPausedError):
        await line.send(STRANGERS[-1])


async def test_a_function_tells_known_contacts(stage: Stage) -> None:
    asked: list[tuple[str, str]] = []

    def known(instance: str, chat: str) -> bool:
        asked.append((instance, chat))
        if chat.startswith(STRANGERS[-1]):
            raise RuntimeError("its database is away")
        return chat == JID

    line = Line(stage, known=known)
    await line.refused()
    await line.send(NUMBER)
    assert ("sales", JID) in asked
    with pytest.raises(NewContactsPausedError):
        await line.send(STRANGERS[-1])


@pytest.mark.parametrize("known", ["5511987654321", 7, b"x"])
def test_what_names_no_contacts_is_refused(kit: Kit, known: Any) -> None:
    with pytest.raises(ConfigurationError, match="known_contacts"):
        kit.client(known_contacts=known)


async def test_a_reply_to_a_message_that_was_not_seen_here_goes_out(line: Line) -> None:
    """Such as one that a backfill or a durable inbox brought after a restart."""
    group = "120363000000000009@g.us"
    await line.refused()
    key = MessageKey(id="IN", remote_jid=JID, from_me=False)
    await line.stage.kit.run(line.client.messages.send_text(NUMBER, "oi", quoted=key))
    with pytest.raises(NewContactsPausedError):
        await line.send(STRANGERS[-1])
    # Neither an own message, nor somebody else's, nor an id alone proves contact.
    for told in (
        MessageKey(id="OUT", remote_jid=f"{STRANGERS[-1]}@s.whatsapp.net", from_me=True),
        MessageKey(id="IN", remote_jid=group, from_me=False),
        MessageKey(id="IN", remote_jid=JID, from_me=False),
        "IN",
    ):
        with pytest.raises(NewContactsPausedError):
            await line.stage.kit.run(
                line.client.messages.send_text(STRANGERS[-1], "oi", quoted=told)
            )


async def test_a_coroutine_function_cannot_tell_known_contacts(kit: Kit) -> None:
    async def known(_instance: str, _chat: str) -> bool:
        return False

    with pytest.raises(ConfigurationError, match="known_contacts"):
        kit.client(known_contacts=known)


# Which refusals count.


async def test_a_recipient_who_cannot_be_reached_pauses_nobody_else(line: Line) -> None:
    line.wrote(NUMBER)
    line.stage.fake.refuse_delivery("sales", NUMBER)
    for _ in range(5):
        await line.send(NUMBER)
    line.stage.fake.refuse_delivery("sales", code=None)
    await line.send(STRANGERS[-1])


async def test_refusals_that_a_backfill_tells_are_of_the_past(line: Line) -> None:
    for stranger in STRANGERS[:5]:
        told = update(keyId=f"old {stranger}", remoteJid=f"{stranger}@s.whatsapp.net")
        line.client.feed(parse_event(told, source="backfill"), verified=True)
    await line.send(STRANGERS[-1])


def test_a_name_of_absurd_length_is_not_remembered() -> None:
    contacts = Contacts(LidMap(10), lambda: 0.0)
    long = {**upsert(JID), "instance": "x" * 10_000}
    contacts.take(parse_event(long), verified=False)
    assert not contacts._chats
    assert not contacts._listening


async def test_events_that_nobody_vouches_for_count_for_own_messages_only(stage: Stage) -> None:
    line = Line(stage, verified=False)
    for stranger in STRANGERS:
        chat = f"{stranger}@s.whatsapp.net"
        line.client.feed(update(keyId=f"made up {stranger}", remoteJid=chat))
    await line.send(STRANGERS[-1])
    await line.refused()
    with pytest.raises(NewContactsPausedError):
        await line.send(STRANGERS[-1])


async def test_the_same_refusal_counts_once(line: Line) -> None:
    line.stage.fake.refuse_delivery("sales", STRANGERS[0])
    await line.send(STRANGERS[0])
    for _ in range(5):
        line.client.feed(line.stage.fake.events[-1], verified=True)
    await line.send(STRANGERS[-1])


@pytest.mark.parametrize(
    "foreign",
    [
        {"remoteJid": "5511000000000@s.whatsapp.net"},
        {"fromMe": False},
        {"message": {"editedMessage": {}}},
    ],
)
async def test_the_id_of_an_own_message_alone_proves_nothing(
    kit: Kit, foreign: dict[str, Any]
) -> None:
    client, limits = None, {**ON, "pause_after_refusals": 1}
    kit.stub.default = (201, record())
    client = kit.client(config=EvolutionConfig(URL, KEY, rate_limit=limits))
    await kit.run(client.messages.send_text(NUMBER, "Hello"))
    client.feed(update(**foreign), verified=True)
    await kit.run(client.messages.send_text(STRANGERS[0], "Hello"))
    client.feed(update())
    with pytest.raises(NewContactsPausedError):
        await kit.run(client.messages.send_text(STRANGERS[0], "Hello"))


async def test_a_refusal_may_overtake_the_answer(kit: Kit) -> None:
    limits = {**ON, "pause_after_refusals": 1}
    kit.stub.default = (201, record())
    client = kit.client(config=EvolutionConfig(URL, KEY, rate_limit=limits))
    client.feed(update())
    await kit.run(client.messages.send_text(NUMBER, "Hello"))
    with pytest.raises(NewContactsPausedError):
        await kit.run(client.messages.send_text(STRANGERS[0], "Hello"))


async def test_a_refusal_that_the_store_told_counts(kit: Kit) -> None:
    limits = {**ON, "pause_after_refusals": 1}
    kit.stub.default = (201, record())
    client = kit.client(config=EvolutionConfig(URL, KEY, rate_limit=limits))
    sent = await kit.run(client.messages.send_text(NUMBER, "Hello"))
    kit.stub.answer((200, [update()["data"]]))
    with pytest.raises(DeliveryRefusedError):
        await kit.run(sent.wait_until())
    with pytest.raises(NewContactsPausedError):
        await kit.run(client.messages.send_text(STRANGERS[0], "Hello"))


async def test_a_message_that_waits_its_turn_is_stopped_and_its_place_given_back(
    kit: Kit,
) -> None:
    limits = {**ON, "pause_after_refusals": 1, "enabled": True, "per_second": 1, "burst": 1}
    more = {"recipient_gap_ms": 0, "per_minute": 0, "jitter": 0, "daily_cap": 2}
    kit.stub.default = (201, record())
    client = kit.client(config=EvolutionConfig(URL, KEY, rate_limit={**limits, **more}))
    await kit.run(client.messages.send_text(NUMBER, "Hello"))

    def told_meanwhile(_seconds: float) -> None:
        client.feed(update())

    async def later(seconds: float) -> None:
        told_meanwhile(seconds)

    world_of(client).sleeping = later if kit.colour == "async" else told_meanwhile
    with pytest.raises(NewContactsPausedError):
        await kit.run(client.messages.send_text(STRANGERS[0], "Hello"))
    assert len(kit.stub.requests) == 1
    kit.time.now += 21_601
    client.feed(upsert(JID))
    await kit.run(client.messages.send_text(NUMBER, "Hello"))  # the second of two a day


# Typed.


def test_an_event_tells_the_refusal() -> None:
    event: Any = parse_event(update(messageStubParameters=["475"]))
    assert (event.refusal.code, event.refusal.reason_is_told) == (475, True)
    bare: Any = parse_event(update())
    assert (bare.refusal.code, bare.refusal.reason_is_told) == (None, False)
    delivered: Any = parse_event(update("READ", messageStubParameters=["475"]))
    assert delivered.refusal is None


WORDS = [JID, LID, "ERROR", "READ", "", "x@"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["key", "keyId", "id", "remoteJid", "fromMe", "status", "message"]),
            inner,
        )
    ),
    max_leaves=12,
)


@given(
    name=st.sampled_from(["messages.upsert", "messages.set", "messages.update", "call"]),
    instance=JSON,
    data=JSON,
    verified=st.booleans(),
)
def test_nothing_that_is_told_raises(name: str, instance: Any, data: Any, verified: bool) -> None:
    contacts = Contacts(LidMap(10), lambda: 0.0, NewContactPause(RateLimitConfig()))
    contacts.sent("sales", SimpleNamespace(id=JID, key=SimpleNamespace(remote_jid=JID)))
    event = SimpleNamespace(event=name, instance=instance, raw={"event": name, "data": data})
    contacts.take(event, verified=verified)
    contacts.take(SimpleNamespace(event=name, instance=instance, raw=data), verified=verified)
    assert contacts.knows("sales", ["120363000000000009@g.us"])
