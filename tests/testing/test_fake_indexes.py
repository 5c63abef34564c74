"""The fake finds what it is asked for by indexes, and finds the same as a scan would."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import MagicMock

import pytest

from evolution_sdk.testing import FakeClock, FakeEvolution
from evolution_sdk.testing.fake import state, statuses
from evolution_sdk.testing.fake.growing_index import GrowingIndex
from evolution_sdk.testing.fake.message_table import MessageRow, MessageTable
from evolution_sdk.testing.fake.numbers import create_jid

HEADERS = {"apikey": "test-api-key", "content-type": "application/json"}
CHATS = [f"551190000000{n}@s.whatsapp.net" for n in range(3)]


def ask(fake: FakeEvolution, route: str, body: object) -> Any:
    reply = fake.kernel.handle("POST", f"{route}/sales", HEADERS, json.dumps(body).encode())
    assert reply.body is not None
    return json.loads(reply.body)


@pytest.fixture
def fake() -> FakeEvolution:
    fake = FakeEvolution(clock=FakeClock())
    fake.create_instance("sales", state="open")
    for number in range(50):
        ask(fake, "/message/sendText", {"number": f"5531900000{number:03}", "text": "oi"})
    return fake


class Watched(list[Any]):
    """A list that counts the items that are visited one by one."""

    visited = 0

    def __iter__(self) -> Iterator[Any]:
        for item in super().__iter__():
            self.visited += 1
            yield item


def test_sends_to_a_number_are_looked_up(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = MagicMock(wraps=create_jid)
    monkeypatch.setattr(state, "create_jid", made)
    assert len(fake.sent_to("5531900000007")) == 1
    made.reset_mock()
    ask(fake, "/message/sendText", {"number": "5531900000007", "text": "de novo"})
    assert [sent.text for sent in fake.sent_to("+55 31 90000-0007")] == ["oi", "de novo"]
    assert made.call_count == 2  # the question, and the send that is new
    fake.reset()
    assert fake.sent_to("5531900000007") == []


def test_only_what_may_move_is_looked_at(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert [fake.advance() for _ in range(4)] == [50, 50, 50, 0]
    deliver = MagicMock(wraps=statuses.deliver)
    monkeypatch.setattr(statuses, "deliver", deliver)
    table, visited = fake.instances["sales"].table, 0
    moving = table.moving

    def counted(finished: Callable[[MessageRow], bool]) -> Iterator[MessageRow]:
        def visit(row: MessageRow) -> bool:
            nonlocal visited
            visited += 1
            return finished(row)

        return moving(visit)

    monkeypatch.setattr(table, "moving", counted)
    ask(fake, "/message/sendText", {"number": "5531900000007", "text": "de novo"})
    assert fake.advance() == 1
    assert (visited, deliver.call_count) == (1, 1)


def test_a_message_is_found_by_its_id_without_a_scan(
    fake: FakeEvolution, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake.advance()
    instance, wanted = fake.instances["sales"], fake.sent[30].key_id
    instance.updates = Watched(instance.updates)
    monkeypatch.setattr(MessageTable, "newest_first", None)  # a scan would fail
    found = ask(fake, "/chat/findMessages", {"where": {"key": {"id": wanted}}})
    assert [one["key"]["id"] for one in found["messages"]["records"]] == [wanted]
    where = {"where": {"id": wanted}}
    first = ask(fake, "/chat/findStatusMessage", where)
    instance.updates.visited = 0
    assert ask(fake, "/chat/findStatusMessage", where) == first != []
    assert instance.updates.visited == 0


def row(chance: random.Random, number: int) -> MessageRow:
    key = {"id": f"K{number}", "remoteJid": chance.choice(CHATS), "fromMe": chance.random() < 0.5}
    at = 1_767_225_600 + chance.randrange(20)
    return MessageRow(f"R{number}", key, None, "conversation", {"conversation": "x"}, at, "web")


@pytest.mark.parametrize("seed", range(8))
def test_it_finds_what_a_scan_finds(seed: int) -> None:
    """Also after rows were changed, moved in time, held back and deleted."""
    chance = random.Random(seed)
    table = MessageTable()
    for number in range(60):
        table.add(row(chance, number))
        if chance.random() < 0.3:
            one = chance.choice(table.rows)
            match chance.randrange(3):
                case 0:
                    one.timestamp = 1_767_225_600 + chance.randrange(20)
                case 1:
                    one.visible_at_ms = chance.choice([0.0, 500.0, 2_000.0])
                case _:
                    table.remove(one)
        for now_ms in (1_000.0, 3_000.0) if number == 59 else (1_000.0,):
            for chat in (None, *CHATS):
                for window in (None, (1_767_225_605, 1_767_225_612)):
                    low, high = window or (0, 2**40)
                    scanned = [
                        one
                        for one in table.rows
                        if one.visible_at_ms <= now_ms
                        and chat in (None, one.key["remoteJid"])
                        and low <= one.timestamp <= high
                    ]
                    scanned.sort(key=lambda one: -one.timestamp)
                    found = [one for _, _, one in table.newest_first(now_ms, chat, window)]
                    assert [one.id for one in found] == [one.id for one in scanned]
                    if chat is not None:
                        newest = None
                        for one in sorted(scanned, key=lambda one: one.place):
                            if newest is None or one.timestamp >= newest.timestamp:
                                newest = one
                        assert table.last(now_ms, chat, window) is newest
    assert all(table.by_key(one.key["id"]) == [one] for one in table.rows)


def test_a_list_that_is_replaced_or_cut_is_indexed_anew() -> None:
    index: GrowingIndex[str] = GrowingIndex(lambda word: word[:1])
    words = ["apple", "bean"]
    assert index.find(words, "a") == ["apple"]
    words.append("avocado")
    assert index.find(words, "a") == ["apple", "avocado"]
    del words[1:]
    assert index.find(words, "a") == ["apple"]
    assert index.find(["another"], "a") == ["another"]
    assert index.find(["another"], "z") == []
