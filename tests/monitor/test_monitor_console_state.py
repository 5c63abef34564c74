"""What the state says: strips and uptime, series, delivery, calls and events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from console_kit import BEARER, TOKEN, ask
from monitor_kit import INTERNAL, NUMBER, START, World

from evolution_sdk.models.refusals import refusal_of
from evolution_sdk.monitor import EvolutionConsole, HistoryOptions
from evolution_sdk.monitor.console.funnel import DeliveryFunnel
from evolution_sdk.monitor.console.series import ChartPoints
from evolution_sdk.monitor.console.strips import DAY_S, WEEK_S, StatusStrip
from evolution_sdk.monitor.console.traffic import Traffic
from evolution_sdk.monitor.sample import Sample


async def state_of(console: EvolutionConsole) -> Any:
    return (await ask(console, "GET", "/api/state", BEARER)).json


def made(world: World, **options: Any) -> EvolutionConsole:
    return EvolutionConsole(world.monitor, token=TOKEN, **options)


async def test_before_the_first_check_nothing_is_known() -> None:
    state = await state_of(made(World(), title="Ops", language="pt"))
    assert (state["title"], state["language"], state["version"]) == ("Ops", "pt", 1)
    assert state["health"]["status"] == "unknown"
    assert state["health"]["uptime_24h"] is None
    assert (state["instances"], state["outbox"], state["receiver"]) == ({}, None, None)


async def test_a_fall_and_its_reason_are_told_in_both_languages() -> None:
    world = World()
    console = made(world)
    await world.check(10)
    world.fake.log_out("sales")
    await world.check(10)
    state = await state_of(console)
    reason = {
        "en": "it is closed: WhatsApp is not connected",
        "pt": "está fechada: o WhatsApp não está conectado",
    }
    sales = state["instances"]["sales"]
    assert (sales["status"], sales["state"], sales["reasons"]) == ("unhealthy", "close", [reason])
    assert sales["since_at"] == START + 55
    assert sales["needs_pairing"]
    assert sales["uptime_24h"] == pytest.approx(50 / 95, abs=1e-3)
    strip = state["strips"]["sales"]
    assert strip["day"] == [[START + 5, START + 55, "h"], [START + 55, None, "u"]]
    assert strip["changes"][0] == {
        "at": START + 55, "from": "healthy", "to": "unhealthy", "reasons": [reason],
    }  # fmt: skip
    assert state["health"]["reasons"][0]["pt"].startswith("instância sales: está fechada")


async def test_uptime_survives_a_restart_and_the_time_between_counts_for_nothing(
    tmp_path: Path,
) -> None:
    path = HistoryOptions(path=str(tmp_path / "history.sqlite3"))
    world = World(history=path)
    console = made(world)
    await world.check(10)
    world.fake.log_out("sales")
    await world.check(10)
    before = (await state_of(console))["instances"]["sales"]["uptime_24h"]
    world.monitor.close()
    console.close()
    after = World(history=path)
    after.time.now = world.time.now + 3_600
    console = made(after)
    await after.check(1)
    state = await state_of(console)
    assert state["features"]["history"]
    assert state["instances"]["sales"]["uptime_24h"] == pytest.approx(before, abs=0.05)
    letters = [run[2] for run in state["strips"]["sales"]["day"]]
    assert letters == ["h", "u", "h"]
    down, up = state["strips"]["sales"]["day"][1:]
    assert up[0] - down[1] >= 3_600, "nobody knows about the time between"
    assert any(value is not None for value in state["series"]["day"]["response_time_ms"][-14:])
    after.monitor.close()
    console.close()


async def test_a_history_file_that_is_broken_costs_only_the_uptime(tmp_path: Path) -> None:
    (tmp_path / "history.sqlite3").write_bytes(b"no database" * 100)
    world = World(history=HistoryOptions(path=str(tmp_path / "history.sqlite3")))
    console = made(world)
    await world.check(2)
    assert (await state_of(console))["health"]["status"] == "healthy"
    world.monitor.close()
    console.close()


def test_a_strip_counts_what_is_known() -> None:
    strip = StatusStrip(gap_s=60)
    for at in range(0, 100, 10):
        strip.saw(float(at), "healthy" if at < 50 else "unhealthy", ())
    strip.saw(1_000.0, "degraded", ("slow",))
    strip.saw(1_010.0, "degraded", ("slow",))
    assert strip.uptime(1_010.0, DAY_S) == pytest.approx(60 / 100)
    assert strip.runs(1_010.0, DAY_S) == [[0, 50, "h"], [50, 90, "u"], [1_000, None, "d"]]
    assert strip.changes[-1].before is None, "nobody knows what came before"
    assert strip.uptime(1_010.0, 10) == 1.0
    assert StatusStrip(60).uptime(0, DAY_S) is None


def test_a_strip_of_very_many_changes_stays_small_and_shows_the_worst() -> None:
    strip = StatusStrip(gap_s=60)
    for number in range(100_000):
        strip.saw(number * 10.0, "healthy" if number % 2 else "unhealthy", ())
    now = 999_990.0
    week = strip.runs(now, WEEK_S)
    assert len(week) <= 300
    assert {run[2] for run in week} >= {"u"}
    assert len(strip.changes) <= 20


def test_series_have_a_point_per_step_and_none_where_nothing_was_measured() -> None:
    points = ChartPoints(30, 120)
    begin = START - START % 30
    for at in (0.0, 5.0, 35.0):
        points.add(
            Sample(at=begin + at, status="healthy", response_time_ms=at, p95_response_time_ms=at)
        )
    shown = points.to_dict(begin + 65)
    lists = {len(value) for value in shown.values() if isinstance(value, list)}
    assert lists == {120}
    end = int((begin - shown["begin_at"]) // 30)
    assert shown["response_time_ms"][end : end + 3] == [2.5, 35.0, None]
    assert shown["p95_ms"][end] == 5.0
    assert shown["status"][end : end + 3] == ["h", "h", None]
    for number in range(1_000):
        points.add(Sample(at=START + number * 30, status="healthy"))
    assert len(points._points) <= 120


def test_the_funnel_counts_each_stage_with_those_after_it() -> None:
    funnel = DeliveryFunnel()
    funnel.status("sales", "M1", "READ", None, START)  # overtakes the answer
    for number in range(1, 5):
        funnel.accepted("sales", f"M{number}", START)
    funnel.status("sales", "M2", "DELIVERY_ACK", None, START)
    funnel.status("sales", "M2", "SERVER_ACK", None, START)
    funnel.status("sales", "M3", "SERVER_ACK", None, START)
    refusal = refusal_of("ERROR", {"messageStubParameters": ["463"]})
    for _ in range(2):
        funnel.status("sales", "M4", "ERROR", refusal, START)
    shown = funnel.to_dict(START + 1)
    stages = ("accepted", "server", "delivered", "read", "refused")
    assert [shown[name] for name in stages] == [4, 3, 2, 1, 1]
    assert (shown["refusals"][0]["code"], shown["refusals"][0]["count"]) == (463, 1)
    assert shown["refusals"][0]["meaning"]["pt"].startswith("o bloqueio temporário")
    assert funnel.to_dict(START + 3_700)["accepted"] == 0


async def test_the_funnel_is_fed_by_sends_and_their_events() -> None:
    world = World()
    console = made(world)
    sent = await world.send()
    chat = f"{NUMBER}@s.whatsapp.net"
    world.event("messages.update", keyId=sent.id, remoteJid=chat, fromMe=True, status="READ")
    delivery = (await state_of(console))["delivery"]
    assert [delivery[name] for name in ("accepted", "server", "delivered", "read")] == [1] * 4


async def test_calls_and_events_are_told_without_what_they_held() -> None:
    world = World()
    console = made(world)
    await world.send()
    world.fake.faults.add("chat.*", "status", status=500, body=INTERNAL, count=1)
    await world.read()
    world.event("messages.upsert", message={"conversation": "a secret"}, key={"id": NUMBER})
    world.event("made.up")
    await world.check()
    answer = await ask(console, "GET", "/api/state", BEARER)
    calls, events = answer.json["calls"], answer.json["events"]
    assert [each["operation"] for each in calls["recent"]] == [
        "chat.find_chats", "message.send_text",
    ]  # fmt: skip
    failed, sent = calls["recent"]
    assert (failed["status"], failed["error"] is not None) == (500, True)
    assert (sent["method"], sent["route"]) == ("POST", "/message/sendText/{instance}")
    assert [each["kind"] for each in events["recent"]] == ["made.up", "messages.upsert"]
    for secret in (b"a secret", NUMBER.encode(), b"oi", b"test-api-key"):
        assert secret not in answer.body


def test_made_up_kinds_of_events_fill_no_memory() -> None:
    traffic = Traffic(0.0)
    for number in range(10_000):
        traffic.event(f"kind-{number}", "sales", 1.0, START)
    shown = traffic.events_shown(1.0)
    assert len(shown["by_kind"]) <= 61
    assert len(shown["recent"]) == 50
    assert shown["by_kind"][0]["kind"] == "other"


async def test_alerts_are_active_and_then_history() -> None:
    world = World()
    console = made(world)
    await world.check(2)
    world.fake.log_out("sales")
    await world.check(2)
    alerts = (await state_of(console))["alerts"]
    assert [alert["rule"] for alert in alerts["active"]] == ["unhealthy"]
    assert alerts["active"][0]["words"]["pt"].startswith("a saúde geral está com falha")
    world.fake.scan_qr("sales")
    await world.check(10)
    alerts = (await state_of(console))["alerts"]
    assert alerts["active"] == []
    assert alerts["history"][0]["resolved_at"] is not None


async def test_the_state_is_json_of_the_promised_shape() -> None:
    world = World()
    await world.check(2)
    state = await state_of(made(world))
    assert set(state) == {
        "version", "at", "title", "language", "can", "features", "server", "health", "instances",
        "strips", "pairing", "series", "outlook", "delivery", "resilience", "outbox", "receiver",
        "alerts", "calls", "events",
    }  # fmt: skip
    assert json.dumps(state, allow_nan=False)
