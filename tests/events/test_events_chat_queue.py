"""Order per chat, whatever the interleaving; nothing lost and nothing twice."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk.events import parse_event
from evolution_sdk.events._chat_queue import ChatQueue, order_key
from evolution_sdk.events._recent_keys import RecentKeys
from evolution_sdk.streams._chat_turns import ChatTurns


@given(
    st.lists(st.tuples(st.sampled_from("abc"), st.integers(0, 3)), max_size=60),
    st.randoms(use_true_random=False),
)
def test_order_within_a_lane_and_never_two_at_once(
    todo: list[tuple[str, int]], chance: object
) -> None:
    queue: ChatQueue[tuple[str, int]] = ChatQueue()
    running: list[str] = []
    taken: list[tuple[str, int]] = []
    put = 0
    while put < len(todo) or not queue.idle:
        choice = chance.random()  # type: ignore[attr-defined]  # random.Random of hypothesis
        if put < len(todo) and choice < 0.4:
            queue.put(todo[put][0], (todo[put][0], put))
            put += 1
        elif running and choice < 0.7:
            queue.done(running.pop(int(chance.random() * len(running))))  # type: ignore[attr-defined]  # as above
        elif (found := queue.take()) is not None:
            assert found[0] not in running
            running.append(found[0])
            taken.append(found[1])
    assert len(taken) == len(todo)
    for lane in "abc":
        numbers = [number for name, number in taken if name == lane]
        assert numbers == sorted(numbers)
    assert queue.depth == queue.busy == 0


def test_a_busy_chat_does_not_hold_up_others() -> None:
    queue: ChatQueue[int] = ChatQueue()
    for number, key in enumerate("aab"):
        queue.put(key, number)
    assert [queue.take(), queue.take(), queue.take()] == [("a", 0), ("b", 2), None]
    queue.done("a")
    assert queue.take() == ("a", 1)


def test_what_belongs_together_has_one_key() -> None:
    def key(name: str, data: object, instance: str = "x") -> str:
        return order_key(parse_event({"event": name, "instance": instance, "data": data}))

    upsert = {"key": {"id": "1", "remoteJid": "5511:3@s.whatsapp.net"}}
    status = {"keyId": "1", "remoteJid": "5511@s.whatsapp.net", "status": "READ"}
    assert key("messages.upsert", upsert) == key("messages.update", status)
    assert key("messages.upsert", upsert) != key("messages.upsert", upsert, "y")
    assert key("connection.update", {"state": "open"}) != key("contacts.update", [])


async def test_turns_are_given_in_order_and_a_cancelled_one_passes_its_turn_on() -> None:
    turns, log = ChatTurns(), []
    may_end = {name: asyncio.Event() for name in "abcd"}

    async def visit(name: str, chat: str = "chat") -> None:
        async with turns.turn(chat):
            log.append(name)
            await may_end[name].wait()

    tasks = {name: asyncio.create_task(visit(name)) for name in "abc"}
    other = asyncio.create_task(visit("d", "another chat"))
    await asyncio.sleep(0)
    assert log == ["a", "d"]
    tasks["b"].cancel()  # while it waits
    may_end["a"].set()
    await asyncio.gather(tasks["a"], tasks["b"], return_exceptions=True)
    await asyncio.sleep(0)
    assert log == ["a", "d", "c"]
    tasks["c"].cancel()  # while it has the turn
    may_end["d"].set()
    await asyncio.gather(tasks["c"], other, return_exceptions=True)
    assert turns.idle


async def test_a_turn_that_is_cancelled_in_the_moment_of_being_given_is_given_back() -> None:
    turns, log = ChatTurns(), []
    first_may_end = asyncio.Event()

    async def first() -> None:
        async with turns.turn("chat"):
            await first_may_end.wait()
            # The turn goes to the second one now, which is cancelled before it can go on.
            asyncio.get_running_loop().call_soon(second.cancel)

    async def visit(name: str) -> None:
        async with turns.turn("chat"):
            log.append(name)

    one = asyncio.create_task(first())
    await asyncio.sleep(0)
    second = asyncio.create_task(visit("second"))
    third = asyncio.create_task(visit("third"))
    await asyncio.sleep(0)
    first_may_end.set()
    await asyncio.gather(one, second, third, return_exceptions=True)
    assert second.cancelled()
    assert log == ["third"]
    assert turns.idle


def test_keys_are_kept_for_a_time_and_up_to_a_number() -> None:
    now = 100.0
    keys = RecentKeys(3, keep_s=10, clock=lambda: now)
    for key in "abcd":
        keys.add(key)
    assert [keys.seen(key) for key in "abcd"] == [False, True, True, True]
    now = 110.0
    assert not any(keys.seen(key) for key in "abcd"), "as old as they may not be"
    keys.add("e")
    assert len(keys) == 1, "the old ones take no room"
    now = 119.9
    assert keys.seen("e")
