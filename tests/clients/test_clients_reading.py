"""Reading the server's store, while it changes."""

from __future__ import annotations

import inspect
import random
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evolution_sdk import Jid
from evolution_sdk.errors import RequestValidationError

from .fake_stage import BAILEYS, CHANNELS, EVOLUTION, JID, NUMBER, Stage

OTHER = "5511900000001"
OTHER_JID = f"{OTHER}@s.whatsapp.net"
PATH = "/chat/findMessages/sales"
LID = "99887766554433@lid"


def at(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, tz=UTC)


def receive(stage: Stage, text: str, from_: str = NUMBER) -> str:
    return stage.fake.receive_text("sales", from_=from_, text=text)


def remove(stage: Stage, key_id: str) -> None:
    instance = stage.fake.instances["sales"]
    row = instance.message(key_id)
    assert row is not None
    instance.remove_message(row)


# One page


async def test_find_messages_filters_and_pages(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client()
    mine = await stage.kit.run(client.messages.send_text(NUMBER, "minha"))
    picture = await stage.kit.run(client.messages.send_media(OTHER, b"\x89PNG\r\n\x1a\n...."))
    stage.kit.time.now += 60
    later = [receive(stage, f"dela {i}") for i in range(5)]

    async def found(**filters: Any) -> list[str]:
        page = await stage.kit.run(client.chats.find_messages(**filters))
        return [message.id for message in page.records]

    assert set(await found()) == {mine.id, picture.id, *later}
    assert set(await found(remote_jid=JID)) == {mine.id, *later}
    assert await found(remote_jid=Jid.parse(OTHER_JID)) == [picture.id]
    assert await found(message_id=later[2]) == [later[2]]
    assert set(await found(from_me=True)) == {mine.id, picture.id}
    assert await found(message_type="imageMessage") == [picture.id]
    assert set(await found(source="web")) == {mine.id, picture.id}
    half = at(stage.kit.time.now - 30)
    assert set(await found(since=half)) == set(later)
    assert set(await found(until=half)) == {mine.id, picture.id}
    assert await found(since=half, until=half + timedelta(seconds=5)) == []

    page = await stage.kit.run(client.chats.find_messages(page_size=3, page=2))
    assert (page.total, page.pages, page.current_page) == (7, 3, 2)
    assert len(page.records) == 3


async def test_find_messages_by_group_member(stage: Stage) -> None:
    stage.open_instance()
    group = "120363000000000001@g.us"
    stage.fake.groups.add(group, participants=[JID, OTHER_JID])
    for author in (JID, OTHER_JID, JID):
        stage.fake.receive_text("sales", from_=group, text="oi", participant=author)
    chats = stage.client().chats
    page = await stage.kit.run(chats.find_messages(remote_jid=group, participant=JID))
    assert [message.key.participant for message in page.records] == [JID, JID]
    assert {message.text for message in page.records} == {"oi"}


@pytest.mark.parametrize(
    "call",
    [
        lambda c: c.find_messages(since=datetime(2026, 1, 1)),
        lambda c: c.find_messages(page=0),
        lambda c: c.find_messages(page_size=0),
        lambda c: c.find(until=datetime(2026, 1, 1)),
        lambda c: c.find(take=-1),
        lambda c: c.find_contacts(page=2),
        lambda c: c.find_status_message(page_size=-1),
        lambda c: c.iter_messages(until=datetime(2026, 1, 1)),
        lambda c: c.iter_messages(page_size=0),
    ],
)
async def test_what_the_server_would_misread_is_refused_here(stage: Stage, call: Any) -> None:
    stage.open_instance()

    async def make() -> None:
        result = call(stage.client().chats)
        await (stage.kit.run if inspect.iscoroutine(result) else stage.kit.collect)(result)

    with pytest.raises(RequestValidationError):
        await make()
    assert stage.arrived == []


# Going through all


def a_long_history(stage: Stage, seed: int) -> list[str]:
    """Some 300 messages: many seconds with several, two of them with more than a page."""
    dice = random.Random(seed)
    ids: list[str] = []
    crowded = dice.sample(range(80), 2)
    for second in range(80):
        for _ in range(25 if second in crowded else dice.randint(0, 7)):
            ids.append(receive(stage, f"mensagem {len(ids)}"))
        stage.kit.time.now += 1
    return ids


@pytest.mark.parametrize("page_size", [1, 7, 100])
async def test_every_message_once_newest_first(stage: Stage, page_size: int) -> None:
    stage.open_instance()
    ids = a_long_history(stage, seed=1)
    seen = await stage.kit.collect(stage.client().chats.iter_messages(page_size=page_size))
    assert sorted(message.id for message in seen) == sorted(ids)
    times = [message.timestamp for message in seen]
    assert times == sorted(times, reverse=True)


@pytest.mark.parametrize("seed", range(6))
async def test_paging_is_not_confused_by_new_messages(stage: Stage, seed: int) -> None:
    stage.open_instance()
    ids = a_long_history(stage, seed)

    def before(_: str, target: str) -> None:
        if target == PATH:
            for i in range(3):
                receive(stage, f"nova {i}")

    stage.before = before  # type: ignore[method-assign]  # made to be replaced
    seen = await stage.kit.collect(stage.client().chats.iter_messages(page_size=7))
    found = [message.id for message in seen]
    assert len(found) == len(set(found))
    assert set(ids) <= set(found)


@pytest.mark.parametrize("seed", range(6))
async def test_paging_is_not_confused_by_new_and_deleted_messages(stage: Stage, seed: int) -> None:
    stage.open_instance()
    staying = set(a_long_history(stage, seed))
    dice = random.Random(seed)

    def before(_: str, target: str) -> None:
        if target != PATH:
            return
        for gone in dice.sample(sorted(staying), 2):
            remove(stage, gone)
            staying.discard(gone)
        receive(stage, "nova")
        stage.kit.time.now += 0.3

    stage.before = before  # type: ignore[method-assign]  # made to be replaced
    seen = await stage.kit.collect(stage.client().chats.iter_messages(page_size=7))
    found = [message.id for message in seen]
    assert len(found) == len(set(found))
    assert staying <= set(found)
    assert len(staying) > 150


async def test_deletions_within_one_crowded_second_lose_nothing(stage: Stage) -> None:
    stage.open_instance()
    ids = [receive(stage, f"rajada {i}") for i in range(40)]
    seen: list[str] = []

    def before(_: str, target: str) -> None:
        if target == PATH and len(stage.arrived) > 1 and ids:
            remove(stage, ids.pop(0))

    stage.before = before  # type: ignore[method-assign]  # made to be replaced
    for message in await stage.kit.collect(stage.client().chats.iter_messages(page_size=7)):
        seen.append(message.id)
    assert len(seen) == len(set(seen))
    assert set(ids) <= set(seen)


async def test_iter_messages_filters(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client()
    begun = stage.kit.time.now
    expected: dict[str, list[str]] = {"mine": [], "theirs": [], "other": []}
    for i in range(12):
        expected["theirs"].append(receive(stage, f"dela {i}"))
        sent = await stage.kit.run(client.messages.send_text(NUMBER, f"minha {i}"))
        expected["mine"].append(sent.id)
        expected["other"].append(receive(stage, f"de outro {i}", from_=OTHER))
        stage.kit.time.now += 10

    async def found(**filters: Any) -> set[str]:
        items = await stage.kit.collect(client.chats.iter_messages(page_size=5, **filters))
        assert len({item.id for item in items}) == len(items)
        return {item.id for item in items}

    mine, theirs, other = (set(expected[who]) for who in ("mine", "theirs", "other"))
    assert await found() == mine | theirs | other
    assert await found(from_me=False) == theirs | other
    assert await found(from_me=True) == mine
    assert await found(remote_jid=JID, from_me=False) == theirs
    assert await found(remote_jid=OTHER_JID) == other
    assert await found(message_type="imageMessage") == set()
    recent = {ids[i] for ids in expected.values() for i in range(6, 12)}
    assert await found(since=at(begun + 60)) == recent
    assert await found(until=at(begun + 59)) == (mine | theirs | other) - recent
    assert await found(since=at(begun + 60), until=at(begun + 69)) == {
        ids[6] for ids in expected.values()
    }


async def test_iter_messages_reads_page_by_page_and_stops_when_told(stage: Stage) -> None:
    stage.open_instance()
    for i in range(30):
        receive(stage, f"mensagem {i}")
        stage.kit.time.now += 1
    items = stage.client().chats.iter_messages(page_size=10)
    first = await anext(items) if stage.kit.colour == "async" else next(items)
    assert first.text == "mensagem 29"
    assert len(stage.arrived) == 1
    await (items.aclose() if stage.kit.colour == "async" else stage.kit.run(items.close()))


def a_person_under_two_ids(stage: Stage, version: str, seed: int) -> list[str]:
    """Some 90 messages of one person, under the hidden id and the phone; and some of another."""
    stage.new_fake(version=version)
    stage.open_instance()
    stage.fake.set_lid(NUMBER, LID)
    dice = random.Random(seed)
    ids: list[str] = []
    for second in range(40):
        for _ in range(dice.choice((0, 1, 2, 9))):
            from_ = dice.choice((NUMBER, LID))
            ids.append(receive(stage, f"mensagem {len(ids)}", from_=from_))
        receive(stage, f"de outro {second}", from_=OTHER)
        stage.kit.time.now += 1
    return ids


@pytest.mark.parametrize("chat", [JID, LID])
@pytest.mark.parametrize("version", ["2.2.3", "2.3.6", "2.3.7", "2.4-pre"])
async def test_a_person_is_read_under_both_ids(stage: Stage, version: str, chat: str) -> None:
    """Rows keep the hidden id where events say the phone (`facts/versions/baileys.md`)."""
    ids = a_person_under_two_ids(stage, version, seed=3)
    client = stage.client()
    event = {"key": {"remoteJid": LID, "remoteJidAlt": JID, "id": "E1", "fromMe": False}}
    told = {"event": "messages.upsert", "instance": "sales", "data": event}
    client.feed(told, verified=True)
    for page_size in (3, 100):
        seen = await stage.kit.collect(
            client.chats.iter_messages(remote_jid=chat, page_size=page_size)
        )
        assert sorted(message.id for message in seen) == sorted(ids)
        times = [message.timestamp for message in seen]
        assert times == sorted(times, reverse=True)
        assert {message.remote_jid for message in seen} == {JID, LID}


@pytest.mark.parametrize("verified", [False, None])
@pytest.mark.parametrize("version", ["2.3.6", "2.3.7", "2.4-pre"])
async def test_rows_that_name_both_ids_are_enough(
    stage: Stage, version: str, verified: bool | None
) -> None:
    """By the filter, or by what the first page tells (2.3.6); nobody's word is taken for it."""
    ids = a_person_under_two_ids(stage, version, seed=4)
    client = stage.client()
    if verified is not None:
        event = {"key": {"remoteJid": LID, "remoteJidAlt": OTHER_JID, "id": "E1", "fromMe": False}}
        told = {"event": "messages.upsert", "instance": "sales", "data": event}
        client.feed(told, verified=verified)
    seen = await stage.kit.collect(client.chats.iter_messages(remote_jid=JID, page_size=5))
    assert sorted(message.id for message in seen) == sorted(ids)


@pytest.mark.parametrize("version", ["2.3.7", "2.4-pre"])
async def test_an_answer_that_is_stored_under_an_unknown_hidden_id_is_found(
    stage: Stage, version: str
) -> None:
    stage.new_fake(version=version)
    stage.open_instance()
    stage.fake.set_lid(NUMBER, LID)
    client = stage.client()
    sent = await stage.kit.run(client.messages.send_text(NUMBER, "tudo bem?"))
    stage.kit.time.now += 5
    answer = receive(stage, "tudo", from_=LID)
    reply = await stage.kit.run(sent.wait_for_reply(timeout_ms=5_000))
    assert (reply.id, reply.text, reply.message.remote_jid) == (answer, "tudo", LID)


async def test_a_chat_of_which_the_other_id_is_unknown_is_asked_once(stage: Stage) -> None:
    stage.new_fake(version="2.3.6")
    stage.open_instance()
    mine = receive(stage, "oi")
    receive(stage, "do oculto", from_=LID)
    client = stage.client()
    seen = await stage.kit.collect(client.chats.iter_messages(remote_jid=JID))
    assert [message.id for message in seen] == [mine]
    group = await stage.kit.collect(client.chats.iter_messages(remote_jid="12036@g.us"))
    assert group == []
    asked = [one.json["where"]["key"] for one in stage.arrived if one.path == PATH]
    assert asked == [{"remoteJid": JID, "remoteJidAlt": JID}, {"remoteJid": "12036@g.us"}]


@pytest.mark.parametrize("channel", CHANNELS)
async def test_own_messages_are_found_on_every_channel(stage: Stage, channel: str) -> None:
    stage.open_instance(channel)
    client = stage.client()
    sent = [
        await stage.kit.run(client.messages.send_text(NUMBER, f"mensagem {i}")) for i in range(9)
    ]
    seen = await stage.kit.collect(
        client.chats.iter_messages(remote_jid=sent[0].remote_jid, from_me=True, page_size=2)
    )
    assert {message.id: message.text for message in seen} == {
        message.id: f"mensagem {i}" for i, message in enumerate(sent)
    }


async def test_a_server_that_stores_nothing_has_nothing(stage: Stage) -> None:
    stage.new_fake(store_messages=False)
    stage.open_instance(BAILEYS)
    client = stage.client()
    await stage.kit.run(client.messages.send_text(NUMBER, "oi"))
    page = await stage.kit.run(client.chats.find_messages())
    assert (page.total, page.records) == (0, ())
    assert await stage.kit.collect(client.chats.iter_messages()) == []
    assert await stage.kit.run(client.chats.find()) == []


# Statuses, contacts, chats


async def test_statuses_of_a_message(stage: Stage) -> None:
    stage.open_instance()
    client = stage.client()
    sent = await stage.kit.run(client.messages.send_text(NUMBER, "oi"))
    other = await stage.kit.run(client.messages.send_text(OTHER, "oi"))
    for status in ("READ", "SERVER_ACK", "DELIVERY_ACK"):
        stage.fake.deliver(sent.id, status)
    stage.fake.deliver(other.id, "SERVER_ACK")
    updates = await stage.kit.run(client.chats.find_status_message(message_id=sent.id))
    assert {update.key_id for update in updates} == {sent.id}
    assert max(updates, key=lambda update: update.status.rank).status == "READ"
    by_chat = await stage.kit.run(client.chats.find_status_message(remote_jid=OTHER_JID))
    assert [update.key_id for update in by_chat] == [other.id]
    pages = [
        await stage.kit.run(client.chats.find_status_message(page=page, page_size=3))
        for page in (1, 2)
    ]
    assert [len(page) for page in pages] == [3, 1]
    page = await stage.kit.run(client.chats.find_messages(message_id=sent.id))
    (stored,) = page.records
    assert stored.latest_status == "READ"


async def test_statuses_are_missing_when_the_server_does_not_keep_them(stage: Stage) -> None:
    stage.new_fake(store_message_updates=False)
    stage.open_instance()
    client = stage.client()
    sent = await stage.kit.run(client.messages.send_text(NUMBER, "oi"))
    stage.fake.deliver(sent.id, "READ")
    assert await stage.kit.run(client.chats.find_status_message(message_id=sent.id)) == []


async def test_contacts(stage: Stage) -> None:
    stage.open_instance()
    for i in range(7):
        stage.fake.add_contact("sales", f"551191111000{i}", f"Contato {i}")
    chats = stage.client().chats
    assert len(await stage.kit.run(chats.find_contacts())) == 7
    (one,) = await stage.kit.run(chats.find_contacts(remote_jid="5511911110003@s.whatsapp.net"))
    assert one.push_name == "Contato 3"
    pages = [
        await stage.kit.run(chats.find_contacts(page=page, page_size=3)) for page in (1, 2, 3, 4)
    ]
    assert [len(page) for page in pages] == [3, 3, 1, 0]
    assert len({contact.remote_jid for page in pages for contact in page}) == 7


async def test_chats_by_last_activity(stage: Stage) -> None:
    stage.open_instance()
    numbers = [f"551191111000{i}" for i in range(5)]
    for number in numbers:
        receive(stage, "oi", from_=number)
        stage.kit.time.now += 60
    chats = stage.client().chats
    newest_first = [f"{number}@s.whatsapp.net" for number in reversed(numbers)]

    async def jids(**filters: Any) -> list[str]:
        return [chat.remote_jid for chat in await stage.kit.run(chats.find(**filters))]

    assert await jids() == newest_first
    assert await jids(take=2, skip=1) == newest_first[1:3]
    assert await jids(remote_jid=newest_first[3]) == [newest_first[3]]
    assert await jids(since=at(stage.kit.time.now - 125)) == newest_first[:2]
    assert await jids(until=at(stage.kit.time.now - 125)) == newest_first[2:]


async def test_a_chats_own_row_or_none(stage: Stage) -> None:
    stage.open_instance()
    receive(stage, "oi")
    chats = stage.client().chats
    row = await stage.kit.run(chats.find_by_remote_jid(Jid.parse(JID)))
    assert row is not None
    assert row.remote_jid == JID
    assert await stage.kit.run(chats.find_by_remote_jid(OTHER_JID)) is None


async def test_settings_round_trip(stage: Stage) -> None:
    stage.open_instance(EVOLUTION)
    client = stage.client()
    switches = {
        "reject_call": True, "groups_ignore": False, "always_online": True,
        "read_messages": False, "read_status": True, "sync_full_history": False,
    }  # fmt: skip
    await stage.kit.run(client.settings.set(**switches, msg_call="agora não"))
    stored = await stage.kit.run(client.settings.find())
    assert {name: getattr(stored, name) for name in switches} == switches
    assert stored.msg_call == "agora não"
