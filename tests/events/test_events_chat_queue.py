"""Order per chat, whatever the interleaving; nothing lost and nothing twice."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from evolution_sdk.events import parse_event
from evolution_sdk.events._chat_queue import ChatQueue, order_key


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
