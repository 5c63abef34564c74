"""What goes wrong in production, on a fake server and a fake clock: exactly these events."""

from __future__ import annotations

from collections.abc import Callable

from monitor_kit import HEALTHY, NUMBER, World, changed

from evolution_sdk.monitor import ProbeOptions

Make = Callable[..., World]
CLOSED = {
    "status": 400,
    "error": "Bad Request",
    "response": {"message": ["Error: Connection Closed"]},
}


async def test_the_server_dies_and_returns(world: Make) -> None:
    w = world()
    assert await w.check(3) == "healthy"
    death = w.fake.faults.add("*", "refuse")
    assert await w.check(5) == "unhealthy"
    assert "ConnectionFailedError" in w.changes()[-1].reasons[0]
    assert w.changes()[-1].details["connected"] is False
    death.remove()
    assert await w.check(3) == "healthy"
    assert w.told == [
        HEALTHY,
        changed("healthy", "unhealthy"),
        ("alertRaised", "unhealthy"),
        changed("unhealthy", "healthy"),
        ("alertResolved", "unhealthy"),
    ]


async def test_one_cut_connection_is_no_outage(world: Make) -> None:
    w = world()
    await w.check()
    w.fake.faults.add("*", "drop", count=1)
    await w.check(3)
    assert w.told == [HEALTHY]


async def test_latency_climbs(world: Make) -> None:
    w = world()
    await w.check(2)
    for delay_ms in range(100, 1_500, 50):
        fault = w.fake.faults.add("*", "delay", delay_ms=delay_ms)
        await w.check(6)
        fault.remove()
    assert w.told == [
        HEALTHY,
        changed("healthy", "degraded"),
        ("alertRaised", "degraded"),
        changed("degraded", "unhealthy"),
        ("alertRaised", "unhealthy"),
        ("alertResolved", "degraded"),
    ]
    assert "ms on average" in w.changes()[1].reasons[0]
    trend = w.monitor.get_trends(minutes=60)["response_time_ms"]
    assert trend.direction == "rising"
    assert trend.slope_per_minute > 0


async def test_a_slow_probe_is_not_a_dead_one_but_one_without_answer_is(world: Make) -> None:
    w = world(probes=ProbeOptions(timeout_ms=2_000))
    await w.check()
    w.fake.faults.add("*", "delay", delay_ms=3_000)
    assert await w.check() == "unhealthy"
    assert w.changes()[-1].details["failure"] == "EvolutionTimeoutError"


async def test_thirty_percent_errors(world: Make) -> None:
    w = world()
    await w.check()
    fault = w.fake.faults.add("chat.*", "status", status=500, probability=0.3)
    for _ in range(12):
        for _ in range(10):
            await w.read()
        await w.check()
    fault.remove()
    for _ in range(30):
        await w.read()
        await w.check()
    assert w.told == [HEALTHY, changed("healthy", "degraded"), changed("degraded", "healthy")]
    assert "requests failed" in w.changes()[1].reasons[0]


async def test_errors_of_the_caller_do_not_count(world: Make) -> None:
    w = world()
    w.fake.not_on_whatsapp(NUMBER)
    for _ in range(6):
        for _ in range(5):
            await w.call(lambda: w.client.messages.send_text(NUMBER, "oi"))
            await w.call(lambda: w.client.messages.send_text("12", "oi"))
        await w.check()
    assert w.told == [HEALTHY]
    assert w.monitor.get_performance_metrics().error_rate == 0
    assert w.monitor.get_performance_metrics().requests >= 30


async def test_an_instance_closes_and_opens(world: Make) -> None:
    w = world()
    await w.check()
    w.fake.set_state("sales", "close")
    await w.check(2)
    w.fake.set_state("sales", "open")
    await w.check(3)
    assert w.told == [
        HEALTHY,
        changed("healthy", "unhealthy"),
        ("alertRaised", "unhealthy"),
        changed("unhealthy", "healthy"),
        ("alertResolved", "unhealthy"),
    ]
    assert w.changes()[1].reasons == ("instance sales: it is closed: WhatsApp is not connected",)


async def test_one_of_two_instances_closes(world: Make) -> None:
    w = world(instances=("sales", "support"))
    w.fake.create_instance("support")
    await w.check()
    w.fake.set_state("sales", "close")
    await w.check(2)
    status = w.monitor.get_health_status()
    assert {name: each.status for name, each in status.instances.items()} == {
        "sales": "unhealthy",
        "support": "healthy",
    }
    assert w.told == [
        HEALTHY,
        ("healthStatusChanged", "unknown", "healthy", "sales"),
        ("healthStatusChanged", "unknown", "healthy", "support"),
        changed("healthy", "degraded"),
        ("healthStatusChanged", "healthy", "unhealthy", "sales"),
        ("alertRaised", "instance_unhealthy"),
    ]
    assert w.monitor.active_alerts[0].instance == "sales"


async def test_the_deep_probe_finds_an_open_but_dead_socket(world: Make) -> None:
    w = world(probes=ProbeOptions(deep=True, deep_interval_ms=60_000))
    await w.check(2)
    dead = w.fake.faults.add("instance.set_presence", "status", status=400, body=CLOSED)
    await w.check(14)
    assert w.monitor.get_health_status().instances["sales"].socket_dead
    assert "socket is dead" in w.changes()[-1].reasons[0]
    dead.remove()
    await w.check(14)
    assert w.told == [
        HEALTHY,
        changed("healthy", "unhealthy"),
        ("alertRaised", "unhealthy"),
        changed("unhealthy", "healthy"),
        ("alertResolved", "unhealthy"),
    ]


async def test_calls_find_a_dead_socket_without_the_probe(world: Make) -> None:
    w = world()
    await w.check(2)
    dead = w.fake.faults.add("message.*", "status", status=400, body=CLOSED)
    for _ in range(3):
        await w.call(w.send)
        await w.check()
    dead.remove()
    await w.send()
    await w.check(3)
    assert w.told == [
        HEALTHY,
        changed("healthy", "unhealthy"),
        ("alertRaised", "unhealthy"),
        changed("unhealthy", "healthy"),
        ("alertResolved", "unhealthy"),
    ]


async def test_events_fall_silent(world: Make) -> None:
    w = world()
    for _ in range(26 * 60):  # a day and two hours of one event a minute
        w.time.advance(60_000)
        w.event()
    await w.check()
    for _ in range(45):
        await w.check(every_ms=60_000)
    assert w.told == [HEALTHY, changed("healthy", "degraded"), ("alertRaised", "degraded")]
    assert "no event for" in w.changes()[-1].reasons[0]
    w.event()
    await w.check(7)
    assert w.told[3:] == [changed("degraded", "healthy"), ("alertResolved", "degraded")]


async def test_sends_stay_pending(world: Make) -> None:
    w = world()
    sent = await w.send()
    w.event("messages.update", keyId=sent.id, status="SERVER_ACK")
    await w.check()
    for _ in range(30):
        await w.send()
        w.event()
        await w.check()
    assert w.told == [
        HEALTHY,
        changed("healthy", "unhealthy"),
        ("alertRaised", "unhealthy"),
    ]
    assert "no SERVER_ACK within 60 s" in w.changes()[-1].reasons[0]
    assert w.monitor.get_history()[-1].unacked_share is not None


async def test_sends_are_not_judged_without_events(world: Make) -> None:
    w = world()
    for _ in range(30):
        await w.send()
        await w.check()
    assert w.told == [HEALTHY]


async def test_acknowledged_sends_are_well(world: Make) -> None:
    w = world()
    for _ in range(30):
        sent = await w.send()
        await w.check()
        w.event("messages.update", keyId=sent.id, status="DELIVERY_ACK")
    assert w.told == [HEALTHY]


async def test_flapping_is_told_a_few_times_and_then_held(world: Make) -> None:
    w = world()
    await w.check()
    for _ in range(40):
        w.fake.set_state("sales", "close")
        await w.check(2)
        w.fake.set_state("sales", "open")
        await w.check(2)
    assert len(w.changes()) <= 8
    assert w.monitor.get_health_status().status == "unhealthy"
    assert "too often" in w.changes()[-1].reasons[-1]
    await w.check(70)
    assert w.monitor.get_health_status().status == "healthy"


async def test_failing_retries_are_degraded_and_then_unhealthy(world: Make) -> None:
    w = world(max_attempts=2)
    await w.check()
    fault = w.fake.faults.add("chat.*", "status", status=500)
    for _ in range(5):
        await w.read()
    await w.check(2)
    fault.remove()
    assert w.changes()[-1].current == "unhealthy"
    assert any("retried calls succeeded" in reason for reason in w.changes()[-1].reasons)


async def test_an_unknown_instance_and_a_refused_key(world: Make) -> None:
    w = world(instances=("nope",))
    assert await w.check() == "unhealthy"
    assert "does not exist" in w.changes()[-1].reasons[0]
    body = {"status": 401, "error": "Unauthorized", "response": {"message": "Unauthorized"}}
    w.fake.faults.add("instance.connection_state", "status", status=401, body=body)
    await w.check()
    reasons = w.monitor.get_health_status().reasons
    assert "refuses the API key" in reasons[0]


async def test_a_missing_state_is_unknown_and_not_healthy(world: Make) -> None:
    w = world()
    body = {"instance": {"instanceName": "sales"}}
    w.fake.faults.add("instance.connection_state", "status", status=200, body=body)
    assert await w.check() == "unknown"


async def test_an_open_circuit_does_not_hide_that_the_server_is_back(world: Make) -> None:
    w = world()
    await w.check()
    death = w.fake.faults.add("*", "refuse")
    for _ in range(25):
        await w.read()
    assert w.client.breakers()["server"].state == "open"
    assert await w.check(3) == "unhealthy"
    death.remove()
    answered = len(w.fake.requests)
    await w.check()
    assert len(w.fake.requests) > answered
    assert w.monitor.get_health_status().details["connected"] is True
    assert w.client.breakers()["server"].state == "half_open", "a good probe lets it try at once"
    for _ in range(3):
        await w.read()
    assert w.client.breakers()["server"].state == "closed"
