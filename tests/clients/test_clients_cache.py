"""The cache of a client: what is kept, for how long, and one request for all who ask at once."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from evolution_sdk import ConfigurationError, EvolutionConfig, RequestValidationError
from evolution_sdk._base.request import Request, Response
from evolution_sdk.errors import ClientClosedError, ConnectionFailedError, Phase

from .conftest import KEY, URL, Kit, until, world_of

GROUP = "120363000000000000@g.us"
INFO = {"id": GROUP, "subject": "Team", "participants": []}
ANN, BOB, EVE = "5511987654321", "5511987654322", "5511987654323"
ACK = {"update": "success"}


def check(number: str, *, exists: bool = True) -> dict[str, Any]:
    return {"jid": f"{number}@s.whatsapp.net", "exists": exists, "number": number}


def client_of(kit: Kit, **cache: Any) -> Any:
    values = {"enabled": True, **cache}
    return kit.client(config=EvolutionConfig(URL, KEY, cache=values))


def asked(kit: Kit) -> list[Any]:
    """The bodies of the requests since last asked."""
    bodies = [json.loads(r.content) if r.content else r.url for r in kit.stub.requests]
    kit.stub.requests.clear()
    return bodies


def numbers_of(answers: Any) -> dict[str, bool]:
    return {answer.number: answer.exists for answer in answers}


async def test_it_is_off_by_default(kit: Kit) -> None:
    kit.stub.default = (200, INFO)
    client = kit.client()
    for _ in range(2):
        await kit.run(client.groups.find_info(GROUP))
    assert len(kit.stub.requests) == 2
    client.cache_clear()


async def test_a_group_is_kept_and_asked_anew_in_time(kit: Kit) -> None:
    client = client_of(kit, groups_ttl_ms=60_000)
    kit.stub.default = (200, INFO)
    first = await kit.run(client.groups.find_info(GROUP))
    again = await kit.run(client.groups.find_info(GROUP.removesuffix("@g.us")))
    assert first == again
    assert len(asked(kit)) == 1
    kit.time.now += 60
    await kit.run(client.groups.find_info(GROUP))
    assert len(asked(kit)) == 1


async def test_a_picture_is_kept_and_a_missing_one_for_less_long(kit: Kit) -> None:
    client = client_of(kit, pictures_ttl_ms=60_000, negative_ttl_ms=5_000)
    for url, ttl_s in (("https://pps.example/1", 60), (None, 5)):
        client.cache_clear()
        kit.stub.default = (200, {"wuid": "1", "profilePictureUrl": url})
        for pause in (0, ttl_s - 0.5, 0.5):
            kit.time.now += pause
            picture = await kit.run(client.chats.fetch_profile_picture_url(ANN))
            assert picture.profile_picture_url == url
        assert len(asked(kit)) == 2


async def test_only_unknown_numbers_are_asked_for(kit: Kit) -> None:
    client = client_of(kit, numbers_ttl_ms=60_000, negative_ttl_ms=5_000)
    kit.stub.answer((200, [check(BOB, exists=False), check(ANN)]))
    found = await kit.run(client.chats.check_whatsapp_numbers([ANN, BOB]))
    assert numbers_of(found) == {ANN: True, BOB: False}
    kit.stub.answer((200, [check(EVE)]))
    found = await kit.run(client.chats.check_whatsapp_numbers([ANN, EVE, BOB]))
    assert numbers_of(found) == {ANN: True, BOB: False, EVE: True}
    assert asked(kit) == [{"numbers": [ANN, BOB]}, {"numbers": [EVE]}]
    found = await kit.run(client.chats.check_whatsapp_numbers([EVE, ANN]))
    assert numbers_of(found) == {ANN: True, EVE: True}
    assert asked(kit) == []
    kit.time.now += 5
    kit.stub.answer((200, [check(BOB)]))
    found = await kit.run(client.chats.check_whatsapp_numbers([ANN, BOB]))
    assert numbers_of(found) == {ANN: True, BOB: True}
    assert asked(kit) == [{"numbers": [BOB]}]


async def test_an_answer_about_another_number_is_passed_on_but_not_kept(kit: Kit) -> None:
    client = client_of(kit)
    kit.stub.default = (200, [check(EVE)])
    for _ in range(2):
        found = await kit.run(client.chats.check_whatsapp_numbers([ANN]))
        assert numbers_of(found) == {EVE: True}
    assert len(asked(kit)) == 2


async def test_instances_are_kept_apart(kit: Kit) -> None:
    client = client_of(kit)
    kit.stub.default = (200, INFO)
    await kit.run(client.groups.find_info(GROUP))
    await kit.run(client.instance("other").groups.find_info(GROUP))
    assert len(asked(kit)) == 2


CACHED: dict[str, tuple[Callable[[Any, Any], Any], Any]] = {
    "numbers": (lambda c, o: c.chats.check_whatsapp_numbers([ANN], **o), [check(ANN)]),
    "group": (lambda c, o: c.groups.find_info(GROUP, **o), INFO),
    "picture": (
        lambda c, o: c.chats.fetch_profile_picture_url(ANN, **o),
        {"wuid": "1", "profilePictureUrl": "https://pps.example/1"},
    ),
}


@pytest.mark.parametrize("name", CACHED)
async def test_a_call_may_ask_for_a_fresh_answer_which_is_kept(kit: Kit, name: str) -> None:
    call, answer = CACHED[name]
    client = client_of(kit)
    kit.stub.default = (200, answer)
    for options, requests in (({}, 1), ({"cache": True}, 1), ({"cache": False}, 2), ({}, 2)):
        await kit.run(call(client, options))
        assert len(kit.stub.requests) == requests
    client.cache_clear()
    await kit.run(call(client, {"cache": False}))
    await kit.run(call(client, {}))
    assert len(kit.stub.requests) == 3


@pytest.mark.parametrize("name", CACHED)
async def test_a_wrong_option_is_refused_even_when_the_answer_is_kept(kit: Kit, name: str) -> None:
    call, answer = CACHED[name]
    client = client_of(kit)
    kit.stub.default = (200, answer)
    await kit.run(call(client, {}))
    with pytest.raises(TypeError, match="takes no option 'cahce'"):
        await kit.run(call(client, {"cahce": False}))
    with pytest.raises(RequestValidationError, match="cache"):
        await kit.run(call(client, {"cache": "no"}))
    await kit.run(client.close())
    with pytest.raises(ClientClosedError):
        await kit.run(call(client, {}))


async def test_other_calls_take_no_such_option(kit: Kit) -> None:
    for call in (
        lambda c: c.chats.find(cache=False),
        lambda c: c.groups.fetch_all(cache=False),
        lambda c: c.messages.send_text(ANN, "x", cache=False),
    ):
        with pytest.raises(TypeError, match="takes no option 'cache'"):
            await kit.run(call(client_of(kit)))


@pytest.mark.parametrize(
    "change",
    [
        lambda g: g.update_subject(GROUP, "New"),
        lambda g: g.update_participants(GROUP, "add", [ANN]),
        lambda g: g.update_setting(GROUP, "locked"),
        lambda g: g.leave(GROUP),
    ],
)
@pytest.mark.parametrize("succeeds", [True, False])
async def test_a_change_through_this_client_forgets_the_group(
    kit: Kit, change: Any, succeeds: bool
) -> None:
    client = client_of(kit)
    kit.stub.default = (200, INFO)
    other = "120363000000000001@g.us"
    await kit.run(client.groups.find_info(GROUP))
    await kit.run(client.groups.find_info(other))
    kit.stub.default = (200, ACK) if succeeds else ConnectionFailedError("x", phase=Phase.UNKNOWN)
    try:
        await kit.run(change(client.groups))
    except ConnectionFailedError:
        assert not succeeds
    kit.stub.default = (200, INFO)
    kit.stub.requests.clear()
    await kit.run(client.groups.find_info(other))
    assert asked(kit) == []
    await kit.run(client.groups.find_info(GROUP))
    assert len(asked(kit)) == 1


async def test_an_error_is_not_kept(kit: Kit) -> None:
    client = client_of(kit)
    kit.stub.answer(ConnectionFailedError("x", phase=Phase.NOT_SENT), (200, INFO))
    with pytest.raises(ConnectionFailedError):
        await kit.run(client.groups.find_info(GROUP, retry=False))
    assert (await kit.run(client.groups.find_info(GROUP))).subject == "Team"


async def test_without_the_extra_it_says_what_to_install(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cachetools", None)
    with pytest.raises(ConfigurationError, match=r"evolutionapi-sdk\[cache\]"):
        client_of(kit)


class Gate:
    """A transport whose answers come when they are let out, in either colour."""

    def __init__(self, colour: str, answers: Callable[[Request], Any]) -> None:
        self.colour = colour
        self.answers = answers
        self.requests: list[Request] = []
        self.async_gate = asyncio.Event()
        self.sync_gate = threading.Event()

    def send(self, request: Request) -> Any:
        self.requests.append(request)
        return self._later(request) if self.colour == "async" else self._now(request)

    def _now(self, request: Request) -> Response:
        assert self.sync_gate.wait(10)
        return self._answer(request)

    async def _later(self, request: Request) -> Response:
        await self.async_gate.wait()
        return self._answer(request)

    def _answer(self, request: Request) -> Response:
        answer = self.answers(request)
        if isinstance(answer, Exception):
            raise answer
        return Response(200, {}, json.dumps(answer).encode())

    def open(self) -> None:
        self.async_gate.set()
        self.sync_gate.set()


def start(kit: Kit, call: Callable[[], Any]) -> asyncio.Task[Any]:
    return asyncio.create_task(call() if kit.colour == "async" else asyncio.to_thread(call))


async def together(kit: Kit, client: Any, gate: Gate, calls: list[Callable[[], Any]]) -> list[Any]:
    """Make calls at once, the first one a little ahead; exceptions are results."""
    world_of(client).transport = gate
    tasks = [start(kit, calls[0])]
    await until(lambda: bool(gate.requests))
    tasks += [start(kit, call) for call in calls[1:]]
    for _ in range(20):
        await asyncio.sleep(0)
    gate.open()
    return list(await asyncio.gather(*tasks, return_exceptions=True))


async def test_equal_reads_at_once_make_one_request(kit: Kit) -> None:
    client = client_of(kit)
    gate = Gate(kit.colour, lambda _: INFO)
    groups = await together(kit, client, gate, [lambda: client.groups.find_info(GROUP)] * 5)
    assert [group.subject for group in groups] == ["Team"] * 5
    assert len(gate.requests) == 1


async def test_numbers_asked_for_at_once_are_asked_once(kit: Kit) -> None:
    client = client_of(kit)
    gate = Gate(kit.colour, lambda r: [check(n) for n in json.loads(r.content or b"")["numbers"]])
    calls = [
        lambda: client.chats.check_whatsapp_numbers([ANN, BOB]),
        lambda: client.chats.check_whatsapp_numbers([BOB, EVE]),
    ]
    first, second = await together(kit, client, gate, calls)
    assert numbers_of(first) == {ANN: True, BOB: True}
    assert numbers_of(second) == {BOB: True, EVE: True}
    bodies = [json.loads(request.content or b"")["numbers"] for request in gate.requests]
    assert bodies == [[ANN, BOB], [EVE]]


@pytest.mark.parametrize("what", ["group", "numbers"])
async def test_a_failing_leader_poisons_nobody(kit: Kit, what: str) -> None:
    client = client_of(kit)
    call, answer = CACHED[what]
    failures = [ConnectionFailedError("x", phase=Phase.NOT_SENT)]
    gate = Gate(kit.colour, lambda _: failures.pop() if failures else answer)
    results = await together(
        kit, client, gate, [lambda: call(client, {"retry": False}) for _ in range(3)]
    )
    errors = [result for result in results if isinstance(result, Exception)]
    assert len(errors) == 1
    assert len(results) == 3


async def test_a_cancelled_leader_cancels_nobody() -> None:
    kit = Kit("async")
    client = client_of(kit)
    gate = world_of(client).transport = Gate("async", lambda _: INFO)
    leader = start(kit, lambda: client.groups.find_info(GROUP))
    await until(lambda: bool(gate.requests))
    followers = [start(kit, lambda: client.groups.find_info(GROUP)) for _ in range(3)]
    await asyncio.sleep(0)
    leader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leader
    gate.open()
    groups = await asyncio.gather(*followers)
    assert [group.subject for group in groups] == ["Team"] * 3
    assert len(gate.requests) == 2  # one of them took over


async def test_a_cancelled_follower_harms_nobody() -> None:
    kit = Kit("async")
    client = client_of(kit)
    gate = world_of(client).transport = Gate("async", lambda _: INFO)
    tasks = [start(kit, lambda: client.groups.find_info(GROUP)) for _ in range(3)]
    await until(lambda: bool(gate.requests))
    tasks[1].cancel()
    gate.open()
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert isinstance(results[1], asyncio.CancelledError)
    assert results[0] == results[2]
    assert len(gate.requests) == 1


async def test_a_read_begun_before_a_change_is_not_kept(kit: Kit) -> None:
    client = client_of(kit)
    gate = Gate(kit.colour, lambda _: INFO)
    world_of(client).transport = gate
    task = start(kit, lambda: client.groups.find_info(GROUP))
    await until(lambda: bool(gate.requests))
    client._pipeline.parts.guards.cache.forget("group", "sales", GROUP)
    gate.open()
    await task
    await kit.run(client.groups.find_info(GROUP))
    assert len(gate.requests) == 2
