"""Messages that WhatsApp refused: counted by instance, judged, alerted, exported."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from export_kit import checked, value
from monitor_kit import World

from evolution_sdk.models.refusals import CODES, Refusal
from evolution_sdk.monitor import DEFAULT_RULES, Thresholds
from evolution_sdk.monitor.collector import Collector
from evolution_sdk.monitor.export import PrometheusCollector
from evolution_sdk.monitor.health import InstanceFacts, judge_instance
from evolution_sdk.monitor.probe import InstanceReading
from evolution_sdk.monitor.refusals import RefusalCount, RefusalCounter

Make = Callable[..., World]
NUMBERS = "551198765"
JID = "5511987654321@s.whatsapp.net"
UNTOLD = Refusal(None, "no reason is known", "Look at the log.", reason_is_told=False)
LOCKED = Refusal(463, *CODES[463], reason_is_told=True)


def test_refusals_count_for_a_while_and_once() -> None:
    counter = RefusalCounter(600_000)
    assert counter.counts(0.0) == {}
    for key_id in ("M1", "M1", "M2"):
        counter.refused("sales", key_id, UNTOLD, 1_000.0)
    counter.refused("support", "M1", LOCKED, 1_000.0)
    assert counter.counts(1_000.0) == {
        "sales": RefusalCount(2, UNTOLD),
        "support": RefusalCount(1, LOCKED),
    }
    assert counter.counts(1_500.0)["sales"].messages == 2
    assert counter.counts(1_700.0) == {}


@pytest.mark.parametrize(
    ("data", "counted"),
    [
        ({}, 1),
        ({"status": "FAILED", "keyId": "wamid.ZmFrZQ", "fromMe": False}, 1),
        ({"fromMe": None}, 1),
        ({"fromMe": False}, 0),
        ({"status": "SERVER_ACK"}, 0),
        ({"message": {"editedMessage": {}}}, 0),
        ({"keyId": {"id": 1}}, 0),
        ({"status": ["ERROR"]}, 0),
    ],
)
def test_refusals_of_own_messages_count(data: dict[str, Any], counted: int) -> None:
    intake = Collector(Thresholds(), 60_000, lambda: 7.0, lambda: 7.0)
    told = {"keyId": "M1", "remoteJid": JID, "fromMe": True, "status": "ERROR", **data}
    intake.event({"event": "messages.update", "instance": "sales", "data": told})
    found = intake.refusals.counts(7.0).get("sales", RefusalCount())
    assert found.messages == counted


def test_the_finding_names_reason_and_advice() -> None:
    facts = InstanceFacts(InstanceReading("sales", "open"), refusals=RefusalCount(3, LOCKED))
    (finding,) = judge_instance(facts, Thresholds())
    assert finding.status == "degraded"
    assert finding.words.startswith("WhatsApp refused 3 messages within 10 minutes (the reach-out")
    assert "Stop writing first to strangers" in finding.words
    assert judge_instance(facts, Thresholds(degraded_refusals=4)) == []


async def test_refused_messages_raise_an_alert_that_says_what_to_do(world: Make) -> None:
    w = world()
    collector = PrometheusCollector(w.client, monitor=w.monitor)
    w.fake.refuse_delivery("sales")
    fed = 0
    for number in range(3):
        assert "messages_refused" not in {alert.rule for alert in w.monitor.active_alerts}
        await w.run(w.client.messages.send_text(f"551198765100{number}", "oi"))
        for event in w.fake.events[fed:]:
            w.client.feed(event)
        fed = len(w.fake.events)
        await w.check()
    (alert,) = (each for each in w.monitor.active_alerts if each.rule == "messages_refused")
    assert (alert.severity, alert.value) == ("critical", 3)
    assert "stop writing first to strangers" in alert.words
    report = w.monitor.get_health_status()
    assert report.details["refusals"] == 3
    assert report.instances["sales"].refusals == 3
    assert w.monitor.get_history()[-1].refusals == 3
    assert w.monitor.get_performance_metrics().refusals == 3
    assert value(checked(collector), "evolution_sends_refused", instance="sales") == 3
    assert NUMBERS not in alert.words + str(report.reasons)
    w.time.advance(600_000)
    await w.check(times=70)
    assert "messages_refused" not in {each.rule for each in w.monitor.active_alerts}
    assert w.monitor.get_history()[-1].refusals == 0


def test_the_rule_begins_where_health_does() -> None:
    (rule,) = (each for each in DEFAULT_RULES if each.name == "messages_refused")
    assert rule.above == Thresholds().degraded_refusals - 1
