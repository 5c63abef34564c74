"""Each fault, in-process for both kinds of client and over real HTTP where it differs."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from evolution_sdk.testing import FakeClock, FakeEvolution, FaultKind

SEND = "/message/sendText/sales"
BODY = {"number": "5511999999999", "text": "oi"}
KEY = {"apikey": "secret"}


async def post(fake: FakeEvolution, mode: str, delay_ms: int = 0, **options: Any) -> httpx.Response:
    body = {**BODY, "delay": delay_ms}
    if mode == "sync":
        with fake.http_client(headers=KEY) as client:
            return client.post(SEND, json=body, **options)
    async with fake.async_http_client(headers=KEY) as client:
        return await client.post(SEND, json=body, **options)


both = pytest.mark.parametrize("mode", ["sync", "async"])


@both
class TestInProcess:
    async def test_refuse_is_a_connect_error_and_nothing_happens(
        self, fake: FakeEvolution, mode: str
    ) -> None:
        fault = fake.faults.add("message.send_text", "refuse")
        with pytest.raises(httpx.ConnectError):
            await post(fake, mode)
        fake.assert_nothing_sent()
        assert fault.hits == 1

    async def test_drop_comes_before_acting(self, fake: FakeEvolution, mode: str) -> None:
        fake.faults.add("message.send_text", FaultKind.DROP)
        with pytest.raises(httpx.RemoteProtocolError):
            await post(fake, mode)
        fake.assert_nothing_sent()

    async def test_answer_then_drop_has_sent(self, fake: FakeEvolution, mode: str) -> None:
        fake.faults.add("message.send_text", "answer_then_drop")
        with pytest.raises(httpx.RemoteProtocolError):
            await post(fake, mode)
        fake.assert_sent_times(1, BODY["number"], text="oi")

    async def test_delay_beyond_the_timeout_has_sent(self, fake: FakeEvolution, mode: str) -> None:
        fake.faults.add("message.send_text", "delay", delay_ms=60_000)
        before = fake.clock.now_ms()
        with pytest.raises(httpx.ReadTimeout):
            await post(fake, mode, timeout=2.0)
        fake.assert_sent_times(1)
        assert fake.clock.now_ms() - before == 2_000

    async def test_delay_within_the_timeout_moves_the_clock(
        self, fake: FakeEvolution, mode: str
    ) -> None:
        fake.faults.add("message.send_text", "delay", delay_ms=1_500)
        before = fake.clock.now_ms()
        assert (await post(fake, mode, timeout=2.0)).status_code == 201
        assert fake.clock.now_ms() - before == 1_500

    async def test_own_delay_times_out_too(self, fake: FakeEvolution, mode: str) -> None:
        with pytest.raises(httpx.ReadTimeout):
            await post(fake, mode, delay_ms=9_000, timeout=1)
        fake.assert_sent_times(1)

    async def test_status_comes_before_acting(self, fake: FakeEvolution, mode: str) -> None:
        fake.faults.add(
            "message.send_text", "status", status=429, body={"a": 1}, headers={"Retry-After": "7"}
        )
        answer = await post(fake, mode)
        assert (answer.status_code, answer.json()) == (429, {"a": 1})
        assert answer.headers["retry-after"] == "7"
        fake.assert_nothing_sent()

    async def test_status_after_has_sent(self, fake: FakeEvolution, mode: str) -> None:
        fake.faults.add("message.send_text", "status_after", status=502, body="<html>")
        answer = await post(fake, mode)
        assert (answer.status_code, answer.text) == (502, "<html>")
        fake.assert_sent_times(1)

    async def test_truncate_has_sent(self, fake: FakeEvolution, mode: str) -> None:
        fake.faults.add("message.send_text", "truncate")
        answer = await post(fake, mode)
        assert answer.status_code == 201
        with pytest.raises(ValueError):
            answer.json()
        fake.assert_sent_times(1)

    async def test_empty_has_sent(self, fake: FakeEvolution, mode: str) -> None:
        fake.faults.add("message.send_text", "empty")
        answer = await post(fake, mode)
        assert (answer.status_code, answer.content) == (201, b"")
        fake.assert_sent_times(1)


class TestChoice:
    def statuses(self, fake: FakeEvolution, times: int, target: str = SEND) -> list[int]:
        client = fake.http_client(headers=KEY)
        return [client.post(target, json=BODY).status_code for _ in range(times)]

    def test_count(self, fake: FakeEvolution) -> None:
        fault = fake.faults.add("message.send_text", "status", status=503, count=2)
        assert self.statuses(fake, 4) == [503, 503, 201, 201]
        assert fault.hits == 2

    def test_remove(self, fake: FakeEvolution) -> None:
        fault = fake.faults.add("message.send_text", "status", status=503)
        assert self.statuses(fake, 1) == [503]
        fault.remove()
        assert self.statuses(fake, 1) == [201]

    def test_patterns(self, fake: FakeEvolution) -> None:
        fake.faults.add("message.*", "status", status=503, count=1)
        fake.faults.add("*", "status", status=504, count=1)
        fake.faults.add("chat.*", "status", status=505)
        assert self.statuses(fake, 3) == [503, 504, 201]
        assert self.statuses(fake, 1, "/chat/findMessages/sales") == [505]

    def test_unknown_routes(self, fake: FakeEvolution) -> None:
        fake.faults.add("unknown", "status", status=418)
        assert self.statuses(fake, 1, "/no/such") == [418]

    def test_instance(self, fake: FakeEvolution) -> None:
        fake.create_instance("other")
        fake.faults.add("message.send_text", "status", status=503, instance="other")
        assert self.statuses(fake, 1) == [201]
        assert self.statuses(fake, 1, "/message/sendText/other") == [503]

    def test_probability_is_seeded(self) -> None:
        def run(seed: int) -> list[int]:
            fake = FakeEvolution(api_key="secret", seed=seed, clock=FakeClock())
            fake.create_instance("sales")
            fake.faults.add("message.send_text", "status", status=503, probability=0.5)
            return self.statuses(fake, 40)

        assert run(1) == run(1)
        assert run(1) != run(2)
        assert 8 < run(1).count(503) < 32

    def test_probability_of_nought_never_strikes(self, fake: FakeEvolution) -> None:
        fault = fake.faults.add("*", "drop", probability=0)
        assert self.statuses(fake, 5) == [201] * 5
        assert fault.hits == 0

    @pytest.mark.parametrize(
        "wrong",
        [{"kind": "explode"}, {"kind": "status"}, {"kind": "delay"},
         {"kind": "drop", "probability": 2}],
    )  # fmt: skip
    def test_wrong_values(self, fake: FakeEvolution, wrong: dict[str, Any]) -> None:
        with pytest.raises(ValueError):
            fake.faults.add("*", **wrong)

    def test_requests_tell_what_struck(self, fake: FakeEvolution) -> None:
        fake.faults.add("message.send_text", "drop", count=1)
        with pytest.raises(httpx.RemoteProtocolError):
            self.statuses(fake, 1)
        self.statuses(fake, 1)
        seen = [(r.operation, r.status, r.fault, r.instance) for r in fake.requests]
        assert seen == [
            ("message.send_text", None, "drop", "sales"),
            ("message.send_text", 201, None, "sales"),
        ]

    def test_reset_disarms_and_starts_over(self, fake: FakeEvolution) -> None:
        first = fake.instances["sales"].id
        fake.faults.add("*", "drop")
        fake.reset()
        assert fake.instances == {}
        fake.create_instance("sales")
        assert self.statuses(fake, 1) == [201]
        assert fake.instances["sales"].id == first


class TestRealHttp:
    @pytest.fixture
    def served(self, fake: FakeEvolution) -> Any:
        with fake.serve() as running, httpx.Client(base_url=running.url, headers=KEY) as client:
            yield client

    @pytest.mark.parametrize(
        ("kind", "sends"), [("refuse", 0), ("drop", 0), ("answer_then_drop", 1)]
    )
    def test_the_connection_breaks(
        self, fake: FakeEvolution, served: httpx.Client, kind: str, sends: int
    ) -> None:
        fake.faults.add("message.send_text", kind, count=1)
        with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
            served.post(SEND, json=BODY)
        fake.assert_sent_times(sends)
        assert served.post(SEND, json=BODY).status_code == 201

    def test_truncated_json_arrives_whole_as_http(
        self, fake: FakeEvolution, served: httpx.Client
    ) -> None:
        fake.faults.add("message.send_text", "truncate")
        answer = served.post(SEND, json=BODY)
        assert answer.status_code == 201
        with pytest.raises(ValueError):
            answer.json()

    def test_delay_moves_only_the_clock(self, fake: FakeEvolution, served: httpx.Client) -> None:
        before = fake.clock.now_ms()
        assert served.post(SEND, json={**BODY, "delay": 600_000}, timeout=5).status_code == 201
        assert fake.clock.now_ms() - before == 600_000

    def test_real_delay_times_the_caller_out(self) -> None:
        fake = FakeEvolution(api_key="secret", real_delays=True)
        fake.create_instance("sales")
        fake.faults.add("message.send_text", "delay", delay_ms=800)
        with fake.serve() as running, pytest.raises(httpx.ReadTimeout):
            httpx.post(running.url + SEND, json=BODY, headers=KEY, timeout=0.1)
        fake.assert_sent_times(1)

    def test_url_and_server_url_follow(self, fake: FakeEvolution) -> None:
        with fake.serve() as running:
            assert running is fake
            assert fake.url.startswith("http://127.0.0.1:")
            metrics = httpx.get(f"{fake.url}/metrics").text
            assert f'serverUrl="{fake.url}"' in metrics
        assert fake.url == "http://fake-evolution.test"

    def test_keep_alive_and_unicode_paths(self, fake: FakeEvolution, served: httpx.Client) -> None:
        fake.create_instance("my inst/é#1")
        answer = served.get("/instance/connectionState/my%20inst%2F%C3%A9%231/")
        assert answer.json()["instance"]["instanceName"] == "my inst/é#1"
        assert answer.headers["keep-alive"] == "timeout=5"

    def test_several_threads(self, fake: FakeEvolution, served: httpx.Client) -> None:
        def burst() -> None:
            for _ in range(20):
                served.post(SEND, json=BODY)

        threads = [threading.Thread(target=burst) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len({message.key_id for message in fake.sent}) == 80
