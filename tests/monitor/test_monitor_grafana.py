"""Dashboard and rules: every metric and label is exported, and Prometheus takes them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from evolution_sdk import EvolutionClient, EvolutionMonitorService
from evolution_sdk.events import EventRouter
from evolution_sdk.monitor.alert import DEFAULT_RULES
from evolution_sdk.monitor.export.families import FAMILIES
from evolution_sdk.monitor.export.prometheus import PrometheusCollector
from evolution_sdk.monitor.grafana import FILES, dashboard, grafana_files
from evolution_sdk.monitor.grafana.queries import Queries
from evolution_sdk.outbox import Outbox
from evolution_sdk.testing import FakeEvolution
from evolution_sdk.webhooks import WebhookReceiver
from services import require_program

ALERT = "EvolutionInstanceUnhealthy"
LABELS = ["exported_instance", "instance"]
# Of Prometheus itself, and made by rules.
ITS_OWN = {"job", "le", "instance", "exported_instance"}
NAME = re.compile(r"\b(evolution_\w+)")
SELECTOR = re.compile(r"\b(evolution_\w+)\{([^}]*)\}")


def panels(label: str) -> list[dict[str, Any]]:
    return [one for one in dashboard(label)["panels"] if one["type"] != "row"]


def queries(label: str) -> list[str]:
    found = [target["expr"] for panel in panels(label) for target in panel["targets"]]
    for name in FILES[1:]:
        for group in yaml.safe_load(grafana_files(label)[name])["groups"]:
            found += [rule["expr"] for rule in group["rules"]]
    return found


@pytest.fixture(scope="module")
def scraped(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The labels of each exported metric, as a real scrape has them."""
    client_lib = pytest.importorskip("prometheus_client")
    from prometheus_client.parser import text_string_to_metric_families

    folder = tmp_path_factory.mktemp("grafana")
    with FakeEvolution().serve() as fake:
        fake.create_instance("sales", state="open")
        with EvolutionClient(fake.url, fake.api_key, instance="sales") as client:
            outbox = Outbox(folder / "outbox.db", client=client)
            monitor = EvolutionMonitorService(client, outbox=outbox, instances="*", sinks=())
            registry = client_lib.CollectorRegistry()
            collector = PrometheusCollector(
                client, monitor=monitor, outbox=outbox, receiver=WebhookReceiver(EventRouter())
            )
            registry.register(collector)
            client.messages.send_text("5511987654321", "oi")
            monitor.check_health_sync()
            outbox.messages.send_text("5511987654321", "oi", key="a")
            with outbox:
                outbox.wait("a")
            text = client_lib.generate_latest(registry).decode()
            collector.close()
            monitor.close()
    found: dict[str, set[str]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("label", LABELS)
def test_every_metric_of_every_query_is_exported(label: str, scraped: dict[str, set[str]]) -> None:
    known = {family.prometheus for family in FAMILIES.values()}
    known |= {f"{name}{end}" for name in known for end in ("_bucket", "_sum", "_count")}
    used: set[str] = set()
    for query in queries(label):
        names = set(NAME.findall(query))
        assert names <= known, query
        used |= names
    # A metric that has had no value yet is not in a scrape; most are.
    assert len(used & scraped.keys()) > 30


@pytest.mark.parametrize("label", LABELS)
def test_every_label_of_every_selector_is_exported(
    label: str, scraped: dict[str, set[str]]
) -> None:
    for query in queries(label):
        for name, inside in SELECTOR.findall(query):
            asked = set(re.findall(r"(\w+)=", inside)) - ITS_OWN
            if name in scraped:
                assert asked <= scraped[name], (name, asked)


def test_a_metric_or_label_that_is_not_exported_cannot_be_named() -> None:
    write = Queries()
    with pytest.raises(KeyError):
        write.of("evolution.nothing")
    with pytest.raises(KeyError):
        write.of("evolution.server.up", colour="red")


def test_every_default_rule_of_the_monitor_has_its_alert() -> None:
    groups = yaml.safe_load(grafana_files()["evolution-alerts.yml"])["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"]}
    for rule in DEFAULT_RULES:
        name = "Evolution" + "".join(part.title() for part in rule.name.split("_"))
        # Without a limit of memory there is nothing to forecast.
        assert name in alerts or rule.metric == "memory_bytes"
    for group in groups:
        for rule in group["rules"]:
            assert rule["annotations"]["summary"]
            assert rule["labels"]["severity"] in ("info", "warning", "critical")


@pytest.mark.parametrize("label", LABELS)
def test_promtool_takes_the_rules(label: str, tmp_path: Path) -> None:
    promtool = require_program("promtool", "prometheus")
    for name, text in grafana_files(label).items():
        (tmp_path / name).write_text(text, "utf-8")
    run = [promtool, "check", "rules", *(str(tmp_path / name) for name in FILES[1:])]
    done = subprocess.run(run, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_alerts_fire_when_they_should(tmp_path: Path) -> None:
    promtool = require_program("promtool", "prometheus")
    (tmp_path / FILES[1]).write_text(grafana_files()[FILES[1]], "utf-8")
    closed = "evolution_instance_status{exported_instance='sales',status='unhealthy',job='a'}"
    unknown = "evolution_outbox_messages{exported_instance='sales',state='unknown',job='a'}"
    tests = {
        "rule_files": [FILES[1]],
        "evaluation_interval": "30s",
        "tests": [
            {
                "interval": "30s",
                "input_series": [
                    {"series": closed, "values": "0x3 1x20"},
                    {"series": "evolution_server_up{job='a'}", "values": "1x6 0x20"},
                    {"series": unknown, "values": "0x20"},
                ],
                "alert_rule_test": [
                    {"eval_time": "1m", "alertname": ALERT, "exp_alerts": []},
                    {
                        "eval_time": "3m",
                        "alertname": ALERT,
                        "exp_alerts": [
                            {
                                "exp_labels": {
                                    "severity": "critical",
                                    "exported_instance": "sales",
                                    "status": "unhealthy",
                                    "job": "a",
                                },
                                "exp_annotations": {"summary": "instance sales is unhealthy"},
                            }
                        ],
                    },
                    {"eval_time": "4m", "alertname": "EvolutionServerDown", "exp_alerts": []},
                    {
                        "eval_time": "6m",
                        "alertname": "EvolutionServerDown",
                        "exp_alerts": [
                            {
                                "exp_labels": {"severity": "critical", "job": "a"},
                                "exp_annotations": {
                                    "summary": "the server does not answer",
                                    "description": "evolution doctor tells more.",
                                },
                            }
                        ],
                    },
                    {"eval_time": "9m", "alertname": "EvolutionOutboxUnknown", "exp_alerts": []},
                ],
            }
        ],
    }
    (tmp_path / "tests.yml").write_text(json.dumps(tests), "utf-8")
    run = [promtool, "test", "rules", "tests.yml"]
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dashboard_has_the_shape_that_grafana_imports() -> None:
    made = dashboard()
    assert json.loads(grafana_files()[FILES[0]]) == made
    assert {"uid", "title", "schemaVersion", "panels", "templating", "time"} <= made.keys()
    assert [one["name"] for one in made["templating"]["list"]] == ["datasource", "job", "whatsapp"]
    ids = [panel["id"] for panel in made["panels"]]
    assert len(set(ids)) == len(ids)
    taken: set[tuple[int, int]] = set()
    for panel in made["panels"]:
        place = panel["gridPos"]
        assert 0 <= place["x"] <= place["x"] + place["w"] <= 24
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
    for panel in panels("exported_instance"):
        assert panel["type"] in ("timeseries", "stat", "table", "state-timeline")
        assert panel["targets"]
        assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])
        assert all(target["datasource"]["uid"] == "${datasource}" for target in panel["targets"])
